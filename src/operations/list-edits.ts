// List edits: what happens to an array between its ends. Each takes the row of an array that is live.
//
// Elements are numbered without gaps, so whatever is added or removed inside moves the elements on
// one side of it: the side that is shorter.

import type { Row, Transaction, View } from "../engine/engine.js";
import type { Stored } from "../engine/stored.js";
import { touchArray } from "./array-editions.js";
import { dropList, type ListSpan, parseSpan, putSpan } from "./list-rows.js";
import { elementOf } from "./lists.js";

export function lengthOf(row: Row): number {
  const { head, tail } = parseSpan(row.value);
  return tail - head;
}

/** The elements at positions from `start` on, `end` excluded; both lie within the array. */
export function elementsBetween(view: View, row: Row, start: number, end: number): Stored[] {
  const { id, head } = parseSpan(row.value);
  const elements: Stored[] = [];
  for (let index = head + start; index < head + end; index++) {
    elements.push(elementOf(view, id, index));
  }
  return elements;
}

/** The element at a position, counted from the end if it is negative. */
export function elementAt(view: View, row: Row, position: number): Stored | undefined {
  const { id, head, tail } = parseSpan(row.value);
  const index = position < 0 ? tail + position : head + position;
  return index < head || index >= tail ? undefined : elementOf(view, id, index);
}

/** Puts an element in the place of another; false when there is none at the position. */
export function replaceElement(
  transaction: Transaction,
  row: Row,
  position: number,
  value: Stored,
): boolean {
  const { id, head, tail } = parseSpan(row.value);
  const index = position < 0 ? tail + position : head + position;
  if (index < head || index >= tail) return false;
  transaction.items.putElement(id, index, value);
  touchArray(id);
  return true;
}

/** Moves the elements from `first` on, `end` excluded, by one place. */
function shift(transaction: Transaction, id: number, first: number, end: number, by: 1 | -1): void {
  const [from, stop] = by === 1 ? [end - 1, first - 1] : [first, end];
  for (let index = from; index !== stop; index -= by) {
    const value = elementOf(transaction, id, index);
    transaction.items.putElement(id, index + by, value);
  }
}

/** Puts an element before the one at `position`; the new length. O(distance from the nearer end). */
export function insertElement(
  transaction: Transaction,
  key: string,
  row: Row,
  position: number,
  value: Stored,
): number {
  const { id, head, tail } = parseSpan(row.value);
  const { deadline } = row;
  const index = head + position;
  const atHead = index - head < tail - index;
  if (atHead) shift(transaction, id, head, index, -1);
  else shift(transaction, id, index, tail, 1);
  transaction.items.putElement(id, atHead ? index - 1 : index, value);
  const span: ListSpan = atHead ? { id, head: head - 1, tail } : { id, head, tail: tail + 1 };
  putSpan(transaction, key, span, deadline);
  return span.tail - span.head;
}

/** Removes the elements at some positions, which ascend. O(length). */
export function removeElements(
  transaction: Transaction,
  key: string,
  row: Row,
  positions: readonly number[],
): void {
  const [first] = positions;
  if (first === undefined) return;
  const { id, head, tail } = parseSpan(row.value);
  const { deadline } = row;
  let next = head + first;
  let removed = 0;
  for (let index = next; index < tail; index++) {
    if (index - head === positions[removed]) {
      removed++;
      continue;
    }
    const value = elementOf(transaction, id, index);
    transaction.items.putElement(id, next++, value);
  }
  for (let index = next; index < tail; index++) transaction.items.deleteElement(id, index);
  putSpan(transaction, key, { id, head, tail: next }, deadline);
}

/** Keeps the elements from `start` on, `end` excluded, and no others. O(elements removed). */
export function trimArray(
  transaction: Transaction,
  key: string,
  row: Row,
  start: number,
  end: number,
): void {
  if (start >= end) {
    dropList(transaction, key, row);
    return;
  }
  const { id, head, tail } = parseSpan(row.value);
  const { deadline } = row;
  const span: ListSpan = { id, head: head + start, tail: head + end };
  for (let index = head; index < span.head; index++) transaction.items.deleteElement(id, index);
  for (let index = span.tail; index < tail; index++) transaction.items.deleteElement(id, index);
  putSpan(transaction, key, span, deadline);
}
