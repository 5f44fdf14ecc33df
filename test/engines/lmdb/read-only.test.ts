// A disk store that is opened read-only: what it refuses, what it does in spite of that, and that
// nothing in the file changes.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type Claim, isKvError, type Kv } from "anykv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDisk, Scratch } from "./sample-store.js";

const scratch = new Scratch();
const path = scratch.file("store");
let kv: Kv;
let claim: Claim;
let bytes: Buffer;

beforeAll(async () => {
  const writer = openDisk(path);
  for (let key = 0; key < 20; key++) await writer.set(`key:${key}`, { key });
  await writer.set("counter", 1);
  await writer.append("list", 1);
  await writer.filter("bucket").add("item");
  claim = (await writer.claimKey("key:1", { ttl: 3_600_000 })) as Claim;
  await writer.exportJSONL({ fileName: scratch.file("rows.jsonl") });
  await writer.backup({ fileName: scratch.file("backup") });
  await writer.close();
  writeFileSync(scratch.file("rows.csv"), "key,name\nkey:1,a\n");
  writeFileSync(scratch.file("empty.jsonl"), "");
  bytes = readFileSync(path);
  kv = openDisk(path, { disk: { readOnly: true } });
});

afterAll(async () => {
  await kv.close();
  scratch[Symbol.dispose]();
});

const refused: Readonly<Record<string, () => Promise<unknown>>> = {
  set: () => kv.set("a", 1),
  setMany: () => kv.setMany({ a: 1 }),
  delete: () => kv.delete("key:1"),
  "delete of a missing key": () => kv.delete("nothing"),
  deleteMany: () => kv.deleteMany(["key:1"]),
  deleteByPrefix: () => kv.deleteByPrefix({ prefix: "key:", limit: 1 }),
  deleteIfExists: () => kv.deleteIfExists("key:1"),
  incrementBy: () => kv.incrementBy("counter", 1),
  "getOrSet of an existing key": () => kv.getOrSet("key:1", 1),
  swap: () => kv.swap("key:1", 1),
  compareAndSwap: () => kv.compareAndSwap("key:1", { key: 1 }, 2),
  "compareAndSwap that does not match": () => kv.compareAndSwap("key:1", "other", 2),
  compareAndSwapDetailed: () => kv.compareAndSwapDetailed("key:1", 1, 2),
  compareAndDelete: () => kv.compareAndDelete("key:1", { key: 1 }),
  compareAndDeleteDetailed: () => kv.compareAndDeleteDetailed("key:1", 1),
  setIfAbsent: () => kv.setIfAbsent("a", 1),
  clear: () => kv.clear(),
  restore: () => kv.restore({ fileName: scratch.file("backup") }),
  "restore of itself": () => kv.restore(),
  claimRandom: () => kv.claimRandom(),
  claimRandomMany: () => kv.claimRandomMany({ count: 2 }),
  claimKey: () => kv.claimKey("key:2"),
  claimKeys: () => kv.claimKeys(["key:2"]),
  popRandom: () => kv.popRandom(),
  popRandomMany: () => kv.popRandomMany({ count: 2 }),
  releaseClaim: () => kv.releaseClaim(claim),
  completeClaim: () => kv.completeClaim(claim),
  renewClaim: () => kv.renewClaim(claim, { ttl: 1_000 }),
  releaseClaims: () => kv.releaseClaims([claim]),
  completeClaims: () => kv.completeClaims([claim]),
  renewClaims: () => kv.renewClaims([claim], { ttl: 1_000 }),
  importJSONL: () => kv.importJSONL({ fileName: scratch.file("rows.jsonl") }),
  importCSV: () => kv.importCSV({ fileName: scratch.file("rows.csv"), keyColumn: "key" }),
  append: () => kv.append("list", 2),
  pop: () => kv.pop("list"),
  deleteArray: () => kv.deleteArray("list"),
  "filter.add": () => kv.filter("bucket").add("other"),
};

const allowed: Readonly<Record<string, [run: () => Promise<unknown>, result: unknown]>> = {
  get: [() => kv.get("key:3"), { key: 3 }],
  getMany: [() => kv.getMany(["counter"]), [{ key: "counter", exists: true, value: 1 }]],
  exists: [() => kv.exists("key:3"), true],
  size: [() => kv.size(), 21],
  count: [() => kv.count({ prefix: "key:1" }), 11],
  list: [() => kv.list({ prefix: "counter" }), [{ key: "counter", value: 1 }]],
  listKeys: [() => kv.listKeys({ limit: 1 }), ["counter"]],
  scan: [() => kv.scan({ prefix: "counter" }), { cursor: "", done: true }],
  scanKeys: [() => kv.scanKeys({ prefix: "counter" }), { keys: ["counter"] }],
  randomKey: [() => kv.randomKey({ prefix: "counter" }), "counter"],
  randomKeys: [() => kv.randomKeys({ prefix: "counter", count: 3 }), ["counter"]],
  range: [() => kv.range("list"), [1]],
  length: [() => kv.length("list"), 1],
  "filter.contains": [() => kv.filter("bucket").contains("item"), true],
  "setMany of nothing": [() => kv.setMany({}), { written: 0 }],
  "deleteMany of nothing": [() => kv.deleteMany([]), { deleted: 0, missing: 0 }],
  "claimKeys of nothing": [() => kv.claimKeys([]), { claimed: [], busy: [], missing: [] }],
  "releaseClaims of nothing": [
    () => kv.releaseClaims([]),
    { attempted: 0, released: 0, failed: [] },
  ],
  "completeClaims of nothing": [() => kv.completeClaims([]), { attempted: 0, failed: [] }],
  "renewClaims of nothing": [() => kv.renewClaims([], { ttl: 1 }), { attempted: 0, failed: [] }],
  "import of nothing": [
    () => kv.importJSONL({ fileName: scratch.file("empty.jsonl") }),
    { imported: 0 },
  ],
  rebuildKeyList: [() => kv.rebuildKeyList(), true],
  backup: [() => kv.backup({ fileName: scratch.file("copy") }), { bestEffort: false }],
  "backup to itself": [() => kv.backup(), { bestEffort: false }],
  exportJSONL: [() => kv.exportJSONL({ fileName: scratch.file("out.jsonl") }), { exported: 21 }],
  exportCSV: [
    () => kv.exportCSV({ fileName: scratch.file("out.csv"), prefix: "key:", columns: ["name"] }),
    { exported: 20 },
  ],
  validateJSONL: [
    () => kv.validateJSONL({ fileName: scratch.file("rows.jsonl") }),
    { valid: true },
  ],
  validateCSV: [() => kv.validateCSV({ fileName: scratch.file("rows.csv") }), { valid: true }],
  "stats, with the claims in the file": [
    () => kv.stats(),
    { count: 21, claims: { live: 1, expired: 0 }, disk: { path, readOnly: true } },
  ],
  allocationStats: [() => kv.allocationStats(), { total: 21, claimable: 20, claimedLive: 1 }],
};

describe("a store that is opened read-only", () => {
  for (const [name, run] of Object.entries(refused)) {
    test(`refuses ${name}`, async () => {
      const error = await run().catch((reason: unknown) => reason);
      expect(isKvError(error) && error.name).toBe("StoreReadOnlyError");
      expect((error as Error).message).toBe("disk store was opened in read-only mode");
    });
  }

  for (const [name, [run, result]] of Object.entries(allowed)) {
    test(`does ${name}`, async () => {
      const found = await run();
      if (typeof result === "object") expect(found).toMatchObject(result as object);
      else expect(found).toBe(result);
    });
  }

  test("checks arguments first", async () => {
    const error = await kv.set("", 1).catch((reason: unknown) => reason);
    expect(isKvError(error) && error.name).toBe("InvalidOptionsError");
  });

  test("leaves the file as it is", () => {
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(readdirSync(scratch.path).filter((name) => name.includes("tmp"))).toEqual([]);
  });

  test("sees what others write beside it", async () => {
    const writer = scratch.file("shared");
    const other = openDisk(writer);
    await other.set("a", 1);
    const reader = openDisk(writer, { disk: { readOnly: true } });
    expect(await reader.get("a")).toBe(1);
    await other.set("a", 2);
    expect(await reader.get("a")).toBe(2);
    await other.close();
    await reader.close();
  });
});
