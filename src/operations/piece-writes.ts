// Piece writes: pieces into a store, again and again with the same result (pieces.ts), and the note of
// a copy that is under way.

import { never, type Transaction, type View } from "../engine/engine.js";
import { copyNoteName } from "../engine/tables.js";
import { dropList, type ListSpan, newSpan, parseSpan, putSpan } from "./list-rows.js";
import { dropValue, isLive, putValue } from "./live.js";
import { memberKey } from "./members.js";
import { type ArrayPiece, lastToken, type Piece, type ValuePiece } from "./pieces.js";

/** Writes pieces over what is in their places; claims on values stay. */
export function putPieces(transaction: Transaction, pieces: readonly Piece[]): void {
  for (const piece of pieces) {
    if (piece.table === "values") putValuePiece(transaction, piece);
    else if (piece.table === "arrays") putElements(transaction, piece);
    else {
      transaction.members.put(memberKey(piece), "", piece.deadline);
    }
  }
}

function putValuePiece(transaction: Transaction, { key, value, deadline }: ValuePiece): void {
  dropArray(transaction, key);
  const row = transaction.values.get(key);
  const isThere = row !== undefined && isLive(transaction, row);
  if (row !== undefined && !isThere) dropValue(transaction, key);
  putValue(transaction, key, isThere ? row : undefined, value, deadline);
}

function putElements(transaction: Transaction, piece: ArrayPiece): void {
  const { key, first, elements, length, deadline } = piece;
  const span = first === 0 ? beginArray(transaction, piece) : presentSpan(transaction, key);
  if (span === undefined || span.tail - span.head < first) return;
  const { id, head } = span;
  const end = head + first + elements.length;
  for (const [offset, element] of elements.entries()) {
    transaction.items.putElement(id, head + first + offset, element);
  }
  const isLast = first + elements.length === length;
  for (let index = end; isLast && index < span.tail; index++) {
    transaction.items.deleteElement(id, index);
  }
  const tail = isLast ? end : Math.max(end, span.tail);
  putSpan(transaction, key, { id, head, tail }, deadline);
}

function presentSpan(transaction: Transaction, key: string): ListSpan | undefined {
  const row = transaction.lists.get(key);
  return row !== undefined && isLive(transaction, row) ? parseSpan(row.value) : undefined;
}

/** The span that takes the first elements: a longer array goes as a whole, which costs no time. */
function beginArray(transaction: Transaction, { key, length }: ArrayPiece): ListSpan {
  if (transaction.values.has(key)) dropValue(transaction, key);
  const span = presentSpan(transaction, key);
  if (span !== undefined && span.tail - span.head <= length) return span;
  dropArray(transaction, key);
  return newSpan(transaction);
}

function dropArray(transaction: Transaction, key: string): void {
  const row = transaction.lists.size > 0 ? transaction.lists.get(key) : undefined;
  if (row !== undefined) dropList(transaction, key, row);
}

/** Removes what is in the places of pieces: of an array everything. */
export function dropPieces(transaction: Transaction, pieces: readonly Piece[]): void {
  for (const piece of pieces) {
    if (piece.table === "filters") transaction.members.delete(memberKey(piece));
    else if (piece.table === "arrays") dropArray(transaction, piece.key);
    else if (transaction.values.has(piece.key)) dropValue(transaction, piece.key);
  }
}

/** Makes every later token higher than `token`. */
export function raiseToken(transaction: Transaction, token: number): void {
  if (lastToken(transaction) < token) transaction.counters.put("token", `${token}`, never);
}

// The note of a copy under way lies among the counters, where no operation on values sees it.

export interface NoteRequest {
  readonly expected: string | undefined;
  /** undefined: remove it. */
  readonly note: string | undefined;
}

export function copyNote(view: View): string | undefined {
  return view.counters.get(copyNoteName)?.value as string | undefined;
}

/** Replaces the note if it is the expected one; the note that was there before. */
export function swapNote(
  transaction: Transaction,
  { expected, note }: NoteRequest,
): string | undefined {
  const present = copyNote(transaction);
  if (present !== expected) return present;
  if (note === undefined) transaction.counters.delete(copyNoteName);
  else transaction.counters.put(copyNoteName, note, never);
  return present;
}
