// One successful call of every operation, for tests of what surrounds operations. All keys, values
// and items contain `secret`, and every call finds the store as the calls before it left it.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClaimRef, Filter, Kv } from "anykv";
import { afterAll } from "vitest";
import type { filterOperationNames, operationNames } from "../../src/kv/operation-names.js";

export const secret = "sesame";

type Calls = Record<keyof typeof operationNames, (kv: Kv) => Promise<unknown>>;
type FilterCalls = Record<keyof typeof filterOperationNames, (filter: Filter) => Promise<unknown>>;

const key = `key-${secret}`;
const other = `other-${secret}`;
const queue = `queue-${secret}`;
const value = { text: `value-${secret}` };
const gone: ClaimRef = { id: `id-${secret}`, key: `gone-${secret}`, token: 1 };

const directory = mkdtempSync(join(tmpdir(), "anykv-every-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const csvFile = join(directory, `csv-${secret}`);
writeFileSync(csvFile, `id,text\n${key},${value.text}\n`);
const jsonl = { fileName: join(directory, `jsonl-${secret}`), prefix: key };
const csv = { fileName: csvFile, prefix: key, columns: ["text"], keyColumn: "id" };
const backup = { fileName: join(directory, `backup-${secret}`) };

export const everyOperation: Calls = {
  set: (kv) => kv.set(key, value),
  get: (kv) => kv.get(key),
  find: (kv) => kv.find(key),
  getMany: (kv) => kv.getMany([key, other]),
  setMany: (kv) => kv.setMany({ [key]: value, [other]: value }),
  delete: (kv) => kv.delete(other),
  deleteIfExists: (kv) => kv.deleteIfExists(other),
  deleteMany: (kv) => kv.deleteMany([other]),
  deleteByPrefix: (kv) => kv.deleteByPrefix({ prefix: other, limit: 1 }),
  fetchRemove: (kv) => kv.fetchRemove(other),
  exists: (kv) => kv.exists(key),

  incrementBy: (kv) => kv.incrementBy(`counter-${secret}`, 1),
  getOrSet: (kv) => kv.getOrSet(key, value),
  swap: (kv) => kv.swap(key, value),
  compareAndSwap: (kv) => kv.compareAndSwap(key, value, value),
  compareAndSwapDetailed: (kv) => kv.compareAndSwapDetailed(key, value, value),
  setIfAbsent: (kv) => kv.setIfAbsent(key, value),
  compareAndDelete: (kv) => kv.compareAndDelete(other, value),
  compareAndDeleteDetailed: (kv) => kv.compareAndDeleteDetailed(other, value),

  scan: (kv) => kv.scan({ prefix: key }),
  scanKeys: (kv) => kv.scanKeys({ prefix: key }),
  list: (kv) => kv.list({ prefix: key }),
  listKeys: (kv) => kv.listKeys({ prefix: key }),
  size: (kv) => kv.size(),
  count: (kv) => kv.count({ prefix: key }),
  randomKey: (kv) => kv.randomKey({ prefix: key }),
  randomKeys: (kv) => kv.randomKeys({ prefix: key, count: 1 }),

  claimKey: (kv) => kv.claimKey(key, { owner: secret }),
  claimKeys: (kv) => kv.claimKeys([key, other]),
  claimRandom: (kv) => kv.claimRandom({ prefix: key }),
  claimRandomMany: (kv) => kv.claimRandomMany({ prefix: key, count: 1 }),
  popRandom: (kv) => kv.popRandom({ prefix: other }),
  popRandomMany: (kv) => kv.popRandomMany({ prefix: other, count: 1 }),
  releaseClaim: (kv) => kv.releaseClaim(gone),
  completeClaim: (kv) => kv.completeClaim(gone),
  renewClaim: (kv) => kv.renewClaim(gone, { ttl: 1 }),
  releaseClaims: (kv) => kv.releaseClaims([gone]),
  completeClaims: (kv) => kv.completeClaims([gone]),
  renewClaims: (kv) => kv.renewClaims([gone], { ttl: 1 }),
  listClaims: (kv) => kv.listClaims({ prefix: key }),

  append: (kv) => kv.append(queue, value),
  prepend: (kv) => kv.prepend(queue, value),
  length: (kv) => kv.length(queue),
  range: (kv) => kv.range(queue),
  listArrays: (kv) => kv.listArrays({ prefix: queue }),
  pop: (kv) => kv.pop(queue),
  popFirst: (kv) => kv.popFirst(queue),
  popWait: (kv) => kv.popWait(queue, { timeout: 0 }),
  popFirstWait: (kv) => kv.popFirstWait(queue, { timeout: 0 }),
  deleteArray: (kv) => kv.deleteArray(queue),

  importCSV: (kv) => kv.importCSV(csv),
  validateCSV: (kv) => kv.validateCSV(csv),
  exportCSV: (kv) => kv.exportCSV({ ...csv, fileName: join(directory, `out-${secret}`) }),
  exportJSONL: (kv) => kv.exportJSONL(jsonl),
  validateJSONL: (kv) => kv.validateJSONL(jsonl),
  importJSONL: (kv) => kv.importJSONL(jsonl),
  backup: (kv) => kv.backup(backup),
  restore: (kv) => kv.restore(backup),

  expire: (kv) => kv.expire(key, 1000),
  ttl: (kv) => kv.ttl(key),
  persist: (kv) => kv.persist(key),
  stats: (kv) => kv.stats(),
  allocationStats: (kv) => kv.allocationStats({ prefix: key }),
  reportStats: (kv) => kv.reportStats(),
  rebuildKeyList: (kv) => kv.rebuildKeyList(),
  clear: (kv) => kv.clear(),
};

export const everyFilterOperation: FilterCalls = {
  add: (filter) => filter.add(`item-${secret}`),
  contains: (filter) => filter.contains(`item-${secret}`),
  checkThenAdd: (filter) => filter.checkThenAdd(`item-${secret}`),
  size: (filter) => filter.size(),
  delete: (filter) => filter.delete(`item-${secret}`),
  clear: (filter) => filter.clear(),
};
