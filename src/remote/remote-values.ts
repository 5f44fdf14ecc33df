// Remote values: operations by key, alone and in batches.
//
// A batch is grouped by partition; each group is one atomic call. When one group is refused the
// others may have been carried out: the capability `atomicBatches` says so.

import { InvalidOptionsError, UnexpectedStoreOutputError } from "../base/errors.js";
import type { Stored } from "../engine/stored.js";
import type { Comparison } from "../operations/atomics.js";
import type * as Request from "../operations/requests.js";
import { batchKeysMax, type Calls, settleAll } from "./calls.js";
import type { Argument, Reply } from "./connection.js";
import { expiryArgument } from "./expiry-argument.js";
import type { Subject } from "./remote-errors.js";
import { flagIn, foundIn, listIn, numberIn, textIn } from "./replies.js";

export function subjectOf(key: string, options: Request.Guard | undefined): Subject {
  return { key, claim: options?.claim };
}

/** @throws InvalidOptionsError for a batch that would keep the server from others for too long. */
export function checkBatch(keys: number): void {
  if (keys <= batchKeysMax) return;
  throw new InvalidOptionsError(
    `a batch on this backend has at most ${batchKeysMax} keys, so that it is atomic without blocking the server, got ${keys}`,
    { hint: "divide it" },
  );
}

export async function get(calls: Calls, key: string): Promise<Stored | undefined> {
  return foundIn(await calls.call("get", calls.partitionOf(key), [key], { key }));
}

export async function getMany(
  calls: Calls,
  keys: readonly string[],
): Promise<(Stored | undefined)[]> {
  if (calls.partitions === 1 && keys.length <= batchKeysMax) {
    return (await valuesOf(calls, 0, keys)).map(foundIn);
  }
  const values = new Array<Stored | undefined>(keys.length);
  const groups = calls.grouped(keys, (key) => key);
  const parts = groups.flatMap(({ partition, items, places }) =>
    chunksOf(items, batchKeysMax).map(async (some, index) => {
      const replies = await valuesOf(calls, partition, some);
      for (const [offset, reply] of replies.entries()) {
        values[places[index * batchKeysMax + offset] as number] = foundIn(reply);
      }
    }),
  );
  await settleAll(parts);
  return values;
}

/** Large values come in several calls. */
async function valuesOf(
  calls: Calls,
  partition: number,
  keys: readonly string[],
): Promise<readonly Reply[]> {
  let values = listIn(await calls.call("get_many", partition, keys));
  while (values.length < keys.length) {
    const more = listIn(await calls.call("get_many", partition, keys.slice(values.length)));
    if (more.length === 0) throw new UnexpectedStoreOutputError("the server gives no values");
    values = values.concat(more);
  }
  return values;
}

export function chunksOf<Item>(items: readonly Item[], size: number): (readonly Item[])[] {
  if (items.length <= size) return [items];
  const chunks: Item[][] = [];
  for (let first = 0; first < items.length; first += size) {
    chunks.push(items.slice(first, first + size));
  }
  return chunks;
}

export async function set(calls: Calls, request: Request.ValueRequest): Promise<void> {
  const { key, value, options } = request;
  const partition = calls.partitionOf(key);
  const args: Argument[] = [key, calls.value(value)];
  if (options !== undefined) args.push(calls.guard(options, partition), expiryArgument(options));
  await calls.call("set", partition, args, subjectOf(key, options));
}

/** The guard of a batch is sent with each group: all keys have to lie where the claim does. */
function guards(
  calls: Calls,
  groups: readonly { partition: number }[],
  options: Request.Guard | undefined,
): string[] {
  return groups.map(({ partition }) => calls.guard(options, partition));
}

/** Refuses a claim that is stale, or that lies in another partition than what it is to guard. */
export async function onlyGuard(
  calls: Calls,
  options: Request.Guard | undefined,
  partition?: number,
): Promise<void> {
  const claim = options?.claim;
  if (claim === undefined) return;
  const place = partition ?? calls.partitionOf(claim.key);
  await calls.call("delete_many", place, [calls.guard(options, place)], { claim });
}

export async function setMany(calls: Calls, request: Request.EntriesRequest): Promise<void> {
  const { entries, options } = request;
  if (entries.length === 0) return onlyGuard(calls, options);
  checkBatch(entries.length);
  const groups = calls.grouped(entries, ({ key }) => key);
  const claims = guards(calls, groups, options);
  const expiry = expiryArgument(options);
  const parts = groups.map(({ partition, items }, index) => {
    const args: Argument[] = [claims[index] as string, expiry];
    for (const { key, value } of items) args.push(key, calls.value(value));
    return calls.call("set_many", partition, args, { claim: options?.claim });
  });
  await settleAll(parts);
}

export async function deleteMany(calls: Calls, request: Request.KeysRequest): Promise<number> {
  const { keys, options } = request;
  if (keys.length === 0) {
    await onlyGuard(calls, options);
    return 0;
  }
  checkBatch(keys.length);
  const groups = calls.grouped(keys, (key) => key);
  const claims = guards(calls, groups, options);
  const parts = groups.map(({ partition, items }, index) =>
    calls.call("delete_many", partition, [claims[index] as string, ...items], {
      claim: options?.claim,
    }),
  );
  return (await settleAll(parts)).reduce((sum: number, reply: Reply) => sum + numberIn(reply), 0);
}

/** Operations that take a key and a guard and answer yes or no. */
export async function byKey(
  calls: Calls,
  operation: "delete" | "persist" | "delete_array",
  { key, options }: Request.KeyRequest,
): Promise<boolean> {
  const partition = calls.partitionOf(key);
  const args = [key, calls.guard(options, partition)];
  return flagIn(await calls.call(operation, partition, args, subjectOf(key, options)));
}

export async function fetchRemove(
  calls: Calls,
  { key, check, options }: Request.TakeRequest,
): Promise<Stored | undefined> {
  const partition = calls.partitionOf(key);
  const claim = calls.guard(options, partition);
  const argsWith = (trust: string): Argument[] => [key, trust, claim];
  const subject = subjectOf(key, options);
  return foundIn(await calls.checked("fetch_remove", partition, argsWith, check, subject));
}

export async function incrementBy(
  calls: Calls,
  { key, delta, options }: Request.IncrementRequest,
): Promise<number> {
  const partition = calls.partitionOf(key);
  // Above 2^53 JavaScript writes fewer digits than the number has.
  const args: Argument[] = [key, Number.isSafeInteger(delta) ? delta : BigInt(delta).toString()];
  if (options !== undefined) args.push(calls.guard(options, partition), expiryArgument(options));
  return Number(textIn(await calls.call("increment", partition, args, subjectOf(key, options))));
}

export async function getOrSet(
  calls: Calls,
  { key, value, options }: Request.ValueRequest,
): Promise<{ value: Stored; loaded: boolean }> {
  const partition = calls.partitionOf(key);
  const args = [key, calls.value(value), calls.guard(options, partition), expiryArgument(options)];
  const found = foundIn(await calls.call("get_or_set", partition, args, subjectOf(key, options)));
  return found === undefined ? { value, loaded: false } : { value: found, loaded: true };
}

export async function swap(
  calls: Calls,
  { key, value, check, options }: Request.ReplaceRequest,
): Promise<Stored | undefined> {
  const partition = calls.partitionOf(key);
  const claim = calls.guard(options, partition);
  const expiry = expiryArgument(options);
  const argsWith = (trust: string): Argument[] => [key, calls.value(value), trust, claim, expiry];
  const subject = subjectOf(key, options);
  return foundIn(await calls.checked("swap", partition, argsWith, check, subject));
}

const matched: Comparison = { matched: true, current: undefined };

/**
 * The library compares bytes. A value that it finds different and that is the same in the
 * serialization of the store is what it is told to expect next.
 */
async function compare(
  expected: Stored | undefined,
  same: Request.SameValue,
  call: (expected: Stored | undefined) => Promise<Reply>,
): Promise<Comparison> {
  let expectation = expected;
  while (true) {
    const reply = await call(expectation);
    if (reply === 1) return matched;
    const current = foundIn(reply);
    if (current === undefined || expected === undefined || !same(current, expected)) {
      return { matched: false, current };
    }
    expectation = current;
  }
}

export function compareAndSwap(
  calls: Calls,
  { key, expected, value, same, options }: Request.CompareSwapRequest,
): Promise<Comparison> {
  const partition = calls.partitionOf(key);
  const claim = calls.guard(options, partition);
  const next = calls.value(value);
  const expiry = expiryArgument(options);
  return compare(expected, same, (expectation) => {
    const former = expectation === undefined ? "" : calls.value(expectation);
    const args = [key, former, next, claim, expiry];
    return calls.call("compare_swap", partition, args, subjectOf(key, options));
  });
}

export function compareAndDelete(
  calls: Calls,
  { key, expected, same, options }: Request.CompareDeleteRequest,
): Promise<Comparison> {
  const partition = calls.partitionOf(key);
  const claim = calls.guard(options, partition);
  return compare(expected, same, (expectation) => {
    const args = [key, calls.value(expectation ?? expected), claim];
    return calls.call("compare_delete", partition, args, subjectOf(key, options));
  });
}
