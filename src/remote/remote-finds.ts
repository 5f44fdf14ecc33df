// Remote finds: what a store on a server holds in the places of pieces.
//
// The server answers with about a megabyte. Pieces that are large are asked for in several calls, an
// array of which all is not given from where it goes on.

import { UnexpectedStoreOutputError } from "../base/errors.js";
import { never } from "../engine/engine.js";
import type { Stored } from "../engine/stored.js";
import {
  type ArrayPiece,
  type FoundPieces,
  type Piece,
  type PieceTable,
  pieceTables,
  type ValuePiece,
} from "../operations/pieces.js";
import { type Calls, settleAll } from "./calls.js";
import type { Argument, Reply } from "./connection.js";
import { bytesIn, foundIn, listIn, numberIn, storedIn, textIn } from "./replies.js";

/** As the library tells it: "" or "inf" for none. */
export function deadlineIn(reply: Reply | undefined): number {
  const text = textIn(reply);
  return text === "" || text === "inf" ? never : Number(text);
}

/** Pieces of one table in one partition, and their places in the list that they come from. */
export interface PieceGroup {
  readonly table: PieceTable;
  readonly partition: number;
  readonly items: readonly Piece[];
  readonly places: readonly number[];
}

export function groupsOf(calls: Calls, pieces: readonly Piece[]): PieceGroup[] {
  const numbered = pieces.map((piece, place) => ({ piece, place }));
  return pieceTables.flatMap((table) => {
    const some = numbered.filter(({ piece }) => piece.table === table);
    return calls
      .grouped(some, ({ piece }) => placeOf(piece))
      .map(({ partition, items }) => ({
        table,
        partition,
        items: items.map(({ piece }) => piece),
        places: items.map(({ place }) => place),
      }));
  });
}

/** What decides about the partition of a piece. */
export function placeOf(piece: Piece): string {
  return piece.table === "filters" ? piece.bucket : piece.key;
}

export async function findPieces(calls: Calls, pieces: readonly Piece[]): Promise<FoundPieces> {
  const found: (Piece | undefined)[] = pieces.map(() => undefined);
  const moments = await settleAll(
    groupsOf(calls, pieces).map(async (group) => {
      const { pieces: some, now } = await findGroup(calls, group);
      for (const [index, place] of group.places.entries()) found[place] = some[index];
      return now;
    }),
  );
  return { pieces: found, now: Math.max(0, ...moments) };
}

async function findGroup(
  calls: Calls,
  { table, partition, items }: PieceGroup,
): Promise<FoundPieces> {
  const found: (Piece | undefined)[] = [];
  let now = 0;
  // What has come so far of the array that is next.
  let begun: Stored[] = [];
  while (found.length < items.length) {
    const rest = items.slice(found.length);
    rest[0] = behind(rest[0] as Piece, begun.length);
    const args = rest.flatMap(soughtArguments);
    const reply = listIn(await calls.call(`find_${nameOf(table)}`, partition, args));
    now = Math.max(now, numberIn(reply[0]));
    const count = (reply.length - 1) / (table === "values" ? 2 : 1);
    if (count < 1)
      throw new UnexpectedStoreOutputError("the server found nothing of what it was asked");
    for (const [index, asked] of rest.slice(0, count).entries()) {
      const piece = joined(begun, foundPiece(asked, reply, index));
      begun = [];
      if (isCutShort(asked, piece)) begun = [...(piece as ArrayPiece).elements];
      else found.push(piece);
    }
  }
  return { pieces: found, now };
}

/** A piece without its first elements. */
function behind(piece: Piece, elements: number): Piece {
  if (piece.table !== "arrays" || elements === 0) return piece;
  return {
    ...piece,
    first: piece.first + elements,
    elements: piece.elements.slice(elements),
  };
}

/** What was found, with the elements that came before. */
function joined(begun: readonly Stored[], found: Piece | undefined): Piece | undefined {
  if (found?.table !== "arrays" || begun.length === 0) return found;
  return {
    ...found,
    first: found.first - begun.length,
    elements: [...begun, ...found.elements],
  };
}

/** Whether the array has more of the elements that were asked for than have come. */
function isCutShort(asked: Piece, found: Piece | undefined): boolean {
  if (asked.table !== "arrays" || found?.table !== "arrays") return false;
  const read = found.first + found.elements.length;
  // Something has come each time.
  return read > asked.first && read < Math.min(found.length, asked.first + asked.elements.length);
}

export function nameOf(table: PieceTable): "values" | "arrays" | "members" {
  return table === "filters" ? "members" : table;
}

export function soughtArguments(piece: Piece): Argument[] {
  if (piece.table === "values") return [piece.key];
  if (piece.table === "filters") return [piece.bucket, piece.item];
  return [piece.key, piece.first, piece.elements.length];
}

function foundPiece(piece: Piece, reply: readonly Reply[], index: number): Piece | undefined {
  if (piece.table === "values")
    return foundValue(piece, reply[1 + 2 * index], reply[2 + 2 * index]);
  if (piece.table === "arrays") return foundArray(piece, listIn(reply[1 + index]));
  const deadline = reply[1 + index];
  return textIn(deadline) === "" ? undefined : { ...piece, deadline: deadlineIn(deadline) };
}

function foundValue(
  { key }: ValuePiece,
  value: Reply | undefined,
  deadline: Reply | undefined,
): Piece | undefined {
  const bytes = bytesIn(value);
  if (bytes.length === 1 && bytes[0] === "a".charCodeAt(0)) {
    return { table: "arrays", key, deadline: deadlineIn(deadline), ...nothing };
  }
  const stored = foundIn(value);
  if (stored === undefined) return undefined;
  return { table: "values", key, value: stored, deadline: deadlineIn(deadline) };
}

const nothing = { first: 0, elements: [] as Stored[], length: 0 };

function foundArray({ key, first }: ArrayPiece, found: readonly Reply[]): Piece | undefined {
  const [kind, deadline, length, elements] = found;
  const text = textIn(kind);
  if (text === "") return undefined;
  if (text === "v") return { table: "values", key, value: "", deadline: never };
  if (text !== "a") throw new UnexpectedStoreOutputError("the server found an unknown kind");
  return {
    ...{ table: "arrays", key, first },
    deadline: deadlineIn(deadline),
    elements: listIn(elements).map(storedIn),
    length: numberIn(length),
  };
}
