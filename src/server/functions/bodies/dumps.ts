// Dumps: all rows in pages, for backups by remote clients. Nothing is held between two calls.
//
// Ids of arrays and positions of buckets mean nothing to the tables, so marks remember which array an
// id was told of, and where a page of buckets ended.

import type { View } from "../../../engine/engine.js";
import type { Stored } from "../../../engine/stored.js";
import { itemKey, type ListSpan, parseSpan } from "../../../operations/list-rows.js";
import * as lists from "../../../operations/lists.js";
import { memberKey, parseMember } from "../../../operations/members.js";
import { lastToken } from "../../../operations/pieces.js";
import { pageOf } from "../../../operations/query.js";
import { type FunctionBodies, flag, query, type ReadRun, read } from "../body.js";
import { deadlineText } from "../function-call.js";
import type { FunctionHost } from "../function-host.js";
import type { FunctionReply } from "../function-reply.js";

/** Ranks of the items of a bucket. */
function itemsOf(view: View, bucket: string): { start: number; end: number } {
  return view.members.prefixRange(memberKey({ bucket, item: "" }));
}

/** Buckets from a position on, in the order of the table. */
function bucketsFrom(view: View, host: FunctionHost, position: number, limit: number): string[] {
  const mark = position === 0 ? undefined : host.marks.get(`buckets ${position}`);
  let skipped = mark === undefined ? 0 : position;
  let rank = mark === undefined ? 0 : itemsOf(view, mark).end;
  const buckets: string[] = [];
  while (buckets.length < limit && rank < view.members.size) {
    const { bucket } = parseMember(view.members.select(rank) as string);
    if (skipped < position) skipped++;
    else buckets.push(bucket);
    rank = itemsOf(view, bucket).end;
  }
  const last = buckets.at(-1);
  if (last !== undefined) host.marks.set(`buckets ${position + buckets.length}`, last);
  return buckets;
}

// after, limit
const dumpArrays: ReadRun = (view, call, { marks }) => {
  const request = { prefix: "", after: call.sought(0), limit: call.rows(1) };
  const { keys, done } = pageOf(view.lists, request);
  const reply: FunctionReply[] = [flag(done)];
  for (const key of keys) {
    const row = view.lists.get(key);
    if (row === undefined) continue;
    const id = String(parseSpan(row.value).id);
    marks.set(`array ${id}`, key);
    reply.push(key, id, deadlineText(row.deadline, ""));
  }
  return reply;
};

function spanOf(view: View, { marks }: FunctionHost, id: number): ListSpan | undefined {
  const marked = marks.get(`array ${id}`);
  const found = marked === undefined ? undefined : spanUnder(view, marked);
  if (found?.id === id) return found;
  // It has gone, or was told of long ago.
  for (const key of view.lists.slice(0, view.lists.size)) {
    const span = spanUnder(view, key);
    if (span?.id === id) {
      marks.set(`array ${id}`, key);
      return span;
    }
  }
  return undefined;
}

function spanUnder(view: View, key: string): ListSpan | undefined {
  const row = view.lists.get(key);
  return row === undefined ? undefined : parseSpan(row.value);
}

// id, position, limit
const dumpElements: ReadRun = (view, call, host) => {
  const [id, position, limit] = [call.count(0), call.count(1), call.rows(2)];
  const span = spanOf(view, host, id);
  if (span === undefined) return [];
  const elements: FunctionReply[] = [];
  const stop = Math.min(span.tail, span.head + position + limit);
  for (let index = span.head + position; index < stop; index++) {
    const element: Stored | undefined = view.items.get(itemKey(id, index))?.value;
    elements.push(call.forms.show(element));
  }
  return elements;
};

// bucket, position, limit
const dumpMembers: ReadRun = (view, call) => {
  const { start, end } = itemsOf(view, call.bucket(0));
  const first = start + call.count(1);
  const stop = Math.min(end, first + call.rows(2));
  const keys = first < stop ? view.members.slice(first, stop) : [];
  return keys.flatMap((key) => {
    const deadline = view.members.get(key)?.deadline as number;
    return [parseMember(key).item, deadlineText(deadline, "inf")];
  });
};

// "arrays" or "buckets", after, limit; whether it is the end, the last name, elements, names
const measure: ReadRun = (view, call, host) => {
  const [what, limit] = [call.text(0), call.rows(2)];
  if (what === "arrays") {
    const { keys, done } = pageOf(view.lists, { prefix: "", after: call.sought(1), limit });
    return measured(done, keys, (key) => lists.length(view, key));
  }
  if (what !== "buckets") return call.refuse("what is measured are `arrays` or `buckets`");
  const position = call.optional(1) === "" ? 0 : call.count(1);
  const buckets = bucketsFrom(view, host, position, limit);
  return measured(buckets.length < limit, buckets, (bucket) => {
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
  // position, limit
  dump_buckets: query((view, call, host) => bucketsFrom(view, host, call.count(0), call.rows(1))),
  dump_members: query(dumpMembers),
  dump_token: read((view) => String(lastToken(view))),
  measure: query(measure),
};
