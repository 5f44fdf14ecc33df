// Files of small stores, for what damage does to them: which transactions they hold is known.

import { repairWal } from "../../../src/engines/wal/repair.js";
import { walDefaults } from "../../../src/engines/wal/wal-defaults.js";
import { WalEngine } from "../../../src/engines/wal/wal-engine.js";
import type { RepairReport } from "../../../src/engines/wal/wal-report.js";
import type { Env } from "../../../src/env/env.js";
import { mendRows } from "../../../src/operations/mend.js";
import { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { dumpOf, Model, type RecordedChanges } from "./recorded-history.js";
import { envOn, type FileSet, filesOn, storePath } from "./wal-files.js";

export const options = { ...walDefaults, path: storePath, trackKeys: false, syncWrites: true };

/** Transaction `number` puts value v<number> under one of five keys. */
export function changesOf(number: number): RecordedChanges {
  const key = `k${number % 5}`;
  return [{ kind: "put", table: "values", key, value: `v${number}`, deadline: Infinity }];
}

export function dumpAfter(numbers: readonly number[]): string {
  const model = new Model();
  for (const number of numbers) model.apply(changesOf(number));
  return model.dump;
}

export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Transactions one by one, a state wherever `states` says; all files ever there are kept. */
export async function filesAfter(
  length: number,
  states: readonly number[] = [],
  keep = false,
): Promise<FileSet> {
  const disk = new SimulatedDisk();
  disk.makeDirectory(storePath);
  let engine = await WalEngine.open(envOn(disk), { ...options, segmentBytesMax: 300 });
  const kept: FileSet = new Map();
  for (const number of range(1, length)) {
    await engine.write((transaction) => {
      for (const change of changesOf(number)) {
        if (change.kind === "put") transaction.values.put(change.key, change.value, Infinity);
      }
    }, undefined);
    if (!states.includes(number)) continue;
    if (keep) for (const [path, bytes] of filesOn(disk)) kept.set(path, bytes);
    await engine.compact();
    await engine.close();
    engine = await WalEngine.open(envOn(disk), { ...options, segmentBytesMax: 300 });
  }
  await engine.close();
  return new Map([...kept, ...filesOn(disk)]);
}

export function pathsOf(files: FileSet, extension: ".log" | ".state"): string[] {
  return [...files.keys()].filter((path) => path.endsWith(extension)).sort();
}

export function flipped(files: FileSet, path: string, offset: number): FileSet {
  const bytes = Buffer.from(files.get(path) ?? Buffer.alloc(0));
  bytes[offset] = (bytes[offset] as number) ^ 0x10;
  return new Map(files).set(path, bytes);
}

export function repair(env: Env): Promise<RepairReport> {
  return repairWal(env, storePath, { mend: mendRows });
}

export async function dumpOn(disk: SimulatedDisk): Promise<string> {
  const engine = await WalEngine.open(envOn(disk), options);
  const dump = await engine.read(dumpOf, undefined);
  await engine.close();
  return dump;
}

/** Values only: counters leap after a loss. */
export function valuesIn(dump: string): string {
  const lines = dump.split("\n");
  return lines.filter((line) => line.startsWith("values ")).join("\n");
}
