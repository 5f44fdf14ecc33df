// Reads of the wal backend: from memory, whatever lies on the disk.

import { openWal, wal } from "../contestants/durable-stores.js";
import { type Account, account, accountKey, times } from "../contestants/records.js";
import { load, openMemory, type PlainStore } from "../contestants/stores.js";
import { wrong } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { withScratch } from "../harness/scratch.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import { atLeast, type Effort, type Outcome, ratio, type Workload } from "../harness/workload.js";

const memory = "anykv memory";

async function readAll(store: PlainStore, keys: readonly string[]): Promise<void> {
  for (let id = 0; id < keys.length; id++) {
    const found = (await store.get(keys[id] as string)) as Account;
    if (found.id !== id) wrong("get", id, found);
  }
}

async function run(effort: Effort, directory: string): Promise<Outcome> {
  const count = effort === "quick" ? 100 : 20_000;
  const keys = times(count, accountKey);
  const stores = [
    { name: wal, kv: openWal(directory) },
    { name: memory, kv: openMemory() },
  ];
  for (const { kv } of stores) await load(kv, count, account);
  const contestants = stores.map(({ name, kv }) => ({
    name,
    sample: async () => rate(count, await elapsedMs(() => readAll(kv, keys))),
  }));
  const questions = [ratio(wal, memory, atLeast(0.95))];
  const outcome = await interleave(effort, { unit: "ops/s", contestants, questions, rounds: 25 });
  for (const { kv } of stores) await kv.close();
  return outcome;
}

export const walGet: Workload = {
  name: "wal-get",
  title: "get of 20,000 keys in turn",
  run: (effort) => withScratch((directory) => run(effort, directory)),
};
