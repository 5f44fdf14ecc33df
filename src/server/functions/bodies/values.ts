// Values by key, alone and in batches, and their expiry.

import { never } from "../../../engine/engine.js";
import * as entries from "../../../operations/entries.js";
import * as expiry from "../../../operations/expiry.js";
import { allocate, type FunctionBodies, flag, read, write } from "../body.js";
import type { FunctionReply } from "../function-reply.js";
import { lengthOf, pageBytesMax } from "./queries.js";

export const valueBodies: FunctionBodies = {
  get: read((view, call) => call.forms.show(entries.getValue(view, call.sought(0)))),

  // keys; a value for each of the first ones
  get_many: read((view, call) => {
    const reply: FunctionReply[] = [];
    let bytes = 0;
    for (const key of call.soughtKeys(0)) {
      const value = call.forms.show(entries.getValue(view, key));
      reply.push(value);
      bytes += lengthOf(value);
      if (bytes >= pageBytesMax) break;
    }
    return reply;
  }),

  exists: read((view, call) => flag(entries.hasKey(view, call.sought(0)))),

  // key, value, claim, expiry
  set: write((transaction, call) => {
    const request = { key: call.key(0), value: call.value(1), options: call.replacing(2, 3) };
    entries.setValue(transaction, request);
    return 1;
  }),

  // claim, expiry, then key and value in turn
  set_many: write((transaction, call) => {
    const options = call.replacing(0, 1);
    const pairs = call.groups(2, 2, (index) => ({
      key: call.key(index),
      value: call.value(index + 1),
    }));
    entries.setValues(transaction, { entries: pairs, options });
    return pairs.length;
  }),

  // key, claim
  delete: write((transaction, call) =>
    flag(entries.deleteValue(transaction, { key: call.key(0), options: call.guard(1) })),
  ),

  // claim, then keys
  delete_many: write((transaction, call) =>
    entries.deleteValues(transaction, { keys: call.keys(1), options: call.guard(0) }),
  ),

  // prefix, limit, claim
  delete_prefix: allocate((transaction, call) => {
    const request = { prefix: call.sought(0), limit: call.limit(1), options: call.guard(2) };
    const { deleted, done } = entries.deletePrefix(transaction, request);
    return [deleted, flag(done)];
  }),

  // key, trust, claim
  fetch_remove: write((transaction, call) => {
    const [key, trust] = [call.key(0), call.text(1)];
    const value = entries.fetchRemove(transaction, {
      key,
      options: call.guard(2),
      check: (found) => call.forms.requireTrusted([{ key, value: found }], trust),
    });
    return value === undefined ? "" : call.forms.showLast(value);
  }),

  // claim
  clear: write((transaction, call) => {
    entries.clear(transaction, call.guard(0));
    return 1;
  }),

  // key, milliseconds, claim
  expire: write((transaction, call) => {
    const request = { key: call.key(0), ttl: call.milliseconds(1), options: call.guard(2) };
    return flag(expiry.expire(transaction, request));
  }),

  // key, claim
  persist: write((transaction, call) =>
    flag(expiry.persist(transaction, { key: call.key(0), options: call.guard(1) })),
  ),

  ttl: read((view, call) => {
    const left = expiry.timeToLive(view, call.sought(0));
    if (left === undefined) return -2;
    return left === never ? -1 : left;
  }),
};
