// Pieces: what copies from store to store read, look for, write and remove.

import { never, type View } from "../../../engine/engine.js";
import type { Stored } from "../../../engine/stored.js";
import { parseSpan } from "../../../operations/list-rows.js";
import { elementOf } from "../../../operations/lists.js";
import * as writes from "../../../operations/piece-writes.js";
import {
  type ArrayPiece,
  findPieces,
  type MemberPiece,
  type Piece,
  type PiecePage,
  type PieceTable,
  readPieces,
  type ValuePiece,
} from "../../../operations/pieces.js";
import {
  type FunctionBodies,
  flag,
  query,
  type ReadRun,
  read,
  type WriteRun,
  write,
} from "../body.js";
import { deadlineText, type FunctionCall, rowsMax } from "../function-call.js";
import type { FunctionReply } from "../function-reply.js";
import { arrayLength } from "./arrays.js";
import { itemBehind } from "./dumps.js";
import { lengthOf, pageBytesMax } from "./queries.js";

/**
 * A page that has at least one piece unless it is the last one: the client goes on behind the piece
 * that it has got last.
 */
function pageBehind(
  view: View,
  table: "values" | "filters",
  after: string,
  rowsMax: number,
): PiecePage {
  let cursor = after;
  while (true) {
    const page = readPieces(view, { table, cursor, rowsMax, bytesMax: pageBytesMax });
    if (page.cursor === undefined || isLast(view, table, page.cursor)) {
      return { ...page, cursor: undefined };
    }
    if (page.pieces.length > 0) return page;
    cursor = page.cursor;
  }
}

function isLast(view: View, table: PieceTable, cursor: string): boolean {
  const rows = table === "values" ? view.values : view.members;
  return rows.rank(cursor) + 1 >= rows.size;
}

function valueRows(call: FunctionCall, { pieces }: PiecePage): FunctionReply[] {
  return (pieces as ValuePiece[]).flatMap(({ key, value, deadline }) => [
    key,
    call.forms.show(value),
    deadlineText(deadline, ""),
  ]);
}

// after, limit
const dumpValues: ReadRun = (view, call) => {
  const page = pageBehind(view, "values", call.sought(0), call.rows(1));
  return [flag(page.cursor === undefined), ...valueRows(call, page)];
};

// after, limit
const pieceValues: ReadRun = (view, call) => {
  const page = pageBehind(view, "values", call.sought(0), call.rows(1));
  return [flag(page.cursor === undefined), page.now, ...valueRows(call, page)];
};

// key of an array that has been begun or "", position in it, limit
const pieceArrays: ReadRun = (view, call) => {
  const [begun, position, rowsMax] = [call.sought(0), call.count(1), call.rows(2)];
  const cursor = begun === "" ? "" : `${position} ${begun}`;
  const page = readPieces(view, { table: "arrays", cursor, rowsMax, bytesMax: pageBytesMax });
  const [, next = "0", key = ""] = /^(\d+) (.*)$/s.exec(page.cursor ?? "") ?? [];
  const found = (page.pieces as ArrayPiece[]).map((piece) => [
    piece.key,
    deadlineText(piece.deadline, ""),
    piece.length,
    piece.first,
    piece.elements.map((element) => call.forms.show(element)),
  ]);
  return [key, Number(next), page.now, ...found];
};

// limit, then bucket, deadline and name of the last item (all or none)
const pieceMembers: ReadRun = (view, call) => {
  const after = call.length > 1 ? itemBehind(call, 1, 3) : "";
  const page = pageBehind(view, "filters", after, call.rows(0));
  const rows = (page.pieces as MemberPiece[]).flatMap(({ bucket, item, deadline }) => [
    bucket,
    item,
    deadlineText(deadline, "inf"),
  ]);
  return [flag(page.cursor === undefined), page.now, ...rows];
};

// keys; of the first ones when they are large
const findValues: ReadRun = (view, call) => {
  const reply: FunctionReply[] = [view.now];
  let bytes = 0;
  for (const key of call.soughtKeys(0)) {
    const [piece] = findPieces(view, [valuePiece(key)]).pieces;
    const value = piece?.table === "values" ? call.forms.show(piece.value) : "a";
    if (piece === undefined) reply.push("", "");
    else reply.push(value, deadlineText(piece.deadline, ""));
    bytes += lengthOf(value);
    if (bytes >= pageBytesMax) break;
  }
  return reply;
};

/** Of the array that is asked for, and nothing of whatever else is there. */
function foundArray(
  view: View,
  call: FunctionCall,
  [key, first, count]: readonly [string, number, number],
  bytesMax: number,
): { reply: FunctionReply; bytes: number } {
  const [piece] = findPieces(view, [arrayPiece(key, { first })]).pieces;
  if (piece === undefined) return { reply: [""], bytes: 0 };
  if (piece.table !== "arrays") return { reply: ["v"], bytes: 0 };
  const elements: FunctionReply[] = [];
  let bytes = 0;
  const { id, head } = parseSpan(view.lists.get(key)?.value as Stored);
  for (let at = first; at < Math.min(piece.length, first + count) && bytes < bytesMax; at++) {
    const element = call.forms.show(elementOf(view, id, head + at));
    elements.push(element);
    bytes += lengthOf(element);
  }
  return { reply: ["a", deadlineText(piece.deadline, ""), piece.length, elements], bytes };
}

// key, position, number of elements, in turn; of the first ones when they are large
const findArrays: ReadRun = (view, call) => {
  let asked = 0;
  const sought = call.groups(0, 3, (index): [string, number, number] => {
    const [key, first, count] = [call.sought(index), call.count(index + 1), call.limit(index + 2)];
    asked += count;
    if (asked > rowsMax) call.refuse(`at most ${rowsMax} elements`);
    return [key, first, count];
  });
  const found: FunctionReply[] = [view.now];
  let left = pageBytesMax;
  for (const each of sought) {
    if (left <= 0) break;
    const { reply, bytes } = foundArray(view, call, each, left);
    found.push(reply);
    left -= bytes;
  }
  return found;
};

// bucket and item in turn
const findMembers: ReadRun = (view, call) => {
  const found = findPieces(
    view,
    call.groups(0, 2, (index) => memberPiece(call, index, never)),
  );
  const deadlines = found.pieces.map((piece) =>
    piece === undefined ? "" : deadlineText(piece.deadline, "inf"),
  );
  return [found.now, ...deadlines];
};

function valuePiece(key: string): ValuePiece {
  return { table: "values", key, value: "", deadline: never };
}

function arrayPiece(
  key: string,
  { first = 0, elements = [], deadline = never }: Partial<ArrayPiece>,
): ArrayPiece {
  return { table: "arrays", key, deadline, first, elements, length: first + elements.length };
}

function memberPiece(call: FunctionCall, index: number, deadline: number): MemberPiece {
  return { table: "filters", bucket: call.bucket(index), item: call.item(index + 1), deadline };
}

// key, value and deadline in turn
const putValues: WriteRun = (transaction, call) => {
  const pieces = call.groups(0, 3, (index): Piece => {
    const [key, value] = [call.key(index), call.copiedValue(index + 1)];
    return { table: "values", key, value, deadline: call.deadline(index + 2) };
  });
  writes.putPieces(transaction, pieces);
  return 1;
};

// key, deadline, position, then elements: the array ends with them
const putElements: WriteRun = (transaction, call) => {
  call.grouped(3, 1);
  const [key, deadline, first] = [call.key(0), call.deadline(1), call.count(2)];
  const elements = call.rest(3).map((_, offset) => call.copiedValue(3 + offset));
  if (arrayLength(transaction, key) < first) return 0;
  writes.putPieces(transaction, [arrayPiece(key, { first, elements, deadline })]);
  call.pushed.push(key);
  return 1;
};

// bucket, item and deadline ("inf" for never) in turn
const putMembers: WriteRun = (transaction, call) => {
  const pieces = call.groups(0, 3, (index) =>
    memberPiece(call, index, call.deadline(index + 2, "inf")),
  );
  writes.putPieces(transaction, pieces);
  return 1;
};

export const pieceBodies: FunctionBodies = {
  dump_values: query(dumpValues),
  piece_values: query(pieceValues),
  piece_arrays: query(pieceArrays),
  piece_members: query(pieceMembers),
  find_values: read(findValues),
  find_arrays: read(findArrays),
  find_members: read(findMembers),
  put_values: write(putValues),
  put_elements: write(putElements),
  put_members: write(putMembers),

  // keys; removes whatever is under them
  drop_keys: write((transaction, call) => {
    const pieces = call.keys(0).flatMap((key) => [valuePiece(key), arrayPiece(key, {})]);
    writes.dropPieces(transaction, pieces);
    return 1;
  }),

  // bucket and item in turn
  drop_members: write((transaction, call) => {
    const pieces = call.groups(0, 2, (index) => memberPiece(call, index, never));
    writes.dropPieces(transaction, pieces);
    return 1;
  }),

  // token
  raise_token: write((transaction, call) => {
    writes.raiseToken(transaction, call.count(0));
    return 1;
  }),

  copy_note: read((view) => writes.copyNote(view) ?? ""),

  // expected note, note
  swap_note: write((transaction, call) => {
    const request = { expected: call.text(0) || undefined, note: call.text(1) || undefined };
    return writes.swapNote(transaction, request) ?? "";
  }),
};
