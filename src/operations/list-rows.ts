// List rows: how an array lies in the tables.
//
//   lists  key             -> "<id> <head> <tail>"
//   items  "<id>:<index>"  -> element, for every head <= index < tail
//
// Elements are numbered; `prepend` counts down from 0 and `append` up, so both ends cost O(1)
// table operations and nothing ever moves. The id is never used again: a large array is removed by
// forgetting its row, and its elements, unreachable from then on, are swept in small steps.
// An array without elements does not exist.

import { never, type Row, type Transaction, type View } from "../engine/engine.js";
import type { Stored } from "../engine/stored.js";
import { touchArray } from "./array-editions.js";
import { nextCount } from "./counters.js";

export interface ListSpan {
  readonly id: number;
  /** Index of the first element. */
  readonly head: number;
  /** Index after the last element. */
  readonly tail: number;
}

// Up to this many elements are removed at once; more are left to the sweep.
const inlineItemsMax = 16;

const minus = "-".charCodeAt(0);
const zero = "0".charCodeAt(0);

export function parseSpan(value: Stored): ListSpan {
  const text = value as string;
  const first = text.indexOf(" ");
  const second = text.indexOf(" ", first + 1);
  return {
    id: integerIn(text, 0, first),
    head: integerIn(text, first + 1, second),
    tail: integerIn(text, second + 1, text.length),
  };
}

/** Every push and pop reads a span: this makes no texts of its parts. */
function integerIn(text: string, start: number, end: number): number {
  const isNegative = text.charCodeAt(start) === minus;
  let value = 0;
  for (let at = isNegative ? start + 1 : start; at < end; at++) {
    value = value * 10 + text.charCodeAt(at) - zero;
  }
  return isNegative ? -value : value;
}

/** The id of the array that an element belongs to, as text. */
export function itemListId(key: string): string {
  return key.slice(0, key.indexOf(":"));
}

export function newSpan(transaction: Transaction): ListSpan {
  return { id: nextCount(transaction, "list"), head: 0, tail: 0 };
}

/** Stores the span of a list whose elements have changed, or removes the list when it is empty. */
export function putSpan(
  transaction: Transaction,
  key: string,
  span: ListSpan,
  deadline: number,
): void {
  touchArray(span.id);
  if (span.head === span.tail) transaction.lists.delete(key);
  else transaction.lists.put(key, `${span.id} ${span.head} ${span.tail}`, deadline);
}

export function dropList(transaction: Transaction, key: string, row: Row): void {
  const span = parseSpan(row.value);
  transaction.lists.delete(key);
  if (span.tail - span.head <= inlineItemsMax) {
    deleteItems(transaction, span.id, span.head, span.tail);
  } else {
    transaction.garbage.put(`${span.id}`, `${span.head} ${span.tail}`, never);
  }
}

/** Puts an array with the same elements and the same deadline under a key that is free. */
export function copyArray(transaction: Transaction, row: Row, to: string): void {
  const { deadline } = row;
  const { id, head, tail } = parseSpan(row.value);
  const copy = { id: nextCount(transaction, "list"), head, tail };
  for (let index = head; index < tail; index++) {
    const value = transaction.items.element(id, index);
    if (value === undefined) throw new Error("an array spans an element that is not there");
    transaction.items.putElement(copy.id, index, value);
  }
  putSpan(transaction, to, copy, deadline);
}

/** Removes up to `limit` elements that nobody can reach any more; false when none is left. */
export function sweepGarbage(transaction: Transaction, limit: number): boolean {
  const id = transaction.garbage.select(0);
  const row = id === undefined ? undefined : transaction.garbage.get(id);
  if (id === undefined || row === undefined) return false;
  const [head = 0, tail = 0] = (row.value as string).split(" ").map(Number);
  const end = Math.min(tail, head + limit);
  deleteItems(transaction, Number(id), head, end);
  if (end < tail) transaction.garbage.put(id, `${end} ${tail}`, never);
  else transaction.garbage.delete(id);
  return transaction.garbage.size > 0;
}

/** Elements that lie in the tables although nobody can reach them any more. */
export function garbageItems(view: View): number {
  const { garbage } = view;
  let items = 0;
  for (const id of garbage.slice(0, garbage.size)) {
    const [head = 0, tail = 0] = `${garbage.get(id)?.value}`.split(" ").map(Number);
    items += tail - head;
  }
  return items;
}

function deleteItems(transaction: Transaction, id: number, head: number, tail: number): void {
  for (let index = head; index < tail; index++) transaction.items.deleteElement(id, index);
}
