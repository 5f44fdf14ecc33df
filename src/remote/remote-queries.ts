// Remote queries: pages and counts over all partitions.
//
// Of one partition, a page or a count is of one instant. Over several partitions, or in
// several calls, it is put together: exact while nobody writes.

import { lengthOf } from "../engine/stored.js";
import type { Allocation } from "../operations/claims.js";
import type { EntryPage, KeyPage } from "../operations/query.js";
import type * as Request from "../operations/requests.js";
import { type Calls, settleAll } from "./calls.js";
import { mergedPage, type Page, pageRowsMax } from "./merge.js";
import { flagIn, listIn, numberIn, storedIn, textIn } from "./replies.js";

const itself = (key: string): string => key;

export async function scan(calls: Calls, request: Request.ScanRequest): Promise<EntryPage> {
  const fetch = async (
    partition: number,
    after: string,
    limit: number,
  ): Promise<Page<Request.Entry>> => {
    const reply = listIn(await calls.ranked("scan", partition, [request.prefix, after, limit]));
    const rows: Request.Entry[] = [];
    for (let index = 1; index < reply.length; index += 2) {
      rows.push({ key: textIn(reply[index]), value: storedIn(reply[index + 1]) });
    }
    return { rows, done: flagIn(reply[0]) };
  };
  const keyOf = ({ key }: Request.Entry): string => key;
  const sizeOf = ({ value }: Request.Entry): number => lengthOf(value);
  const { rows, done } = await mergedPage(calls.partitions, request, fetch, keyOf, sizeOf);
  return { entries: rows, done };
}

function keysOf(
  calls: Calls,
  operation: "scan_keys" | "list_arrays",
  request: Request.ScanRequest,
): Promise<Page<string>> {
  const fetch = async (partition: number, after: string, limit: number): Promise<Page<string>> => {
    const args = [request.prefix, after, limit];
    const [done, ...keys] = listIn(await calls.ranked(operation, partition, args));
    return { rows: keys.map(textIn), done: flagIn(done) };
  };
  return mergedPage(calls.partitions, request, fetch, itself);
}

export async function scanKeys(calls: Calls, request: Request.ScanRequest): Promise<KeyPage> {
  const { rows, done } = await keysOf(calls, "scan_keys", request);
  return { keys: rows, done };
}

export async function listArrays(
  calls: Calls,
  { prefix, limit }: Request.ListKeysRequest,
): Promise<string[]> {
  return (await keysOf(calls, "list_arrays", { prefix, limit, after: "" })).rows;
}

/** Values of a prefix, or those that can be claimed, in each partition. */
export async function countsOf(
  calls: Calls,
  operation: "count" | "count_free",
  prefix: string,
): Promise<number[]> {
  return (await calls.everywhere(operation, [prefix])).map(numberIn);
}

export async function count(calls: Calls, prefix: string): Promise<number> {
  return (await countsOf(calls, "count", prefix)).reduce((sum, each) => sum + each, 0);
}

export async function allocation(calls: Calls, prefix: string): Promise<Allocation> {
  const sum = { total: 0, claimedLive: 0, claimedExpired: 0 };
  for (const reply of await calls.everywhere("allocation", [prefix])) {
    const [total = 0, free = 0, expired = 0] = listIn(reply).map(numberIn);
    sum.total += total;
    sum.claimedLive += total - free - expired;
    sum.claimedExpired += expired;
  }
  return sum;
}

/** The first `limit` values of a prefix, in steps; over several partitions these are found first. */
export async function deleteByPrefix(
  calls: Calls,
  request: Request.PrefixDeleteRequest,
): Promise<{ deleted: number; done: boolean }> {
  const { prefix, limit, options } = request;
  const claim = calls.guardAll(options);
  if (calls.partitions > 1) return deleteMerged(calls, request);
  let deleted = 0;
  while (true) {
    const args = [prefix, Math.min(pageRowsMax, limit - deleted), claim];
    const reply = await stepAfter(deleted, () =>
      calls.ranked("delete_prefix", 0, args, { claim: options?.claim }),
    );
    if (reply === undefined) return { deleted, done: false };
    const [removed, done] = listIn(reply);
    deleted += numberIn(removed);
    if (flagIn(done) || deleted >= limit) return { deleted, done: flagIn(done) };
  }
}

/** An error of a later step must not hide what earlier ones have done: undefined then. */
async function stepAfter<Result>(
  done: number,
  step: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await step();
  } catch (error) {
    if (done === 0) throw error;
    return undefined;
  }
}

async function deleteMerged(
  calls: Calls,
  { prefix, limit }: Request.PrefixDeleteRequest,
): Promise<{ deleted: number; done: boolean }> {
  let deleted = 0;
  while (true) {
    const step = Math.min(pageRowsMax, limit - deleted);
    const page = await scanKeys(calls, { prefix, after: "", limit: step });
    const parts = calls
      .grouped(page.keys, itself)
      .map(({ partition, items }) => calls.call("delete_many", partition, ["", ...items]));
    for (const reply of await settleAll(parts)) deleted += numberIn(reply);
    if (page.done || deleted >= limit) return { deleted, done: page.done };
  }
}
