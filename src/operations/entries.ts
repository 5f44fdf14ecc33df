// Entries: values by key, alone and in batches.

import { never, type Row, type Transaction, type View } from "../engine/engine.js";
import type { Stored } from "../engine/stored.js";
import { requireClaim } from "./claim-rows.js";
import { checkValue, dropValue, findValue, isLive, putValue, takeValue } from "./live.js";
import type {
  EntriesRequest,
  Guard,
  KeyRequest,
  KeysRequest,
  PrefixDeleteRequest,
  ReplaceOptions,
  TakeRequest,
  ValueRequest,
} from "./requests.js";

/** The deadline of a value that replaces the one in `row`. */
export function replacedDeadline(
  transaction: Transaction,
  row: Row | undefined,
  options: ReplaceOptions | undefined,
): number {
  if (options === undefined) return never;
  if (options.ttl !== undefined) return transaction.now + options.ttl;
  return options.keepTtl === true && row !== undefined ? row.deadline : never;
}

export function getValue(view: View, key: string): Stored | undefined {
  const row = findValue(view, key);
  return row === undefined ? undefined : row.value;
}

export function getValues(view: View, keys: readonly string[]): (Stored | undefined)[] {
  return keys.map((key) => getValue(view, key));
}

export function setValue(transaction: Transaction, request: ValueRequest): void {
  const { key, options } = request;
  if (options?.claim !== undefined) requireClaim(transaction, options.claim);
  const row = takeValue(transaction, key);
  putValue(transaction, key, row, request.value, replacedDeadline(transaction, row, options));
}

export function setValues(transaction: Transaction, request: EntriesRequest): void {
  const { entries, options } = request;
  if (options?.claim !== undefined) requireClaim(transaction, options.claim);
  for (const { key, value } of entries) {
    const row = takeValue(transaction, key);
    putValue(transaction, key, row, value, replacedDeadline(transaction, row, options));
  }
}

/** Removes a value; false when there was none. */
export function deleteValue(transaction: Transaction, request: KeyRequest): boolean {
  if (request.options?.claim !== undefined) requireClaim(transaction, request.options.claim);
  if (takeValue(transaction, request.key) === undefined) return false;
  dropValue(transaction, request.key);
  return true;
}

/** How many of the keys were there; a key that occurs twice is there once. */
export function deleteValues(transaction: Transaction, request: KeysRequest): number {
  if (request.options?.claim !== undefined) requireClaim(transaction, request.options.claim);
  let deleted = 0;
  for (const key of request.keys) {
    if (takeValue(transaction, key) === undefined) continue;
    dropValue(transaction, key);
    deleted++;
  }
  return deleted;
}

/** Removes the first `limit` values of a prefix. Needs exact counts: run it on reaped tables. */
export function deletePrefix(
  transaction: Transaction,
  request: PrefixDeleteRequest,
): { deleted: number; done: boolean } {
  if (request.options?.claim !== undefined) requireClaim(transaction, request.options.claim);
  const { start, end } = transaction.values.prefixRange(request.prefix);
  const keys = transaction.values.slice(start, Math.min(end, start + request.limit));
  for (const key of keys) dropValue(transaction, key);
  return { deleted: keys.length, done: keys.length === end - start };
}

/** Whether the key is there, as a value or as an array. */
export function hasKey(view: View, key: string): boolean {
  const row = view.values.get(key) ?? view.lists.get(key);
  return row !== undefined && isLive(view, row);
}

/** Removes a value and gives it back. */
export function fetchRemove(transaction: Transaction, request: TakeRequest): Stored | undefined {
  if (request.options?.claim !== undefined) requireClaim(transaction, request.options.claim);
  const value = takeValue(transaction, request.key)?.value;
  if (value === undefined) return undefined;
  checkValue(request, request.key, value);
  dropValue(transaction, request.key);
  return value;
}

/** Empties the store; tokens and ids go on rising. */
export function clear(transaction: Transaction, options: Guard | undefined): void {
  if (options?.claim !== undefined) requireClaim(transaction, options.claim);
  transaction.values.clear();
  transaction.lists.clear();
  transaction.items.clear();
  transaction.claims.clear();
  transaction.members.clear();
  transaction.garbage.clear();
  transaction.free.clear();
}
