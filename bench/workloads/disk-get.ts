// Reads on the disk backend: against LMDB itself with the same JSON, and by four processes at once
// against one.

import { inFreshDirectory } from "../contestants/disk-stores.js";
import {
  bareLmdb,
  bareLmdbName,
  type DurableStore,
  diskName,
  diskStore,
} from "../contestants/durable-stores.js";
import { type Account, account, accountKey, times } from "../contestants/records.js";
import { wrong } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { runInProcess } from "../harness/processes.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import { atLeast, type Effort, type Outcome, ratio, type Workload } from "../harness/workload.js";

async function loaded(store: DurableStore, keys: readonly string[]): Promise<DurableStore> {
  await store.setMany(Object.fromEntries(keys.map((key, id) => [key, account(id)])));
  return store;
}

export async function readAll(
  store: Pick<DurableStore, "get">,
  keys: readonly string[],
): Promise<void> {
  for (let id = 0; id < keys.length; id++) {
    const found = (await store.get(keys[id] as string)) as Account;
    if (found.id !== id) wrong("get", id, found);
  }
}

async function compare(effort: Effort, directory: string): Promise<Outcome> {
  const count = effort === "quick" ? 100 : 20_000;
  const keys = times(count, accountKey);
  const stores = [
    await loaded(diskStore(directory), keys),
    await loaded(bareLmdb(directory), keys),
  ];
  const contestants = stores.map((store) => ({
    name: store.name,
    sample: async () => rate(count, await elapsedMs(() => readAll(store, keys))),
  }));
  const questions = [ratio(diskName, bareLmdbName, atLeast(0.85))];
  const outcome = await interleave(effort, { unit: "ops/s", contestants, questions, rounds: 61 });
  for (const store of stores) await store.close();
  return outcome;
}

export const diskGet: Workload = {
  name: "disk-get",
  title: "get of 20,000 keys in turn, against lmdb with the same JSON",
  run: (effort, parent) => inFreshDirectory(parent, (directory) => compare(effort, directory)),
};

const oneProcess = "1 process";
const fourProcesses = "4 processes";

async function compareProcesses(effort: Effort, directory: string): Promise<Outcome> {
  const count = effort === "quick" ? 100 : 20_000;
  const passes = effort === "quick" ? 2 : 40;
  const store = await loaded(diskStore(directory), times(count, accountKey));
  await store.close();
  const probe = new URL("../probes/readers-probe.js", import.meta.url);
  const contestantOf = (name: string, processes: number) => ({
    name,
    sample: () =>
      runInProcess<number>(probe, [directory, String(processes), String(count), String(passes)]),
  });
  const contestants = [contestantOf(oneProcess, 1), contestantOf(fourProcesses, 4)];
  const questions = [ratio(fourProcesses, oneProcess, atLeast(1.8))];
  return interleave(effort, { unit: "ops/s", contestants, questions, rounds: 9, warmUps: 1 });
}

export const diskReaders: Workload = {
  name: "disk-readers",
  title: "get by 4 processes at once, against one: of all together",
  run: (effort, parent) =>
    inFreshDirectory(parent, (directory) => compareProcesses(effort, directory)),
};
