// Observation: what tracing and metrics cost, against the same store with both off. What being off
// costs is part of `get` and `set-existing`, whose targets it has to meet.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type Account, account, accountKey, times } from "../contestants/records.js";
import { openMemory, type PlainStore } from "../contestants/stores.js";
import { expectAnswer, wrong } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import { type Effort, ratio, type Workload } from "../harness/workload.js";

const off = "off";
const measured = "metrics";
const traced = "tracing";
/** Where the end of every operation is published. */
const channel = "tracing:anykv:operation:asyncEnd";

async function setAndGet(store: PlainStore, keys: readonly string[], values: readonly Account[]) {
  for (const [id, key] of keys.entries()) {
    await store.set(key, values[id]);
    const found = (await store.get(key)) as Account;
    if (found.id !== id) wrong("get", id, found);
  }
}

/** A sample during which somebody listens, and has heard of every operation. */
async function whileTraced(operations: number, sample: () => Promise<number>): Promise<number> {
  let heard = 0;
  const listen = (): void => {
    heard++;
  };
  subscribe(channel, listen);
  const taken = await sample();
  unsubscribe(channel, listen);
  expectAnswer("operations heard of", operations, heard);
  return taken;
}

export const observation: Workload = {
  name: "observation",
  title:
    "set, then get, of 10,000 keys in turn, with metrics and tracing; operations of both kinds",
  run(effort: Effort) {
    const count = effort === "quick" ? 100 : 10_000;
    const keys = times(count, accountKey);
    const values = times(count, (id) => account(id));
    const samplerOf = (operationMetrics: boolean) => {
      const kv = openMemory({ operationMetrics });
      return async () => rate(2 * count, await elapsedMs(() => setAndGet(kv, keys, values)));
    };
    const tracedSample = samplerOf(false);
    const contestants = [
      { name: off, sample: samplerOf(false) },
      { name: measured, sample: samplerOf(true) },
      { name: traced, sample: () => whileTraced(2 * count, tracedSample) },
    ];
    const questions = [ratio(measured, off), ratio(traced, off)];
    return interleave(effort, { unit: "ops/s", contestants, questions, rounds: 21 });
  },
};
