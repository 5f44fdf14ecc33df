// Operations that read one value and write it in one step.

import * as atomics from "../../../operations/atomics.js";
import { type FunctionBodies, type WriteRun, write } from "../body.js";
import type { FunctionCall } from "../function-call.js";
import type { FunctionReply } from "../function-reply.js";
import { sameContent } from "../stored-forms.js";

// The sum is exact in the store, and may not be as a double.
const increment: WriteRun = (transaction, call) => {
  const key = call.key(0);
  atomics.increment(transaction, { key, delta: call.delta(1), options: call.creating(2, 3) });
  return transaction.values.get(key)?.value as string;
};

const getOrSet: WriteRun = (transaction, call) => {
  const request = { key: call.key(0), value: call.value(1), options: call.replacing(2, 3) };
  const { value, loaded } = atomics.getOrSet(transaction, request);
  return loaded ? call.forms.show(value) : "";
};

const swap: WriteRun = (transaction, call) => {
  const [key, trust] = [call.key(0), call.text(2)];
  const previous = atomics.swap(transaction, {
    key,
    value: call.value(1),
    options: call.replacing(3, 4),
    check: (found) => call.forms.requireTrusted([{ key, value: found }], trust),
  });
  return previous === undefined ? "" : call.forms.showLast(previous);
};

/** What is expected; undefined for nothing. */
function expectedIn(call: FunctionCall): ReturnType<FunctionCall["copiedValue"]> | undefined {
  return call.word(1).length === 0 ? undefined : call.copiedValue(1);
}

function comparison(call: FunctionCall, found: atomics.Comparison): FunctionReply {
  return found.matched ? 1 : call.forms.show(found.current);
}

const compareSwap: WriteRun = (transaction, call) => {
  const found = atomics.compareAndSwap(transaction, {
    key: call.key(0),
    expected: expectedIn(call),
    value: call.value(2),
    same: sameContent,
    options: call.replacing(3, 4),
  });
  return comparison(call, found);
};

const compareDelete: WriteRun = (transaction, call) => {
  const found = atomics.compareAndDelete(transaction, {
    key: call.key(0),
    expected: call.copiedValue(1),
    same: sameContent,
    options: call.guard(2),
  });
  return comparison(call, found);
};

export const atomicBodies: FunctionBodies = {
  // key, delta, claim, expiry of a counter that is new
  increment: write(increment),
  // key, value, claim, expiry
  get_or_set: write(getOrSet),
  // key, value, trust, claim, expiry
  swap: write(swap),
  // key, expected ("" for none), value, claim, expiry
  compare_swap: write(compareSwap),
  // key, expected, claim
  compare_delete: write(compareDelete),
};
