// Remote content: what a store on a server holds, piece by piece, for copies from and to it.
//
// Partitions are read one after the other. What is written has the same result however often it is
// written, so a call whose answer was lost is simply made again.

import { OutcomeUnknownError } from "../base/errors.js";
import { never } from "../engine/engine.js";
import type { Stored } from "../engine/stored.js";
import type {
  ArrayPiece,
  MemberPiece,
  Piece,
  PiecePage,
  PieceTable,
  ValuePiece,
} from "../operations/pieces.js";
import type { Content } from "../store/content.js";
import { type Calls, settleAll } from "./calls.js";
import type { Argument, Reply } from "./connection.js";
import type { Operation } from "./operation-table.js";
import {
  deadlineIn,
  findPieces,
  groupsOf,
  type PieceGroup,
  placeOf,
  soughtArguments,
} from "./remote-finds.js";
import { measure } from "./remote-measures.js";
import { flagIn, isJson, listIn, numberIn, storedIn, textIn, valueArgument } from "./replies.js";

/** How a page goes on in its partition; undefined at its end. */
interface PartPage extends Omit<PiecePage, "cursor"> {
  readonly next: readonly Argument[] | undefined;
}

type ReadPart = (
  calls: Calls,
  partition: number,
  after: readonly Argument[],
  rowsMax: number,
) => Promise<PartPage>;

/** Of what has been lost on the way, at most. */
const attemptsMax = 5;

/** `expect` hears how soon something that was written is to be removed. */
export function remoteContent(calls: Calls, expect: (ttlMs: number) => void): Content {
  const attended = <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) => {
    return (...args: Args) => calls.attend(work(...args));
  };
  return {
    page: attended(async ({ table, cursor, rowsMax }) => {
      const [partition, after] = cursor === "" ? [0, []] : (JSON.parse(cursor) as Place);
      const { next, ...page } = await readers[table](calls, partition, after, rowsMax);
      return { ...page, cursor: cursorOf(calls, partition, next) };
    }),
    find: attended((pieces) => findPieces(calls, pieces)),
    put: attended(async (pieces) => {
      for (const { deadline } of pieces) {
        if (deadline !== never) expect(Math.max(0, deadline - calls.env.clock.now()));
      }
      await settleAll(groupsOf(calls, pieces).flatMap((group) => putGroup(calls, group)));
    }),
    drop: attended(async (pieces) => {
      await settleAll(groupsOf(calls, pieces).map((group) => dropGroup(calls, group)));
    }),
    counts: attended(async () => {
      const { values, elements, members } = await measure(calls);
      return { values, elements, items: members };
    }),
    lastToken: attended(async () => {
      const tokens = (await calls.everywhere("dump_token", [])).map(numberIn);
      return Math.max(...tokens);
    }),
    raiseToken: attended((token) => raiseToken(calls, token)),
    note: attended(async () => noteIn(await calls.call("copy_note", 0, []))),
    swapNote: attended(async ({ expected = "", note = "" }) =>
      noteIn(await again(calls, "swap_note", 0, [expected, note])),
    ),
    mark: attended(async (sign) => void (await again(calls, "mark", 0, [sign]))),
    marked: attended(async () => textIn(await calls.call("marked", 0, []))),
  };
}

type Place = readonly [partition: number, after: Argument[]];

function cursorOf(
  { partitions }: Calls,
  partition: number,
  next: readonly Argument[] | undefined,
): string | undefined {
  if (next !== undefined) return JSON.stringify([partition, next]);
  return partition + 1 < partitions ? JSON.stringify([partition + 1, []]) : undefined;
}

function noteIn(reply: Reply): string | undefined {
  const note = textIn(reply);
  return note === "" ? undefined : note;
}

async function again(
  calls: Calls,
  operation: Operation,
  partition: number,
  args: readonly Argument[],
): Promise<Reply> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await calls.call(operation, partition, args);
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError) || attempt === attemptsMax) throw error;
    }
  }
}

/** Tokens of a partition are congruent to its number: each gets the first one that is no lower. */
async function raiseToken(calls: Calls, token: number): Promise<void> {
  const { partitions } = calls;
  await settleAll(
    Array.from({ length: partitions }, (_, partition) => {
      const raised = Math.ceil((token - partition) / partitions) * partitions + partition;
      return again(calls, "raise_token", partition, [Math.max(0, raised)]);
    }),
  );
}

function isLive({ deadline }: Piece, now: number): boolean {
  return deadline === never || deadline > now;
}

const readers: Readonly<Record<PieceTable, ReadPart>> = {
  values: readValues,
  arrays: readArrays,
  filters: readMembers,
};

async function readValues(
  calls: Calls,
  partition: number,
  [after = ""]: readonly Argument[],
  rowsMax: number,
): Promise<PartPage> {
  const reply = listIn(await calls.call("piece_values", partition, [after, rowsMax]));
  const now = numberIn(reply[1]);
  const pieces: ValuePiece[] = [];
  for (let index = 2; index < reply.length; index += 3) {
    const [key, value, deadline] = reply.slice(index, index + 3);
    pieces.push({
      table: "values",
      key: textIn(key),
      value: storedIn(value),
      deadline: deadlineIn(deadline),
    });
  }
  const last = pieces.at(-1)?.key;
  const next = flagIn(reply[0]) || last === undefined ? undefined : [last];
  return { pieces: pieces.filter((piece) => isLive(piece, now)), now, next };
}

async function readArrays(
  calls: Calls,
  partition: number,
  [begun = "", position = 0]: readonly Argument[],
  rowsMax: number,
): Promise<PartPage> {
  const args = [begun, position, rowsMax];
  const reply = listIn(await calls.call("piece_arrays", partition, args));
  const [key, first, now, ...found] = reply;
  const pieces = found.map((each): ArrayPiece => {
    const [name, deadline, length, offset, elements] = listIn(each);
    return {
      table: "arrays",
      key: textIn(name),
      deadline: deadlineIn(deadline),
      first: numberIn(offset),
      elements: listIn(elements).map(storedIn),
      length: numberIn(length),
    };
  });
  const behind = textIn(key);
  const next = behind === "" ? undefined : [behind, numberIn(first)];
  return { pieces, now: numberIn(now), next };
}

async function readMembers(
  calls: Calls,
  partition: number,
  after: readonly Argument[],
  rowsMax: number,
): Promise<PartPage> {
  const reply = listIn(await calls.call("piece_members", partition, [rowsMax, ...after]));
  const now = numberIn(reply[1]);
  const pieces: MemberPiece[] = [];
  for (let index = 2; index < reply.length; index += 3) {
    const [bucket, item] = reply.slice(index, index + 2).map(textIn) as [string, string];
    const deadline = deadlineIn(reply[index + 2]);
    pieces.push({ table: "filters", bucket, item, deadline });
  }
  const live = pieces.filter((piece) => isLive(piece, now));
  const last = pieces.at(-1);
  if (flagIn(reply[0]) || last === undefined) return { pieces: live, now, next: undefined };
  const { bucket, item } = last;
  return { pieces: live, now, next: [bucket, textIn(reply.at(-1)), item] };
}

function putGroup(calls: Calls, { table, partition, items }: PieceGroup): Promise<Reply>[] {
  if (table !== "arrays") {
    return [
      again(
        calls,
        table === "values" ? "put_values" : "put_members",
        partition,
        items.flatMap(putArguments),
      ),
    ];
  }
  // No page holds two pieces of one array.
  return items.map((piece) => again(calls, "put_elements", partition, putArguments(piece)));
}

function putArguments(piece: Piece): Argument[] {
  const { deadline } = piece;
  if (piece.table === "filters") {
    return [piece.bucket, piece.item, deadline === never ? "inf" : deadline];
  }
  const until = deadline === never ? "" : deadline;
  if (piece.table === "values") return [piece.key, argumentOf(piece.value), until];
  return [piece.key, until, piece.first, ...piece.elements.map(argumentOf)];
}

/** What is not known to be JSON is checked each time it is handed out for the last time. */
function argumentOf(value: Stored): Argument {
  return valueArgument(value, typeof value === "string" && isJson(value) ? "j" : "t");
}

function dropGroup(calls: Calls, { table, partition, items }: PieceGroup): Promise<Reply> {
  if (table === "filters") {
    return again(calls, "drop_members", partition, items.flatMap(soughtArguments));
  }
  return again(calls, "drop_keys", partition, items.map(placeOf));
}
