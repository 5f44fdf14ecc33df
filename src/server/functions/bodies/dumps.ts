// Dumps: all rows in pages, for backups by remote clients. Nothing is held between two calls.

import type { View } from "../../../engine/engine.js";
import { parseSpan } from "../../../operations/list-rows.js";
import * as lists from "../../../operations/lists.js";
import { memberKey, parseMember } from "../../../operations/members.js";
import { lastToken } from "../../../operations/pieces.js";
import { pageOf } from "../../../operations/query.js";
import { type FunctionBodies, flag, query, type ReadRun, read } from "../body.js";
import { deadlineText, type FunctionCall } from "../function-call.js";
import type { FunctionReply } from "../function-reply.js";
import { elementsReply } from "./arrays.js";

/** Ranks of the items of a bucket; where they would stand, when there are none. */
function itemsOf(view: View, bucket: string): { start: number; end: number } {
  return view.members.prefixRange(memberKey({ bucket, item: "" }));
}

/** Buckets behind one that may be gone, in the order of the table. */
function bucketsBehind(
  view: View,
  after: string,
  limit: number,
): { buckets: string[]; done: boolean } {
  const { members } = view;
  let rank = after === "" ? 0 : itemsOf(view, after).end;
  const buckets: string[] = [];
  while (buckets.length < limit && rank < members.size) {
    const { bucket } = parseMember(members.select(rank) as string);
    buckets.push(bucket);
    rank = itemsOf(view, bucket).end;
  }
  return { buckets, done: rank >= members.size };
}

// after, limit
const dumpArrays: ReadRun = (view, call) => {
  const request = { prefix: "", after: call.sought(0), limit: call.rows(1) };
  const { keys, done } = pageOf(view.lists, request);
  const reply: FunctionReply[] = [flag(done)];
  for (const key of keys) {
    const row = view.lists.get(key);
    if (row === undefined) continue;
    reply.push(key, String(parseSpan(row.value).id), deadlineText(row.deadline, ""));
  }
  return reply;
};

// key, position, limit, state
const dumpElements: ReadRun = (view, call, host) => {
  const [key, first, limit] = [call.sought(0), call.count(1), call.rows(2)];
  const row = view.lists.get(key);
  if (row === undefined) return ["", 0];
  const { head, tail } = parseSpan(row.value);
  const page = { first, limit, size: tail - head, state: call.optional(3) };
  return elementsReply(view, call, host, row, page);
};

// after, limit
const dumpBuckets: ReadRun = (view, call) => {
  const { buckets, done } = bucketsBehind(view, call.bucket(0), call.rows(1));
  return [flag(done), ...buckets];
};

/** The name that clients send along with its deadline, which says nothing about the order here. */
export function itemBehind(call: FunctionCall, bucket: number, item: number): string {
  return memberKey({ bucket: call.bucket(bucket), item: call.item(item) });
}

// bucket, limit, then deadline and name of the last item (all or none)
const dumpMembers: ReadRun = (view, call) => {
  const { members } = view;
  const [{ start, end }, limit] = [itemsOf(view, call.bucket(0)), call.rows(1)];
  const last = call.length > 2 ? itemBehind(call, 0, 3) : undefined;
  const first = last === undefined ? start : members.rank(last) + (members.has(last) ? 1 : 0);
  const keys = first < end ? members.slice(first, Math.min(end, first + limit)) : [];
  return keys.flatMap((key) => {
    const deadline = members.get(key)?.deadline as number;
    return [parseMember(key).item, deadlineText(deadline, "inf")];
  });
};

// "arrays" or "buckets", after, limit; whether it is the end, the last name, elements, names
const measure: ReadRun = (view, call) => {
  const [what, limit] = [call.text(0), call.rows(2)];
  if (what === "arrays") {
    const { keys, done } = pageOf(view.lists, { prefix: "", after: call.sought(1), limit });
    return measured(done, keys, (key) => lists.length(view, key));
  }
  if (what !== "buckets") return call.refuse("what is measured are `arrays` or `buckets`");
  const { buckets, done } = bucketsBehind(view, call.bucket(1), limit);
  return measured(done, buckets, (bucket) => {
    const { start, end } = itemsOf(view, bucket);
    return end - start;
  });
};

function measured(
  done: boolean,
  names: readonly string[],
  sizeOf: (name: string) => number,
): FunctionReply {
  const sum = names.reduce((size, name) => size + sizeOf(name), 0);
  return [flag(done), names.at(-1) ?? "", sum, names.length];
}

export const dumpBodies: FunctionBodies = {
  dump_arrays: query(dumpArrays),
  dump_elements: read(dumpElements),
  dump_buckets: query(dumpBuckets),
  dump_members: query(dumpMembers),
  dump_token: read((view) => String(lastToken(view))),
  measure: query(measure),
};
