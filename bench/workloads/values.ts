// Values by key, one awaited call after the other: against keyv on its Map, and against bare async
// functions over a Map of JSON text, which is what the promise and the JSON cost by themselves.

import { type Account, account, accountKey, times } from "../contestants/records.js";
import {
  bare,
  type NamedStore,
  ours,
  type PlainStore,
  peer,
  plainStores,
} from "../contestants/stores.js";
import { expectAnswer, wrong } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import { atLeast, type Effort, type Outcome, ratio, type Workload } from "../harness/workload.js";

interface Fixture {
  readonly keys: readonly string[];
  /** Two values for each key: an overwrite changes it. */
  readonly versions: readonly (readonly Account[])[];
}

function fixture(effort: Effort): Fixture {
  const count = effort === "quick" ? 100 : 20_000;
  const versions = [0, 1].map((version) => times(count, (id) => account(id, version)));
  return { keys: times(count, accountKey), versions };
}

const targets = [ratio(ours, peer, atLeast(4)), ratio(ours, bare, atLeast(0.75))];
const rounds = 25;

async function writeAll(
  store: PlainStore,
  keys: readonly string[],
  values: readonly Account[],
): Promise<void> {
  for (let id = 0; id < keys.length; id++) await store.set(keys[id] as string, values[id]);
}

async function readAll(store: PlainStore, keys: readonly string[]): Promise<void> {
  for (let id = 0; id < keys.length; id++) {
    const found = (await store.get(keys[id] as string)) as Account;
    if (found.id !== id) wrong("get", id, found);
  }
}

async function checkAll(store: PlainStore, keys: readonly string[], values: readonly Account[]) {
  for (const [id, key] of keys.entries()) expectAnswer(key, values[id], await store.get(key));
}

export const get: Workload = {
  name: "get",
  title: "get of 20,000 keys in turn",
  async run(effort) {
    const { keys, versions } = fixture(effort);
    const values = versions[0] ?? [];
    const stores = plainStores();
    for (const { store } of stores) await writeAll(store, keys, values);
    const contestants = stores.map(({ name, store }) => ({
      name,
      sample: async () => rate(keys.length, await elapsedMs(() => readAll(store, keys))),
    }));
    const outcome = await interleave(effort, { unit, contestants, questions: targets, rounds });
    for (const { store } of stores) await checkAll(store, keys, values);
    return outcome;
  },
};

const unit = "ops/s";

async function runWrites(
  effort: Effort,
  prepare: (entry: NamedStore) => Promise<unknown>,
): Promise<Outcome> {
  const { keys, versions } = fixture(effort);
  const contestants = plainStores().map((entry) => {
    let samples = 0;
    const sample = async (): Promise<number> => {
      const values = versions[samples++ % 2] ?? [];
      await prepare(entry);
      const ms = await elapsedMs(() => writeAll(entry.store, keys, values));
      await checkAll(entry.store, keys, values);
      return rate(keys.length, ms);
    };
    return { name: entry.name, sample };
  });
  return interleave(effort, { unit, contestants, questions: targets, rounds });
}

export const setExisting: Workload = {
  name: "set-existing",
  title: "set of 20,000 keys that are there, in turn",
  run: (effort) => runWrites(effort, async () => {}),
};

export const setNew: Workload = {
  name: "set-new",
  title: "set of 20,000 new keys into an empty store",
  run: (effort) => runWrites(effort, (entry) => entry.clear()),
};
