// Reads on the wal backend: the rows are in memory, so a get must cost what it costs there.

import {
  checkAndClose,
  type DiskStore,
  inFreshDirectory,
  memoryContestant,
  walContestant,
} from "../contestants/disk-stores.js";
import { type Account, account, accountKey, times } from "../contestants/records.js";
import { wrong } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import { atLeast, type Effort, type Outcome, ratio, type Workload } from "../harness/workload.js";

const wal = walContestant("anykv wal", false);

async function readAll(store: DiskStore, keys: readonly string[]): Promise<void> {
  for (let id = 0; id < keys.length; id++) {
    const found = (await store.get(keys[id] as string)) as Account;
    if (found.id !== id) wrong("get", id, found);
  }
}

async function compare(effort: Effort, directory: string): Promise<Outcome> {
  const count = effort === "quick" ? 100 : 20_000;
  const [keys, accounts] = [times(count, accountKey), times(count, (id) => account(id))];
  const opened = [];
  for (const contestant of [wal, memoryContestant]) {
    const store = await contestant.open(directory);
    for (const [id, key] of keys.entries()) await store.set(key, accounts[id]);
    opened.push({ contestant, store });
  }
  const contestants = opened.map(({ contestant: { name }, store }) => ({
    name,
    sample: async () => rate(count, await elapsedMs(() => readAll(store, keys))),
  }));
  const questions = [ratio(wal.name, memoryContestant.name, atLeast(0.95))];
  const outcome = await interleave(effort, { unit: "ops/s", contestants, questions, rounds: 61 });
  for (const { contestant, store } of opened) {
    await checkAndClose(contestant, directory, store, accounts);
  }
  return outcome;
}

export const walGet: Workload = {
  name: "wal-get",
  title: "get of 20,000 keys in turn, against the memory backend",
  run: (effort, parent) => inFreshDirectory(parent, (directory) => compare(effort, directory)),
};
