// Batches: one setMany of 10,000 entries, against 10,000 awaited sets of the same.

import type { Kv } from "anykv";
import { type Account, account, accountKey, times } from "../contestants/records.js";
import { openMemory } from "../contestants/stores.js";
import { expectAnswer } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import { atLeast, type Effort, ratio, type Workload } from "../harness/workload.js";

const together = "setMany";
const alone = "awaited sets";

type Entries = Readonly<Record<string, Account>>;
type Write = (kv: Kv, entries: Entries) => Promise<void>;

const writers: readonly { readonly name: string; readonly write: Write }[] = [
  {
    name: together,
    async write(kv, entries) {
      expectAnswer("written", Object.keys(entries).length, (await kv.setMany(entries)).written);
    },
  },
  {
    name: alone,
    async write(kv, entries) {
      for (const key of Object.keys(entries)) await kv.set(key, entries[key]);
    },
  },
];

async function checkEntries(kv: Kv, entries: Entries): Promise<void> {
  const keys = Object.keys(entries);
  expectAnswer("size", keys.length, await kv.size());
  for (const { key, value } of await kv.getMany(keys)) expectAnswer(key, entries[key], value);
}

function batchWorkload(name: string, title: string, emptyFirst: boolean): Workload {
  const run = async (effort: Effort) => {
    const count = effort === "quick" ? 100 : 10_000;
    const versions = [0, 1].map((version) => {
      return Object.fromEntries(times(count, (id) => [accountKey(id), account(id, version)]));
    });
    const contestants = writers.map((writer) => {
      const kv = openMemory();
      let samples = 0;
      const sample = async (): Promise<number> => {
        const entries = versions[samples++ % 2] as Entries;
        if (emptyFirst) await kv.clear();
        const ms = await elapsedMs(() => writer.write(kv, entries));
        await checkEntries(kv, entries);
        return rate(count, ms);
      };
      return { name: writer.name, sample };
    });
    const questions = [ratio(together, alone, atLeast(2))];
    return interleave(effort, {
      unit: "entries/s",
      contestants,
      questions,
      rounds: 41,
      warmUps: 10,
    });
  };
  return { name, title, run };
}

export const setManyExisting = batchWorkload(
  "set-many-existing",
  "setMany of 10,000 entries that are there, against 10,000 awaited sets",
  false,
);

export const setManyNew = batchWorkload(
  "set-many-new",
  "setMany of 10,000 new entries into an empty store, against 10,000 awaited sets",
  true,
);
