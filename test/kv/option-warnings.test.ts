// Unknown options where the seeds' contract has them ignored: accepted, and told of in a warning of
// the process, once for each name and method.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type Kv, openKv } from "anykv";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { namesOf, tolerantFields } from "../../src/kv/option-names.js";

type Warning = Error & { code?: string; detail?: string };

const warnings: Warning[] = [];
const collect = (warning: Warning): void => {
  if (warning.code === "ANYKV_UNKNOWN_OPTION") warnings.push(warning);
};
// With a listener of its own the test run does not print them.
const printing = process.listeners("warning");
beforeAll(() => {
  process.removeAllListeners("warning").on("warning", collect);
});
afterAll(() => {
  process.removeAllListeners("warning");
  for (const listener of printing) process.on("warning", listener);
});
beforeEach(() => {
  warnings.length = 0;
});

/** What a call has warned of. Warnings come in a later turn. */
async function warned(call: () => unknown): Promise<string[]> {
  warnings.length = 0;
  await call();
  await setImmediate();
  return warnings.map(({ message }) => message);
}

const directory = mkdtempSync(join(tmpdir(), "anykv-warnings-"));
const kv = openKv({ backend: "memory", name: "option-warnings" });
afterAll(async () => {
  await kv.close();
  rmSync(directory, { recursive: true, force: true });
});
const fileName = join(directory, "file");
const csvName = join(directory, "csv");
writeFileSync(csvName, "id,text\na,b\n");
const attending = { signal: new AbortController().signal, onProgress: () => {} };

/** Of each method a call with all options that it has, but those that exclude another one. */
const calls: Readonly<Record<string, (kv: Kv, unknown: object) => Promise<unknown>>> = {
  scan: (kv, unknown) => kv.scan({ prefix: "", limit: 1, cursor: "", ...unknown }),
  scanKeys: (kv, unknown) => kv.scanKeys({ prefix: "", limit: 1, cursor: "", ...unknown }),
  listClaims: (kv, unknown) => kv.listClaims({ prefix: "", limit: 1, cursor: "", ...unknown }),
  list: (kv, unknown) => kv.list({ prefix: "", limit: 1, ...unknown }),
  listKeys: (kv, unknown) => kv.listKeys({ prefix: "", limit: 1, ...unknown }),
  count: (kv, unknown) => kv.count({ prefix: "", ...unknown }),
  randomKey: (kv, unknown) => kv.randomKey({ prefix: "", ...unknown }),
  randomKeys: (kv, unknown) => kv.randomKeys({ prefix: "", count: 1, unique: true, ...unknown }),

  claimRandom: (kv, unknown) => kv.claimRandom({ prefix: "", owner: "", ttl: 1, ...unknown }),
  claimRandomMany: (kv, unknown) =>
    kv.claimRandomMany({ prefix: "", count: 1, owner: "", ttl: 1, ...unknown }),
  claimKey: (kv, unknown) => kv.claimKey("a", { owner: "", ttl: 1, ...unknown }),
  claimKeys: (kv, unknown) =>
    kv.claimKeys(["a"], { owner: "", ttl: 1, allOrNothing: true, ...unknown }),
  popRandom: async (kv, unknown) =>
    kv.popRandom({ prefix: "", claim: await guard(kv), ...unknown }),
  popRandomMany: async (kv, unknown) =>
    kv.popRandomMany({ prefix: "", count: 1, claim: await guard(kv), ...unknown }),
  completeClaim: async (kv, unknown) =>
    kv.completeClaim(await guard(kv), { deleteKey: false, ...unknown }),
  completeClaims: async (kv, unknown) =>
    kv.completeClaims([await guard(kv)], { deleteKey: false, ...unknown }),
  renewClaim: async (kv, unknown) => kv.renewClaim(await guard(kv), { ttl: 1, ...unknown }),
  renewClaims: async (kv, unknown) => kv.renewClaims([await guard(kv)], { ttl: 1, ...unknown }),

  compareAndSwapDetailed: async (kv, unknown) =>
    kv.compareAndSwapDetailed("a", 1, 2, {
      claim: await guard(kv),
      compress: false,
      keepTtl: true,
      ttl: undefined,
      includeCurrentOnMismatch: true,
      ...unknown,
    }),
  compareAndDeleteDetailed: async (kv, unknown) =>
    kv.compareAndDeleteDetailed("a", 1, {
      claim: await guard(kv),
      includeCurrentOnMismatch: true,
      ...unknown,
    }),
  deleteByPrefix: async (kv, unknown) =>
    kv.deleteByPrefix({ prefix: "a", limit: 1, claim: await guard(kv), ...unknown }),
  allocationStats: (kv, unknown) => kv.allocationStats({ prefix: "", ...unknown }),

  exportJSONL: (kv, unknown) =>
    kv.exportJSONL({ fileName, prefix: "", limit: 0, ...attending, ...unknown }),
  validateJSONL: (kv, unknown) =>
    kv.validateJSONL({ fileName, keyPrefix: "", limit: 0, ...attending, ...unknown }),
  importJSONL: (kv, unknown) =>
    kv.importJSONL({ fileName, keyPrefix: "", limit: 0, batchSize: 1, ...attending, ...unknown }),
  exportCSV: (kv, unknown) =>
    kv.exportCSV({
      fileName,
      prefix: "none",
      limit: 0,
      delimiter: ",",
      columns: ["text"],
      includeKey: true,
      ...attending,
      ...unknown,
    }),
  validateCSV: (kv, unknown) => kv.validateCSV({ ...csvOptions, ...attending, ...unknown }),
  importCSV: (kv, unknown) =>
    kv.importCSV({ ...csvOptions, batchSize: 1, ...attending, ...unknown }),
  backup: (kv, unknown) =>
    kv.backup({ fileName: backupName, allowConcurrentWrites: false, ...attending, ...unknown }),
  restore: (kv, unknown) =>
    kv.restore({ fileName: backupName, maxEntries: 0, maxBytes: 0, ...attending, ...unknown }),
};
const backupName = join(directory, "backup");
const csvOptions = {
  fileName: csvName,
  keyPrefix: "",
  keyColumn: "id",
  limit: 0,
  delimiter: ",",
  hasHeader: true,
};

async function guard(kv: Kv) {
  await kv.set("guard", 1);
  const claim = await kv.claimKey("guard", { ttl: 60_000 });
  if (claim === null) throw new Error("the guard is claimed");
  return claim;
}

describe.each(Object.entries(calls))("%s", (method, call) => {
  beforeEach(async () => {
    await kv.clear();
    await kv.set("a", 1);
  });

  test("warns of an unknown option once, and of no known one", async () => {
    const known = await warned(() => call(kv, {}));
    expect(known).toEqual([]);
    await kv.clear();
    const first = await warned(() => call(kv, { colourful: undefined }));
    expect(first).toEqual([`option "colourful" of ${method} is not known and has no effect`]);
    await kv.clear();
    expect(await warned(() => call(kv, { colourful: 1 }))).toEqual([]);
  });
});

describe("a warning", () => {
  test("names the nearest option and those that are known", async () => {
    const messages = await warned(() => kv.claimRandom({ prefx: "user:" } as object));
    expect(messages).toEqual([
      'option "prefx" of claimRandom is not known and has no effect; did you mean "prefix"?',
    ]);
    expect(warnings[0]?.name).toBe("AnykvWarning");
    expect(warnings[0]?.detail).toBe("known are owner, prefix, ttl");
  });

  test("comes also when the call is refused", async () => {
    const call = () => kv.randomKeys({ cuont: 1 } as never).catch(({ name }) => name);
    expect(await warned(async () => expect(await call()).toBe("InvalidOptionsError"))).toEqual([
      'option "cuont" of randomKeys is not known and has no effect; did you mean "count"?',
    ]);
  });

  test("is short for names of any length", async () => {
    expect(await warned(() => kv.count({ ["x".repeat(1e6)]: 1 } as object))).toEqual([
      "an option of 1000000 characters of count is not known and has no effect",
    ]);
  });
});

describe("openKv", () => {
  const open = (options: object) => () =>
    openKv({ backend: "memory", name: "misspelt", ...options }).close();

  test.each([
    [{ trackKey: true }, "trackKey", '"trackKeys"'],
    [{ syncWrites: true }, "syncWrites", '"wal.syncWrites"'],
    [{ snycWrites: true }, "snycWrites", '"wal.syncWrites"'],
    [{ timeout: "1s" }, "timeout", '"disk.timeout" or "shared.timeout"'],
    [{ "wal.syncWrites": true }, "wal.syncWrites", "wal: { syncWrites }"],
    [{ disk: { nosync: true } }, "disk.nosync", '"disk.noSync"'],
    [{ disk: { syncWrites: true } }, "disk.syncWrites", '"wal.syncWrites"'],
    [{ disk: { timeot: 1 } }, "disk.timeot", '"disk.timeout"'],
    [{ memory: { trackKeys: true } }, "memory.trackKeys", '"trackKeys"'],
    [{ metrics: { operation: true } }, "metrics.operation", '"metrics.operations"'],
  ])("warns of %j", async (options, name, meant) => {
    const message = `option "${name}" of openKv is not known and has no effect; did you mean ${meant}?`;
    expect(await warned(open(options))).toEqual([message]);
    expect(await warned(open(options))).toEqual([]);
  });

  test("knows what the seeds have, for every backend", async () => {
    const disk = {
      timeout: "1s",
      noSync: false,
      noGrowSync: false,
      noFreelistSync: false,
      preLoadFreelist: false,
      freelistType: "array",
      readOnly: false,
      initialMmapSize: 0,
      mlock: false,
    };
    const metrics = { operations: false };
    const seeds = { path: "x", serialization: "json", trackKeys: false, metrics };
    expect(await warned(open({ ...seeds, memory: { shardCount: 0 }, disk }))).toEqual([]);
  });
});

describe("no warning", () => {
  afterEach(() => {
    Reflect.deleteProperty(Object.prototype, "added");
  });

  test("of what Object.prototype was given, of symbols, and of no options at all", async () => {
    Reflect.set(Object.prototype, "added", 1);
    const options = { prefix: "", [Symbol("s")]: 1 };
    expect(await warned(() => kv.count(options))).toEqual([]);
    expect(await warned(() => Promise.all([kv.count(), kv.count(null as never)]))).toEqual([]);
  });

  test("of a whole claim where a claim is asked for", async () => {
    await kv.set("a", 1);
    const messages = await warned(async () => {
      const [claim] = await kv.claimRandomMany({ count: 1, owner: "me" });
      if (claim === undefined) throw new Error("nothing was free");
      await kv.renewClaim(claim, { ttl: 1000 });
      await kv.popRandom({ claim, prefix: "none" });
      await kv.deleteByPrefix({ claim, prefix: "none", limit: 1 });
      await kv.releaseClaims([claim]);
    });
    expect(messages).toEqual([]);
  });

  test("after a hundred", async () => {
    vi.resetModules();
    const fresh: { namesOf: typeof namesOf; tolerantFields: typeof tolerantFields } = await import(
      "../../src/kv/option-names.js"
    );
    const known = fresh.namesOf<{ prefix: 1 }>({ prefix: true });
    const call = (index: number) => fresh.tolerantFields({ [`x${index}`]: 1 }, known, "count");
    const messages = await warned(() => Array.from({ length: 150 }, (_, index) => call(index)));
    expect(messages).toHaveLength(100);
    expect(messages.at(-1)).toBe('option "x99" of count is not known and has no effect');
    expect(call(200)).toEqual({ x200: 1 });
  });
});
