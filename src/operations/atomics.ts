// Atomics: read-modify-write operations on one value.

import { withKey } from "../base/errors.js";
import { never, type Transaction } from "../engine/engine.js";
import type { Stored } from "../engine/stored.js";
import { requireClaim } from "./claim-rows.js";
import { addToCounter, type CounterSum } from "./counter.js";
import { replacedDeadline } from "./entries.js";
import { checkValue, dropValue, putValue, takeValue } from "./live.js";
import type {
  CompareDeleteRequest,
  CompareSwapRequest,
  CreateOptions,
  Guard,
  IncrementRequest,
  ReplaceRequest,
  ValueRequest,
} from "./requests.js";

/** What a comparison met: `current` is undefined when the key was absent. */
export interface Comparison {
  readonly matched: boolean;
  readonly current: Stored | undefined;
}

const matched: Comparison = { matched: true, current: undefined };

function guard(transaction: Transaction, options: Guard | undefined): void {
  if (options?.claim !== undefined) requireClaim(transaction, options.claim);
}

export function createdDeadline(
  transaction: Transaction,
  options: CreateOptions | undefined,
): number {
  return options?.ttl === undefined ? never : transaction.now + options.ttl;
}

function sumOf(key: string, stored: Stored | undefined, delta: number): CounterSum {
  try {
    return addToCounter(stored, delta);
  } catch (error) {
    throw withKey(error, key);
  }
}

/** Adds to a counter; an absent one starts at 0 and takes the `ttl`, an existing one keeps its own. */
export function increment(transaction: Transaction, request: IncrementRequest): number {
  const { key, delta, options } = request;
  guard(transaction, options);
  const row = takeValue(transaction, key);
  const sum = sumOf(key, row?.value, delta);
  const deadline = row === undefined ? createdDeadline(transaction, options) : row.deadline;
  putValue(transaction, key, row, sum.text, deadline);
  return sum.value;
}

export function getOrSet(
  transaction: Transaction,
  request: ValueRequest,
): { value: Stored; loaded: boolean } {
  const { key, value, options } = request;
  guard(transaction, options);
  const row = takeValue(transaction, key);
  if (row !== undefined) return { value: row.value, loaded: true };
  putValue(transaction, key, undefined, value, replacedDeadline(transaction, undefined, options));
  return { value, loaded: false };
}

/** Replaces a value and gives back the former one, undefined when there was none. */
export function swap(transaction: Transaction, request: ReplaceRequest): Stored | undefined {
  const { key, value, options } = request;
  guard(transaction, options);
  const row = takeValue(transaction, key);
  const previous = row?.value;
  if (previous !== undefined) checkValue(request, key, previous);
  putValue(transaction, key, row, value, replacedDeadline(transaction, row, options));
  return previous;
}

export function compareAndSwap(transaction: Transaction, request: CompareSwapRequest): Comparison {
  const { key, expected, value, options } = request;
  guard(transaction, options);
  const row = takeValue(transaction, key);
  if (row === undefined) {
    if (expected !== undefined) return { matched: false, current: undefined };
  } else if (expected === undefined || !request.same(row.value, expected)) {
    return { matched: false, current: row.value };
  }
  putValue(transaction, key, row, value, replacedDeadline(transaction, row, options));
  return matched;
}

export function compareAndDelete(
  transaction: Transaction,
  request: CompareDeleteRequest,
): Comparison {
  const { key, expected } = request;
  guard(transaction, request.options);
  const row = takeValue(transaction, key);
  if (row === undefined) return { matched: false, current: undefined };
  if (!request.same(row.value, expected)) return { matched: false, current: row.value };
  dropValue(transaction, key);
  return matched;
}
