// Verify and repair on the file of a disk store: what is in order, each thing that can be wrong with
// it, and what is left after a repair.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { isKvError, type Kv } from "anykv";
import { seededRandom } from "anykv/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseHeader } from "../../../src/engines/lmdb/file-header.js";
import type { FileRepairReport, FileReport } from "../../../src/engines/lmdb/file-report.js";
import { byteKeys } from "../../../src/engines/lmdb/key-format.js";
import {
  loadLmdb,
  type NativeRoot,
  type NativeTable,
} from "../../../src/engines/lmdb/lmdb-module.js";
import { repairLmdb } from "../../../src/engines/lmdb/repair.js";
import { verifyLmdb } from "../../../src/engines/lmdb/verify.js";
import { nodeEnv } from "../../../src/env/env.js";
import { checkRows } from "../../../src/operations/check.js";
import { mendRows } from "../../../src/operations/mend.js";
import { fill, openDisk, Scratch } from "./sample-store.js";

const verify = (path: string): Promise<FileReport> =>
  verifyLmdb(nodeEnv, path, { check: checkRows });
const repair = (path: string): Promise<FileRepairReport> =>
  repairLmdb(nodeEnv, path, { check: checkRows, mend: mendRows });

function storePath(): string {
  const scratch = new Scratch();
  onTestFinished(() => scratch[Symbol.dispose]());
  return scratch.file("store");
}

async function filled(seed = 1): Promise<string> {
  const path = storePath();
  const kv = openDisk(path);
  await fill(kv, seed);
  await kv.close();
  return path;
}

type Handles = (name: string) => NativeTable<Uint8Array>;

/** Changes rows of a closed store behind its back. */
async function tamper(
  path: string,
  change: (table: Handles, root: NativeRoot) => void,
): Promise<void> {
  const { open } = await loadLmdb();
  const root = open(path, {
    noSubdir: true,
    overlappingSync: false,
    maxDbs: 32,
    keyEncoder: byteKeys,
  });
  const options = { encoding: "binary", keyEncoder: byteKeys };
  const table: Handles = (name) => root.openDB(name, options) as unknown as NativeTable<Uint8Array>;
  table("values");
  await root.childTransaction(() => change(table, root));
  await root.close();
}

async function contentOf(kv: Kv): Promise<unknown> {
  const arrays = await kv.listArrays();
  const elements = await Promise.all(arrays.map(async (key) => [key, await kv.range(key)]));
  return { values: await kv.list(), elements };
}

async function contentAt(path: string): Promise<unknown> {
  const kv = openDisk(path);
  const content = await contentOf(kv);
  await kv.close();
  return content;
}

describe("a store in order", () => {
  test.each([1, 2, 3])("has no problems: seed %i", async (seed) => {
    const path = await filled(seed);
    const before = readFileSync(path);
    const report = await verify(path);
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ path, bytes: before.length, layout: "anykv 1" });
    expect(report.tables.map(({ table }) => table)).toContain("items");
    for (const { table, rows, expiring } of report.tables) {
      if (["values", "claims", "items", "lists"].includes(table)) expect(rows).toBeGreaterThan(0);
      if (table === "claims") expect(expiring).toBe(rows);
    }
    expect(report.freeKeys).toBeGreaterThan(0);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(await repair(path)).toMatchObject({ changed: false, lossless: true });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("is in order while it is empty, and right after it was made", async () => {
    const path = storePath();
    const kv = openDisk(path);
    await kv.size();
    expect((await verify(path)).problems).toEqual([]);
    await kv.set("a", 1);
    await kv.delete("a");
    await kv.close();
    const report = await verify(path);
    expect(report.problems).toEqual([]);
    expect(report.tables.reduce((sum, { rows }) => sum + rows, 0)).toBe(0);
  });

  test("is looked at in one state of it while others write", async () => {
    const path = storePath();
    const kv = openDisk(path);
    await fill(kv, 9, 4);
    let writes = true;
    const writing = (async () => {
      for (let seed = 10; writes; seed++) await fill(kv, seed, 1, 50);
    })();
    for (let round = 0; round < 8; round++) expect((await verify(path)).problems).toEqual([]);
    writes = false;
    await writing;
    await kv.close();
  });
});

const text = (key: string): Buffer => Buffer.from(key);

describe("indexes", () => {
  test.each<[what: RegExp, change: (table: Handles) => void]>([
    [/counts \d+ keys of \d+/, (table) => table("values").putSync(text("key:~"), "1")],
    [
      /the order of values is wrong/,
      (table) => table("order").removeSync(Uint8Array.of(1, 0, 0, 0, 0)),
    ],
    [/is malformed/, (table) => table("order").putSync(Uint8Array.of(1, 0, 0, 0, 0), "short")],
    [/nodes too many/, (table) => table("order").putSync(Uint8Array.of(2, 9, 9, 9, 9), "more")],
    [/deadlines are kept of values/, (table) => table("deadlines:values").clearSync()],
    [/index of free keys has keys too many/, (table) => table("free").putSync(text("~~"), "")],
    [/index of free keys differs/, (table) => table("free").clearSync()],
  ])("are told and computed anew: %s", async (what, change) => {
    const path = await filled();
    await tamper(path, (table) => change(table));
    const report = await verify(path);
    expect(report.problems.map((problem) => problem.what).join("\n")).toMatch(what);
    expect(new Set(report.problems.map(({ part }) => part))).toEqual(new Set(["indexes"]));
    const repaired = await repair(path);
    expect(repaired).toMatchObject({ changed: true, lossless: true, kept: undefined });
    expect((await verify(path)).problems).toEqual([]);
    const kv = openDisk(path);
    expect(await kv.count()).toBe((await kv.listKeys()).length);
    // Nothing is lost, so tokens go on where they were.
    const claim = await kv.claimRandom();
    expect(claim?.token).toBeLessThan(1_000_000);
    await kv.close();
    expect((await verify(path)).problems).toEqual([]);
  });
});

describe("rows", () => {
  const lease = `\x01${(Date.now() + 3_600_000).toString(36).padStart(11, "0")}1 me`;

  const list = (table: Handles): Buffer => {
    for (const key of table("lists").getKeys({ start: undefined, limit: 1 }))
      return Buffer.from(key);
    throw new Error("no list");
  };
  test.each<[what: string, change: (table: Handles) => void]>([
    ["cannot be read", (table) => table("values").putSync(text("key:x"), Buffer.of(4, 1))],
    ["cannot be read", (table) => table("values").putSync(text("key:x"), Buffer.of(1, 48))],
    ["cannot be read", (table) => table("values").putSync(text("key:x"), Buffer.of(0xff, 0xff))],
    ["cannot be read", (table) => table("values").putSync(Buffer.of(0xff), "1")],
    ["is no claim", (table) => table("claims").putSync(text("key:x"), "me")],
    ["is a claim without a value", (table) => table("claims").putSync(text("nobody"), lease)],
    ["holds a value and an array", (table) => table("values").putSync(list(table), "1")],
    ["is no array", (table) => table("lists").putSync(text("l"), "1 2 2")],
    ["lacks 7 of its 7 elements", (table) => table("lists").putSync(text("l"), "99999 0 7")],
    ["is no element", (table) => table("items").putSync(text("x"), "1")],
    ["is beyond the ends of its array", (table) => table("items").putSync(text("1:999"), "1")],
    ["is no member", (table) => table("members").putSync(text("9:b"), "\0")],
    ["is no array under removal", (table) => table("garbage").putSync(text("x"), "1")],
    ["is no counter", (table) => table("counters").putSync(text("other"), "1")],
    ["stands at 0", (table) => table("counters").removeSync(text("token"))],
  ])("are told: %s", async (what, change) => {
    const path = storePath();
    const kv = openDisk(path);
    for (let key = 0; key < 5; key++) await kv.set(`key:${key}`, key);
    for (let element = 0; element < 30; element++) await kv.append("list", element);
    await kv.claimRandom({ ttl: 3_600_000 });
    await kv.filter("b").add("item");
    await kv.close();
    expect((await verify(path)).problems).toEqual([]);
    await tamper(path, (table) => change(table));
    const report = await verify(path);
    const rows = report.problems.filter(({ part }) => part === "rows");
    expect(rows.filter((problem) => problem.what.includes(what))).toHaveLength(1);
    await repair(path);
    expect((await verify(path)).problems).toEqual([]);
  });

  test("are put in order, with everything else as it was", async () => {
    const path = await filled();
    const before = await contentAt(path);
    await tamper(path, (table) => {
      table("values").putSync(text("zzz"), Buffer.of(4, 1));
      table("values").putSync(Buffer.of(0xff, 0xfe), "1");
      table("claims").putSync(text("nobody"), "1 me");
      table("items").putSync(text("77777:1"), "1");
      table("counters").removeSync(text("token"));
    });
    const report = await repair(path);
    expect(report).toMatchObject({ changed: true, lossless: false, unreadableRows: 2 });
    expect((await verify(path)).problems).toEqual([]);
    expect(await contentAt(path)).toEqual(before);
  });
});

describe("pages", () => {
  /** A damaged leaf page of the values, and the store's content before. */
  async function damaged(): Promise<{ path: string; before: { values: { key: string }[] } }> {
    const path = await filled(4);
    const before = (await contentAt(path)) as { values: { key: string }[] };
    const bytes = readFileSync(path);
    const pageBytes = parseHeader(bytes)?.pageBytes as number;
    const random = seededRandom(1);
    for (;;) {
      const at = (2 + random.below(bytes.length / pageBytes - 2)) * pageBytes;
      const page = bytes.subarray(at, at + pageBytes);
      if (page.readUInt16LE(18) !== 2 || !page.includes('{"key":"key:')) continue;
      const bad = Buffer.from(bytes);
      bad.fill(0xa5, at, at + 24);
      writeFileSync(path, bad);
      if ((await verify(path)).problems.length > 0) return { path, before };
    }
  }

  test("are told, and nothing is mapped", async () => {
    const { path } = await damaged();
    const report = await verify(path);
    expect(report.problems[0]).toMatchObject({ part: "pages" });
    expect(report.problems[0]?.what).toMatch(/^page \d+ of values says that it is page \d+$|NaN/);
    expect(report).toMatchObject({ tables: [], layout: undefined });
  });

  test("are left behind by a repair, which keeps the old file", async () => {
    const { path, before } = await damaged();
    const old = readFileSync(path);
    const report = await repair(path);
    expect(report).toMatchObject({ changed: true, lossless: false });
    expect(readFileSync(report.kept as string).equals(old)).toBe(true);
    expect(readdirSync(dirname(path)).sort()).toEqual(
      ["store", "store-lock", basename(report.kept as string)].sort(),
    );
    const after = (await contentAt(path)) as { values: { key: string }[] };
    expect(after.values.length).toBeGreaterThan(before.values.length / 2);
    expect(before.values).toEqual(expect.arrayContaining(after.values));
    expect((await verify(path)).problems).toEqual([]);
  });

  test("are not repaired while another process has the store open", async () => {
    const { path } = await damaged();
    const lock = readFileSync(`${path}-lock`);
    lock.writeUInt32LE(process.ppid, 208 + 8);
    writeFileSync(`${path}-lock`, lock);
    const old = readFileSync(path);
    const refusal = await repair(path).catch((error: unknown) => error);
    expect(isKvError(refusal) && refusal.message).toBe(
      `${path} is in use by process ${process.ppid}`,
    );
    expect(readFileSync(path).equals(old)).toBe(true);
  });
});
