// Lifecycle calls: one good and one bad call of every public method that returns a promise.
//
// The good ones succeed on a store that `prepare` has filled, each by itself and all at once in the
// order of the table. The table names every method, or it does not compile.

import { readFileSync, writeFileSync } from "node:fs";
import { MemoryEngine } from "../engines/memory/memory-engine.js";
import { nodeEnv } from "../env/env.js";
import type { Filter } from "../kv/filter.js";
import type { Kv } from "../kv/kv.js";
import type { Claim } from "../kv/types.js";
import { LocalStore } from "../store/local-store.js";
import { backup } from "../transfer/backup.js";
import { lmdbSnapshotFiles } from "../transfer/snapshot-files.js";
import { scratchFile } from "./scratch-directory.js";

type FilterMethod = `filter.${Exclude<keyof Filter, "bucket">}`;
export type AsyncMethod =
  | Exclude<keyof Kv, "close" | "filter" | typeof Symbol.asyncDispose>
  | FilterMethod;

export interface Call {
  /** Arguments of a call that succeeds. */
  readonly good: (claim: Claim) => readonly unknown[];
  /** Arguments that are refused with `InvalidOptionsError`; null where there is nothing to refuse. */
  readonly bad: readonly unknown[] | null;
}

const noKey = [""];
const noObject = ["text"];
const noRef = [{ id: "claim-1" }];
const noRefs = [[{ id: "claim-1" }]];

const pool = { prefix: "pool:", count: 1 };

const noFile = [{ fileName: " " }];

/** Files that hold one value. */
function jsonlFile(): { fileName: string } {
  const fileName = scratchFile("one.jsonl");
  writeFileSync(fileName, '{"key":"value","value":1}\n');
  return { fileName };
}

function csvFile(): { fileName: string; keyColumn: string } {
  const fileName = scratchFile("one.csv");
  writeFileSync(fileName, "id\nvalue\n");
  return { fileName, keyColumn: "id" };
}

let backupBytes: Promise<Buffer> | undefined;
let backedUp: Buffer = Buffer.alloc(0);

/** Makes what `restore` reads, once in a process. Waited for before `calls` are used. */
export async function makeBackup(): Promise<void> {
  backupBytes ??= writeBackup();
  backedUp = await backupBytes;
}

// Below the handles, because the registry of stores may be one of the test.
async function writeBackup(): Promise<Buffer> {
  const target = scratchFile("one.kv");
  const store = new LocalStore(new MemoryEngine(nodeEnv, { trackKeys: false }), nodeEnv);
  await store.set({ key: "value", value: "1", options: undefined });
  const attended = { signal: undefined, onProgress: undefined };
  const copying = { env: nodeEnv, store, files: lmdbSnapshotFiles, ...attended };
  await backup(copying, { target, bestEffort: false });
  await store.close();
  return readFileSync(target);
}

function backupFile(): { fileName: string } {
  const fileName = scratchFile("one.kv");
  writeFileSync(fileName, backedUp);
  return { fileName };
}

export const calls: { readonly [Name in AsyncMethod]: Call } = {
  get: { good: () => ["value"], bad: noKey },
  find: { good: () => ["value"], bad: noKey },
  getMany: { good: () => [["value", "none"]], bad: [[1]] },
  set: { good: () => ["value", 1], bad: ["", 1] },
  setMany: { good: () => [{ value: 1 }], bad: [[]] },
  exists: { good: () => ["value"], bad: noKey },
  incrementBy: { good: () => ["counter", 1], bad: ["", 1] },
  getOrSet: { good: () => ["value", 1], bad: ["", 1] },
  swap: { good: () => ["value", 1], bad: ["", 1] },
  compareAndSwap: { good: () => ["value", 1, 1], bad: ["", 1, 1] },
  compareAndSwapDetailed: { good: () => ["value", 1, 1], bad: ["", 1, 1] },
  setIfAbsent: { good: () => ["value", 1], bad: ["", 1] },
  scan: { good: () => [{ limit: 1 }], bad: noObject },
  scanKeys: { good: () => [{ limit: 1 }], bad: noObject },
  list: { good: () => [], bad: noObject },
  listKeys: { good: () => [], bad: noObject },
  size: { good: () => [], bad: null },
  count: { good: () => [], bad: noObject },
  randomKey: { good: () => [], bad: noObject },
  randomKeys: { good: () => [{ count: 1 }], bad: [{ count: 0 }] },
  claimRandom: { good: () => [{ prefix: "pool:" }], bad: [{ ttl: 0 }] },
  claimRandomMany: { good: () => [pool], bad: [{ count: 0 }] },
  claimKey: { good: () => ["value"], bad: noKey },
  claimKeys: { good: () => [["value"]], bad: [["a", "a"]] },
  renewClaim: { good: (claim) => [claim, { ttl: 1000 }], bad: [...noRef, { ttl: 1000 }] },
  renewClaims: { good: (claim) => [[claim], { ttl: 1000 }], bad: [...noRefs, { ttl: 1000 }] },
  listClaims: { good: () => [{ limit: 1 }], bad: noObject },
  releaseClaim: { good: (claim) => [claim], bad: noRef },
  releaseClaims: { good: (claim) => [[claim]], bad: noRefs },
  completeClaim: { good: (claim) => [claim], bad: noRef },
  completeClaims: { good: (claim) => [[claim]], bad: noRefs },
  popRandom: { good: () => [{ prefix: "pool:" }], bad: noObject },
  popRandomMany: { good: () => [pool], bad: [{ count: 0 }] },
  append: { good: () => ["array", 1], bad: ["", 1] },
  prepend: { good: () => ["array", 1], bad: ["", 1] },
  pop: { good: () => ["array"], bad: noKey },
  popFirst: { good: () => ["array"], bad: noKey },
  popWait: { good: () => ["array"], bad: noKey },
  popFirstWait: { good: () => ["array"], bad: noKey },
  length: { good: () => ["array"], bad: noKey },
  range: { good: () => ["array"], bad: noKey },
  listArrays: { good: () => [], bad: noObject },
  deleteArray: { good: () => ["array"], bad: noKey },
  expire: { good: () => ["value", 1000], bad: ["value", 0] },
  ttl: { good: () => ["value"], bad: noKey },
  persist: { good: () => ["value"], bad: noKey },
  allocationStats: { good: () => [], bad: noObject },
  exportJSONL: { good: () => [{ fileName: scratchFile("all.jsonl") }], bad: noFile },
  importJSONL: { good: () => [jsonlFile()], bad: noFile },
  validateJSONL: { good: () => [jsonlFile()], bad: noFile },
  exportCSV: {
    good: () => [{ fileName: scratchFile("none.csv"), prefix: "none", columns: ["a"] }],
    bad: noFile,
  },
  importCSV: { good: () => [csvFile()], bad: noFile },
  validateCSV: { good: () => [csvFile()], bad: noFile },
  backup: { good: () => [{ fileName: scratchFile("all.kv") }], bad: [{ fileName: 1 }] },
  restore: { good: () => [backupFile()], bad: [{ maxBytes: 0.5 }] },
  stats: { good: () => [], bad: null },
  reportStats: { good: () => [], bad: null },
  metrics: { good: () => [], bad: null },
  metricsText: { good: () => [], bad: null },
  rebuildKeyList: { good: () => [], bad: null },
  "filter.contains": { good: () => ["item"], bad: noKey },
  "filter.add": { good: () => ["item"], bad: noKey },
  "filter.checkThenAdd": { good: () => ["item"], bad: noKey },
  "filter.delete": { good: () => ["item"], bad: noKey },
  "filter.size": { good: () => [], bad: null },
  "filter.clear": { good: () => [], bad: null },
  fetchRemove: { good: () => ["value"], bad: noKey },
  compareAndDelete: { good: () => ["value", 1], bad: ["", 1] },
  compareAndDeleteDetailed: { good: () => ["value", 1], bad: ["", 1] },
  delete: { good: () => ["value"], bad: noKey },
  deleteIfExists: { good: () => ["value"], bad: noKey },
  deleteMany: { good: () => [["value"]], bad: [[1]] },
  deleteByPrefix: { good: () => [{ prefix: "v", limit: 1 }], bad: [{ prefix: "v" }] },
  clear: { good: () => [], bad: null },
};

export const methods = Object.keys(calls) as AsyncMethod[];

/** Puts something there for every good call; resolves with a live claim. */
export async function prepare(kv: Kv): Promise<Claim> {
  await makeBackup();
  await kv.setMany({ value: 1, counter: 1, claimed: 1, "pool:1": 1, "pool:2": 1 });
  for (let element = 0; element < 8; element++) await kv.append("array", element);
  await kv.filter("bucket").add("item");
  await kv.reportStats();
  const claim = await kv.claimKey("claimed");
  if (claim === null) throw new Error("a free key could not be claimed");
  return claim;
}

/** Calls a method; those of filters on one bucket. */
export function invoke(kv: Kv, method: AsyncMethod, args: readonly unknown[]): Promise<unknown> {
  if (!method.startsWith("filter.")) return apply(kv, method, args);
  return apply(kv.filter("bucket"), method.slice("filter.".length), args);
}

function apply(target: object, name: string, args: readonly unknown[]): Promise<unknown> {
  const method: unknown = Reflect.get(target, name);
  if (typeof method !== "function") throw new Error(`there is no method ${name}`);
  return method.apply(target, args);
}
