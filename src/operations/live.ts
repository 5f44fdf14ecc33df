// Live rows: which rows an operation may see, and how a row leaves.
//
// A row whose deadline has come is gone for every operation, whether or not anything has removed
// it yet. Reading operations look past it; writing operations remove it first, together with what
// hangs on it, so that a new value under an old key starts with nothing inherited.
//
// The clock is read only when a row has a deadline: ordinary keys never pay for it.

import { WrongTypeError, withKey } from "../base/errors.js";
import { never, type Row, type Transaction, type View } from "../engine/engine.js";
import type { Stored } from "../engine/stored.js";
import { dropList } from "./list-rows.js";

export function isLive(view: View, row: Row): boolean {
  return row.deadline === never || row.deadline > view.now;
}

function refuseList(key: string): never {
  throw new WrongTypeError(`key holds an array, not a value`, {
    key,
    hint: "use append, prepend, pop, popFirst, range, length or deleteArray on arrays",
  });
}

export function refuseValue(key: string): never {
  throw new WrongTypeError(`key holds a value, not an array`, {
    key,
    hint: "delete the value first, or use another key for the array",
  });
}

/** @throws what `check` throws, with the key. */
export function checkValue(
  { check }: { readonly check: (value: Stored) => void },
  key: string,
  value: Stored,
): void {
  try {
    check(value);
  } catch (error) {
    throw withKey(error, key);
  }
}

/** The live value row of a key, or undefined; an array under the key is refused. */
export function findValue(view: View, key: string): Row | undefined {
  const row = view.values.get(key);
  if (row !== undefined) return isLive(view, row) ? row : undefined;
  if (view.lists.size > 0) {
    const list = view.lists.get(key);
    if (list !== undefined && isLive(view, list)) refuseList(key);
  }
  return undefined;
}

/** As `findValue`, for an operation that is going to write: expired rows are removed. */
export function takeValue(transaction: Transaction, key: string): Row | undefined {
  const row = transaction.values.get(key);
  if (row !== undefined) {
    if (isLive(transaction, row)) return row;
    dropValue(transaction, key);
  } else if (transaction.lists.size > 0) {
    const list = transaction.lists.get(key);
    if (list !== undefined) {
      if (isLive(transaction, list)) refuseList(key);
      dropList(transaction, key, list);
    }
  }
  return undefined;
}

/** Writes a value and keeps `free` exact; `row` is what `takeValue` gave for the key. */
export function putValue(
  transaction: Transaction,
  key: string,
  row: Row | undefined,
  value: Row["value"],
  deadline: number,
): void {
  transaction.values.put(key, value, deadline);
  if (row === undefined) transaction.free.add(key);
}

/** Removes a value with its claim. */
export function dropValue(transaction: Transaction, key: string): void {
  transaction.values.delete(key);
  transaction.free.delete(key);
  if (transaction.claims.size > 0) transaction.claims.delete(key);
}
