// Values in key order, counts and samples.

import type { ReadTable, View } from "../../../engine/engine.js";
import * as operations from "../../../operations/query.js";
import type { ScanRequest } from "../../../operations/requests.js";
import { type FunctionBodies, flag, query, type ReadRun, type StepsRun, steps } from "../body.js";
import { drawnView } from "../drawn-random.js";
import type { FunctionCall } from "../function-call.js";
import type { FunctionReply } from "../function-reply.js";

/** A page ends with the value with which it becomes so large. */
export const pageBytesMax = 1_048_576;

/** How much a page is charged for a reply; of text the number of its UTF-16 units. */
export function lengthOf(reply: FunctionReply): number {
  return typeof reply === "string" || reply instanceof Uint8Array ? reply.length : 0;
}

function requestOf(call: FunctionCall): ScanRequest {
  return { prefix: call.sought(0), after: call.sought(1), limit: call.limit(2) };
}

/** A limit of 0 is one here, and none below. */
function pageIn(table: ReadTable, request: ScanRequest): operations.KeyPage {
  if (request.limit > 0) return operations.pageOf(table, request);
  const { keys } = operations.pageOf(table, { ...request, limit: 1 });
  return { keys: [], done: keys.length === 0 };
}

const scan: ReadRun = (view, call) => {
  const { keys, done } = pageIn(view.values, requestOf(call));
  const reply: FunctionReply[] = [];
  let bytes = 0;
  for (const key of keys) {
    const value = call.forms.show(view.values.get(key)?.value);
    reply.push(key, value);
    bytes += lengthOf(value);
    if (bytes >= pageBytesMax) break;
  }
  return [flag(done && reply.length === 2 * keys.length), ...reply];
};

function keysOf(name: "values" | "lists"): ReadRun {
  return (view, call) => {
    const { keys, done } = pageIn(view[name], requestOf(call));
    return [flag(done), ...keys];
  };
}

function countIn(view: View, name: "values" | "free", prefix: string): number {
  const { start, end } = view[name].prefixRange(prefix);
  return end - start;
}

// prefix, 1 for different keys, then a random number for each
const sample: ReadRun = (view, call) => {
  const numbers = call.randoms(2);
  const request = { prefix: call.sought(0), count: numbers.length, unique: call.flag(1) };
  return operations.randomKeys(drawnView(view, numbers), request);
};

// prefix, ranks from the first key of it on
const selectKeys: ReadRun = (view, call) => {
  const { start, end } = view.values.prefixRange(call.sought(0));
  const ranks = call.groups(1, 1, (index) => call.count(index));
  return ranks.flatMap((rank) => {
    return rank < end - start ? [view.values.select(start + rank) as string] : [];
  });
};

// prefix
const allocation: StepsRun = async (call, { store }) => {
  const { total, claimedLive, claimedExpired } = await store.allocation(call.sought(0));
  return [total, total - claimedLive - claimedExpired, claimedExpired];
};

export const queryBodies: FunctionBodies = {
  // prefix, after, limit
  scan: query(scan),
  scan_keys: query(keysOf("values")),
  list_arrays: query(keysOf("lists")),
  // prefix
  count: query((view, call) => countIn(view, "values", call.sought(0))),
  count_free: query((view, call) => countIn(view, "free", call.sought(0))),
  sample: query(sample),
  select_keys: query(selectKeys),
  allocation: steps(allocation),
};
