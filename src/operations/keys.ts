// Keys: what stands under a name, of whichever kind it is.
//
// A name is that of a value or an array (never of both), or else that of a filter. A filter that has
// the name of a value or an array is hidden by it: it is no key of its own until that is gone.
// Whoever removes or moves a name, removes or moves all of it.

import type { Row, Transaction, View } from "../engine/engine.js";
import type { Stored } from "../engine/stored.js";
import { copyItems, dropItems, firstItem, moveItems, putItemsDeadline } from "./items.js";
import { copyArray, dropList } from "./list-rows.js";
import { dropValue, isLive, putValue } from "./live.js";

export type Kind = "value" | "array" | "filter";

export function liveValue(view: View, key: string): Row | undefined {
  const row = view.values.get(key);
  return row !== undefined && isLive(view, row) ? row : undefined;
}

export function liveArray(view: View, key: string): Row | undefined {
  if (view.lists.size === 0) return undefined;
  const row = view.lists.get(key);
  return row !== undefined && isLive(view, row) ? row : undefined;
}

/** The kind and the row of a key; of a filter the row of its first item. */
export function findKey(
  view: View,
  key: string,
): { readonly kind: Kind; readonly row: Row } | undefined {
  const value = liveValue(view, key);
  if (value !== undefined) return { kind: "value", row: value };
  const array = liveArray(view, key);
  if (array !== undefined) return { kind: "array", row: array };
  const item = firstItem(view, key);
  return item === undefined ? undefined : { kind: "filter", row: item };
}

export function kindOf(view: View, key: string): Kind | undefined {
  return findKey(view, key)?.kind;
}

/** Removes what has expired under a key, so that nothing of it is inherited. */
export function vacate(transaction: Transaction, key: string): void {
  const value = transaction.values.get(key);
  if (value !== undefined && !isLive(transaction, value)) dropValue(transaction, key);
  if (transaction.lists.size === 0) return;
  const array = transaction.lists.get(key);
  if (array !== undefined && !isLive(transaction, array)) dropList(transaction, key, array);
}

/**
 * Writes a value; `row` is the live one that is there, undefined when the key is not there at all.
 */
export function writeValue(
  transaction: Transaction,
  key: string,
  row: Row | undefined,
  value: Stored,
  deadline: number,
): void {
  if (row === undefined) vacate(transaction, key);
  putValue(transaction, key, row, value, deadline);
}

/** Writes a value over whatever stands under the key. A claim on a value stays. */
export function overwrite(
  transaction: Transaction,
  key: string,
  value: Stored,
  deadline: number,
): void {
  const row = transaction.values.get(key);
  if (row !== undefined && isLive(transaction, row)) {
    putValue(transaction, key, row, value, deadline);
    return;
  }
  if (row !== undefined) dropValue(transaction, key);
  dropArrayAndItems(transaction, key);
  putValue(transaction, key, undefined, value, deadline);
}

function dropArrayAndItems(transaction: Transaction, key: string): void {
  if (transaction.lists.size > 0) {
    const array = transaction.lists.get(key);
    if (array !== undefined) dropList(transaction, key, array);
  }
  dropItems(transaction, key);
}

/** Removes whatever stands under a key; whether it was there. O(log n), of a filter O(items). */
export function dropKey(transaction: Transaction, key: string): boolean {
  const found = kindOf(transaction, key) !== undefined;
  if (transaction.values.has(key)) dropValue(transaction, key);
  dropArrayAndItems(transaction, key);
  return found;
}

/** Gives a key that is there another deadline. O(1), of a filter O(items). */
export function putDeadline(transaction: Transaction, key: string, deadline: number): void {
  const value = liveValue(transaction, key);
  if (value !== undefined) {
    transaction.values.put(key, value.value, deadline);
    return;
  }
  const array = liveArray(transaction, key);
  if (array !== undefined) transaction.lists.put(key, array.value, deadline);
  else putItemsDeadline(transaction, key, deadline);
}

/**
 * Gives a key that is there another name; what stood under that one goes. A claim ends with the old
 * name. O(1), of a filter O(items).
 */
export function moveKey(transaction: Transaction, from: string, to: string): void {
  dropKey(transaction, to);
  const value = liveValue(transaction, from);
  if (value !== undefined) {
    const { value: content, deadline } = value;
    dropValue(transaction, from);
    putValue(transaction, to, undefined, content, deadline);
  }
  vacate(transaction, from);
  const array = liveArray(transaction, from);
  if (array !== undefined) {
    const { value: span, deadline } = array;
    transaction.lists.delete(from);
    transaction.lists.put(to, span, deadline);
  }
  moveItems(transaction, from, to);
}

/** Puts a copy of a key that is there under another name; what stood there goes. O(size). */
export function copyKey(transaction: Transaction, from: string, to: string): void {
  dropKey(transaction, to);
  const value = liveValue(transaction, from);
  if (value !== undefined) putValue(transaction, to, undefined, value.value, value.deadline);
  const array = liveArray(transaction, from);
  if (array !== undefined) copyArray(transaction, array, to);
  copyItems(transaction, from, to);
}

/** The moment at which a key vanishes, `never`, or undefined when it is not there. */
export function deadlineOf(view: View, key: string): number | undefined {
  return findKey(view, key)?.row.deadline;
}
