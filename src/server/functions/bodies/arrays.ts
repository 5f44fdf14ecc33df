// Arrays and filters.

import type { Row, View } from "../../../engine/engine.js";
import { parseSpan } from "../../../operations/list-rows.js";
import * as lists from "../../../operations/lists.js";
import { isLive } from "../../../operations/live.js";
import * as members from "../../../operations/members.js";
import type { MemberRequest } from "../../../operations/requests.js";
import {
  type FunctionBodies,
  flag,
  query,
  type ReadRun,
  read,
  type StepsRun,
  steps,
  type WriteRun,
  write,
} from "../body.js";
import type { FunctionCall } from "../function-call.js";
import type { FunctionHost } from "../function-host.js";
import type { FunctionReply } from "../function-reply.js";
import { lengthOf, pageBytesMax } from "./queries.js";

/** Members removed per transaction when a whole bucket goes. */
const clearedMembersMax = 1_000;

// key, end, element, claim, expiry of an array that is new
const push: WriteRun = (transaction, call) => {
  const key = call.key(0);
  const length = lists.push(transaction, {
    key,
    end: call.end(1),
    value: call.value(2),
    options: call.creating(3, 4),
  });
  call.pushed.push(key);
  return length;
};

// key, end, trust, claim
const pop: WriteRun = (transaction, call) => {
  const [key, trust] = [call.key(0), call.text(2)];
  const value = lists.pop(transaction, {
    key,
    end: call.end(1),
    options: call.guard(3),
    check: (found) => call.forms.requireTrusted([{ key, value: found }], trust),
  });
  return value === undefined ? "" : call.forms.showLast(value);
};

/** Of an array, whatever else may be under the key. */
export function arrayLength(view: View, key: string): number {
  const row = view.lists.get(key);
  if (row === undefined || !isLive(view, row)) return 0;
  const { head, tail } = parseSpan(row.value);
  return tail - head;
}

function offset(position: number, size: number): number {
  return position < 0 ? Math.max(0, size + position) : Math.min(position, size);
}

export interface ElementPage {
  /** Position of the first element that is asked for. */
  readonly first: number;
  readonly limit: number;
  /** What the reply tells beside the state. */
  readonly size: number;
  /** That of the pages before; "" for none. */
  readonly state: string;
}

/** The state of an array, a size, and elements of it: none if another state was asked for. */
export function elementsReply(
  view: View,
  call: FunctionCall,
  { arrayEdition }: FunctionHost,
  row: Row,
  { first, limit, size, state }: ElementPage,
): FunctionReply[] {
  const { id, head, tail } = parseSpan(row.value);
  const present = `${id} ${head} ${tail} ${arrayEdition(id)}`;
  const reply: FunctionReply[] = [present, size];
  if (state !== "" && state !== present) return reply;
  const stop = Math.min(tail, head + first + limit);
  for (let bytes = 0, index = head + first; index < stop && bytes < pageBytesMax; index++) {
    const element = call.forms.show(lists.elementOf(view, id, index));
    reply.push(element);
    bytes += lengthOf(element);
  }
  return reply;
}

// key, start, end, how many of the range to leave out, limit, state
const range: ReadRun = (view, call, host) => {
  const [key, start, end] = [call.sought(0), call.position(1), call.position(2)];
  const [skipped, limit, state] = [call.count(3), call.limit(4), call.optional(5)];
  const length = lists.length(view, key);
  const row = view.lists.get(key);
  if (length === 0 || row === undefined) return ["", 0];
  const [from, behind] = [offset(start, length), offset(end, length)];
  const first = from + skipped;
  return elementsReply(view, call, host, row, {
    first,
    limit: Math.max(0, Math.min(limit, behind - first)),
    size: Math.max(0, behind - from),
    state,
  });
};

// bucket, item, claim, milliseconds
function memberOf(call: FunctionCall): MemberRequest {
  return {
    bucket: call.bucket(0),
    item: call.item(1),
    options: call.guard(2),
    ttl: call.ttl(3),
  };
}

// The guard is looked at by the first step: what it has begun goes on.
const clearMembers: StepsRun = async (call, { store, env }) => {
  const [bucket, limit] = [call.bucket(0), clearedMembersMax];
  const first = { bucket, limit, options: call.guard(1) };
  let more = await store.direct.write(members.clearMembers, first);
  while (more) {
    await env.timers.breathe();
    more = await store.direct.write(members.clearMembers, { bucket, limit });
  }
  return 1;
};

export const arrayBodies: FunctionBodies = {
  push: write(push),
  pop: write(pop),
  length: read((view, call) => lists.length(view, call.sought(0))),
  lengths: read((view, call) => call.soughtKeys(0).map((key) => arrayLength(view, key))),
  range: read(range),
  // key, claim
  delete_array: write((transaction, call) =>
    flag(lists.deleteList(transaction, { key: call.key(0), options: call.guard(1) })),
  ),
  contains_member: read((view, call) =>
    flag(members.containsMember(view, { bucket: call.bucket(0), item: call.item(1) })),
  ),
  add_member: write((transaction, call) => flag(members.addMember(transaction, memberOf(call)))),
  check_then_add_member: write((transaction, call) =>
    flag(members.checkThenAddMember(transaction, memberOf(call))),
  ),
  delete_member: write((transaction, call) =>
    flag(members.deleteMember(transaction, memberOf(call))),
  ),
  count_members: query((view, call) => members.countMembers(view, { bucket: call.bucket(0) })),
  // bucket, claim
  clear_members: steps(clearMembers),
};

/** The operations whose keys are to hold arrays, and are refused when they hold values. */
export const arrayOperations: ReadonlySet<string> = new Set([
  "push",
  "pop",
  "length",
  "range",
  "delete_array",
]);
