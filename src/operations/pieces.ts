// Pieces: what a store holds, in a form that means the same on every backend.
//
// A value, an item of a filter, or neighbouring elements of an array is one piece. How rows lie in
// tables, which ids arrays have and who holds claims stays behind; deadlines are moments and come
// along. Pieces are read page by page in an order of the store's own, and written again and again
// with the same result, so that whoever moves them may stop anywhere and begin anew.
//
// Invariants
// 1. A page gives only what is live, and its cursor goes on behind it, whatever has been written
//    or removed meanwhile.
// 2. A piece of an array is written only where it continues what is there: its elements before it,
//    or none when it is the first. Otherwise nothing changes: the array has expired or was changed,
//    which whoever compares in the end will see.

import type { Row, View } from "../engine/engine.js";
import { lengthOf, type Stored } from "../engine/stored.js";
import { garbageItems, parseSpan } from "./list-rows.js";
import { elementOf } from "./lists.js";
import { isLive } from "./live.js";
import { memberKey, parseMember } from "./members.js";

export interface ValuePiece {
  readonly table: "values";
  readonly key: string;
  readonly value: Stored;
  /** Unix milliseconds, or `never`. */
  readonly deadline: number;
}

export interface ArrayPiece {
  readonly table: "arrays";
  readonly key: string;
  readonly deadline: number;
  /** Position of the first of `elements`. */
  readonly first: number;
  readonly elements: readonly Stored[];
  /** Of the whole array. */
  readonly length: number;
}

export interface MemberPiece {
  readonly table: "filters";
  readonly bucket: string;
  readonly item: string;
  readonly deadline: number;
}

export type Piece = ValuePiece | ArrayPiece | MemberPiece;
export type PieceTable = Piece["table"];
export const pieceTables: readonly PieceTable[] = ["values", "arrays", "filters"];

export interface PageRequest {
  readonly table: PieceTable;
  /** "" begins; otherwise that of the page before. */
  readonly cursor: string;
  /** Values, elements or items. */
  readonly rowsMax: number;
  /** A page ends with the row that reaches it. */
  readonly bytesMax: number;
}

export interface PiecePage {
  /** Possibly none although more follow. */
  readonly pieces: Piece[];
  /** undefined at the end. */
  readonly cursor: string | undefined;
  /** The moment of the page by the clock of the store. */
  readonly now: number;
}

export interface FoundPieces {
  /** What is there in the place of each piece; undefined for nothing. */
  readonly pieces: (Piece | undefined)[];
  readonly now: number;
}

/** How much there is, with what has expired and has not been removed yet. */
export interface PieceCounts {
  readonly values: number;
  /** Of all arrays. */
  readonly elements: number;
  readonly items: number;
}

/** Collects the pieces of a page until it is full. */
class PageBuilder {
  readonly pieces: Piece[] = [];
  readonly #request: PageRequest;
  #rows = 0;
  #bytes = 0;

  constructor(request: PageRequest) {
    this.#request = request;
  }

  get isFull(): boolean {
    return this.#rows >= this.#request.rowsMax || this.#bytes >= this.#request.bytesMax;
  }

  /** Counts a row that was looked at, given or not. */
  charge(bytes: number): void {
    this.#rows++;
    this.#bytes += bytes;
  }
}

export function readPieces(view: View, request: PageRequest): PiecePage {
  const page = new PageBuilder(request);
  const cursor = readers[request.table](view, request, page);
  return { pieces: page.pieces, cursor, now: view.now };
}

type Reader = (view: View, request: PageRequest, page: PageBuilder) => string | undefined;

const readers: Readonly<Record<PieceTable, Reader>> = {
  values: (view, request, page) =>
    readRows(view, "values", request, page, (key, { value, deadline }) => {
      page.charge(key.length + lengthOf(value));
      return { table: "values", key, value, deadline };
    }),
  filters: (view, request, page) =>
    readRows(view, "members", request, page, (key, { deadline }) => {
      page.charge(key.length);
      return { table: "filters", ...parseMember(key), deadline };
    }),
  arrays: readArrays,
};

/** The cursor is the key of the last row looked at. */
function readRows(
  view: View,
  table: "values" | "members",
  { cursor, rowsMax }: PageRequest,
  page: PageBuilder,
  pieceOf: (key: string, row: Row) => Piece,
): string | undefined {
  const rows = view[table];
  const first = rankBehind(rows, cursor);
  for (const key of rows.slice(first, Math.min(rows.size, first + rowsMax))) {
    const row = rows.get(key) as Row;
    const piece = pieceOf(key, row);
    if (isLive(view, row)) page.pieces.push(piece);
    if (page.isFull) return key;
  }
  return undefined;
}

function rankBehind(rows: View["values"], key: string): number {
  return key === "" ? 0 : rows.rank(key) + (rows.has(key) ? 1 : 0);
}

/** The cursor is `<position> <key>`: the next element of an array that has been begun. */
function readArrays(view: View, request: PageRequest, page: PageBuilder): string | undefined {
  const { lists } = view;
  const [, position = "", begun = ""] = /^(\d+) (.*)$/s.exec(request.cursor) ?? [];
  let rank = begun === "" ? 0 : lists.rank(begun);
  let first = begun !== "" && lists.has(begun) ? Number(position) : 0;
  for (; rank < lists.size; rank++) {
    const key = lists.select(rank) as string;
    const row = lists.get(key) as Row;
    const next = isLive(view, row) ? readElements(view, key, row, first, page) : skipArray(page);
    if (next !== undefined) return `${next} ${key}`;
    first = 0;
  }
  return undefined;
}

function skipArray(page: PageBuilder): number | undefined {
  page.charge(0);
  return page.isFull ? Number.MAX_SAFE_INTEGER : undefined;
}

/** Gives what fits into the page; the position behind it when the page is full. */
function readElements(
  view: View,
  key: string,
  row: Row,
  first: number,
  page: PageBuilder,
): number | undefined {
  const { id, head, tail } = parseSpan(row.value);
  const length = tail - head;
  const elements: Stored[] = [];
  while (first + elements.length < length && !page.isFull) {
    const element = elementOf(view, id, head + first + elements.length);
    elements.push(element);
    page.charge(lengthOf(element));
  }
  if (elements.length > 0) {
    page.pieces.push({ table: "arrays", key, deadline: row.deadline, first, elements, length });
  }
  return page.isFull ? first + elements.length : undefined;
}

/**
 * What is in the place of each piece: elements of arrays as far as there are any, and of what is of
 * another kind no more than that it is there.
 */
export function findPieces(view: View, pieces: readonly Piece[]): FoundPieces {
  return { pieces: pieces.map((piece) => findPiece(view, piece)), now: view.now };
}

function findPiece(view: View, piece: Piece): Piece | undefined {
  if (piece.table === "filters") {
    const row = liveRow(view, view.members.get(memberKey(piece)));
    return row === undefined ? undefined : { ...piece, deadline: row.deadline };
  }
  const { key } = piece;
  const value = liveRow(view, view.values.get(key));
  if (value !== undefined) return { table: "values", key, ...value };
  const list = liveRow(view, view.lists.get(key));
  return list === undefined ? undefined : findElements(view, piece, list);
}

function liveRow(view: View, row: Row | undefined): Row | undefined {
  return row !== undefined && isLive(view, row)
    ? { value: row.value, deadline: row.deadline }
    : undefined;
}

function findElements(view: View, piece: ValuePiece | ArrayPiece, row: Row): ArrayPiece {
  const { id, head, tail } = parseSpan(row.value);
  const [first, asked] = piece.table === "arrays" ? [piece.first, piece.elements.length] : [0, 0];
  const elements: Stored[] = [];
  for (let index = head + first; index < Math.min(tail, head + first + asked); index++) {
    elements.push(elementOf(view, id, index));
  }
  const { key } = piece;
  return { table: "arrays", key, deadline: row.deadline, first, elements, length: tail - head };
}

export function countPieces(view: View): PieceCounts {
  return {
    values: view.values.size,
    elements: view.items.size - garbageItems(view),
    items: view.members.size,
  };
}

/** The token that was handed out last; 0 for none. */
export function lastToken(view: View): number {
  return Number(view.counters.get("token")?.value ?? 0);
}
