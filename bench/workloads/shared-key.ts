// JetKV's benchmark: eight tasks at once, each reading one and the same key 12,500 times.
// JetKV prints transactions per second; so does this.

import { type Account, account, times } from "../contestants/records.js";
import { bare, ours, type PlainStore, peer, plainStores } from "../contestants/stores.js";
import { expectAnswer, wrong } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import { ratio, type Workload } from "../harness/workload.js";

const tasks = 8;
const key = "benchmark";
const value = account(1);

async function task(store: PlainStore, reads: number): Promise<void> {
  for (let left = reads; left > 0; left--) {
    const found = (await store.get(key)) as Account;
    if (found.id !== value.id) wrong("get", value, found);
  }
}

export const sharedKey: Workload = {
  name: "shared-key",
  title: "JetKV's workload: 8 concurrent tasks x 12,500 get of one key, transactions per second",
  async run(effort) {
    const reads = effort === "quick" ? 50 : 12_500;
    const stores = plainStores();
    const contestants = stores.map(({ name, store }) => ({
      name,
      sample: async () => {
        const running = () => Promise.all(times(tasks, () => task(store, reads)));
        const ms = await elapsedMs(async () => void (await running()));
        return rate(tasks * reads, ms);
      },
    }));
    for (const { store } of stores) await store.set(key, value);
    const questions = [ratio(ours, peer), ratio(ours, bare)];
    const outcome = await interleave(effort, { unit: "ops/s", contestants, questions, rounds: 15 });
    for (const { store } of stores) expectAnswer(key, value, await store.get(key));
    return outcome;
  },
};
