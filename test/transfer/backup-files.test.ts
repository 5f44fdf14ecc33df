// Files of backups on the real file system: where they are, who can open them, and what does not
// pass for one. What every backend has in common is in the suites.

import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv } from "anykv";
import { open as openLmdb } from "lmdb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nodeEnv } from "../../src/env/env.js";
import type { Files } from "../../src/env/files.js";

const home = process.cwd();
let directory = "";
let stores = 0;
let opened: Kv[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "anykv-backup-"));
});

afterEach(async () => {
  process.chdir(home);
  await Promise.all(opened.map((kv) => kv.close()));
  opened = [];
  rmSync(directory, { recursive: true, force: true });
});

function open(options: Parameters<typeof openKv>[0] = {}): Kv {
  const kv = openKv({ name: `backup ${++stores}`, backend: "memory", ...options });
  opened.push(kv);
  return kv;
}

function at(name: string): string {
  return join(directory, name);
}

async function nameOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "no error",
    (error: Error) => error.name,
  );
}

async function pool(kv: Kv, keys: number): Promise<void> {
  const entries = Array.from({ length: keys }, (_, index) => [`user:${index}`, { index }]);
  await kv.setMany(Object.fromEntries(entries));
}

describe("the file of a backup", () => {
  test("is where a disk store without a path looks for its own", async () => {
    process.chdir(directory);
    const memory = open();
    await pool(memory, 10);
    for (const fileName of [undefined, "", "  "]) {
      expect((await memory.backup({ fileName })).totalEntries).toBe(10);
    }
    expect(readdirSync(directory)).toEqual([".anykv"]);
    const disk = open({ backend: "disk", name: undefined });
    expect(await disk.size()).toBe(10);
    expect(await disk.get("user:3")).toEqual({ index: 3 });
    expect(await disk.claimRandomMany({ count: 20 })).toHaveLength(10);
    await disk.close();
    const next = open();
    expect(await next.restore()).toEqual({ totalEntries: 10 });
  });

  test("opens as a disk store with everything in it, and goes on as one", async () => {
    const wal = open({ backend: "wal", path: at("wal") });
    await pool(wal, 10);
    await wal.append("queue", 1);
    await wal.filter("seen").add("x");
    await wal.set("mortal", 1, { ttl: 1_000_000 });
    await wal.claimKey("user:1");
    await wal.backup({ fileName: at("store") });
    const disk = open({ backend: "disk", path: at("store") });
    expect(await disk.range("queue")).toEqual([1]);
    expect(await disk.filter("seen").contains("x")).toBe(true);
    expect(await disk.ttl("mortal")).toBeGreaterThan(0);
    expect(await disk.count({ prefix: "user:" })).toBe(10);
    expect((await disk.claimKey("user:1"))?.token).toBe(2);
    await disk.append("other", 2);
    expect(await disk.range("queue")).toEqual([1]);
    await disk.set("more", 1);
    // And back, while it is open.
    const memory = open();
    expect(await memory.restore({ fileName: at("store") })).toEqual({ totalEntries: 15 });
    expect(await memory.range("other")).toEqual([2]);
    expect(await memory.claimKey("user:1")).toMatchObject({ token: 3 });
  });

  test("of a wal store without path and fileName lies beside its directory, which is no target", async () => {
    process.chdir(directory);
    const wal = open({ backend: "wal", name: "own" });
    await wal.set("key", 1);
    expect((await wal.backup()).totalEntries).toBe(1);
    expect(readdirSync(directory).sort()).toEqual([".anykv", ".anykv.wal-own"]);
    expect(await nameOf(wal.backup({ fileName: ".anykv.wal-own" }))).toBe("SnapshotExportError");
    expect(await wal.get("key")).toBe(1);
  });

  test("is for its owner alone", async () => {
    const kv = open();
    await kv.backup({ fileName: at("new/deep/file") });
    const { statSync } = await import("node:fs");
    expect(statSync(at("new/deep/file")).mode & 0o777).toBe(0o600);
    expect(statSync(at("new/deep")).mode & 0o777).toBe(0o750);
  });

  test("takes the place of a link, not of what it leads to", async () => {
    writeFileSync(at("real"), "real");
    symlinkSync(at("real"), at("link"));
    const kv = open();
    await kv.backup({ fileName: at("link") });
    expect(readFileSync(at("real"), "utf8")).toBe("real");
    expect(await open().restore({ fileName: at("link") })).toEqual({ totalEntries: 0 });
  });

  test("is not that of a store that is open", async () => {
    const disk = open({ backend: "disk", path: at("store") });
    await disk.set("key", 1);
    expect(await nameOf(open().backup({ fileName: at("store") }))).toBe("SnapshotExportError");
    expect(await disk.get("key")).toBe(1);
    await disk.close();
    await open().backup({ fileName: at("store") });
    // The lock file is still that of the former one, and does for the next.
    const next = open({ backend: "disk", path: at("store") });
    await next.set("key", 2);
    expect(await next.get("key")).toBe(2);
  });

  test.each([
    ["EACCES", "SnapshotPermissionError"],
    ["EPERM", "SnapshotPermissionError"],
    ["EROFS", "SnapshotPermissionError"],
    ["ENOSPC", "SnapshotExportError"],
    ["ELOOP", "SnapshotExportError"],
  ])("that cannot be created for %s is a %s", async (code, name) => {
    const failing = failingFiles("makeDirectory", code);
    const kv = open({ env: { ...nodeEnv, files: failing } });
    await kv.set("key", 1);
    expect(await nameOf(kv.backup({ fileName: at("file") }))).toBe(name);
    expect(readdirSync(directory)).toEqual([]);
  });
});

function failingFiles(method: keyof Files, code: string): Files {
  const fail = (): never => {
    throw Object.assign(new Error(`${code}: not here`), { code });
  };
  return { ...nodeEnv.files, [method]: async () => fail() };
}

describe("the own file of a disk store", () => {
  test("is its backup without being written, and its restore ends claims", async () => {
    const disk = open({ backend: "disk", path: at("store") });
    await pool(disk, 5);
    await disk.append("queue", 1);
    const claim = await disk.claimKey("user:1");
    const { sizeBytes = 0 } = (await disk.stats()).disk ?? {};
    const own = { totalEntries: 6, bytesWritten: sizeBytes, bestEffort: false, warning: "" };
    expect(await disk.backup()).toStrictEqual(own);
    expect(await disk.backup({ fileName: at("store"), allowConcurrentWrites: true })).toStrictEqual(
      own,
    );
    expect(await disk.renewClaim(claim ?? never(), { ttl: 60_000 })).toBe(true);
    expect(await disk.restore({ fileName: " ", maxEntries: 1 })).toStrictEqual({ totalEntries: 6 });
    expect(await disk.releaseClaim(claim ?? never())).toBe(false);
    expect((await disk.claimRandomMany({ count: 9 })).map(({ key }) => key).sort()).toEqual([
      "user:0",
      "user:1",
      "user:2",
      "user:3",
      "user:4",
    ]);
  });

  test("is read only where the store is", async () => {
    const disk = open({ backend: "disk", path: at("store") });
    await pool(disk, 5);
    await disk.backup({ fileName: at("copy") });
    await disk.close();
    const reader = open({ backend: "disk", path: at("store"), disk: { readOnly: true } });
    expect((await reader.backup()).totalEntries).toBe(5);
    expect((await reader.backup({ fileName: at("other") })).totalEntries).toBe(5);
    expect(await nameOf(reader.restore())).toBe("StoreReadOnlyError");
    expect(await nameOf(reader.restore({ fileName: at("copy") }))).toBe("StoreReadOnlyError");
  });
});

function never(): never {
  throw new Error("expected a claim");
}

describe("what is restored", () => {
  test("may be read through links", async () => {
    const kv = open();
    await pool(kv, 3);
    await kv.backup({ fileName: at("file") });
    symlinkSync(at("file"), at("soft"));
    linkSync(at("file"), at("hard"));
    for (const name of ["soft", "hard"]) {
      expect(await open().restore({ fileName: at(name) })).toEqual({ totalEntries: 3 });
    }
  });

  const bad: [what: string, make: () => unknown, error: string][] = [
    ["a missing file", () => undefined, "SnapshotNotFoundError"],
    ["a path below a file", () => fileAbove("f"), "SnapshotNotFoundError"],
    ["links in a circle", () => symlinkSync(at("bad"), at("bad")), "SnapshotIOError"],
    ["a directory", () => mkdirSync(at("bad")), "SnapshotIOError"],
    ["an empty file", () => writeFileSync(at("bad"), ""), "SnapshotIOError"],
    ["text", () => writeFileSync(at("bad"), "key,value\n".repeat(9_000)), "SnapshotIOError"],
    ["an LMDB file of others", () => foreignFile(at("bad")), "SnapshotReadError"],
    ["an LMDB file of a later layout", () => laterFile(at("bad")), "SnapshotIOError"],
  ];
  test.each(bad)("is not %s: nothing changes", async (_, make, error) => {
    const made = await make();
    const kv = open();
    await kv.set("old", 1);
    const claim = await kv.claimKey("old");
    const fileName = at(typeof made === "string" ? made : "bad");
    expect(await nameOf(kv.restore({ fileName }))).toBe(error);
    expect(await kv.list()).toEqual([{ key: "old", value: 1 }]);
    expect(await kv.completeClaim(claim ?? never())).toBe(true);
  });

  test.each([
    ["EACCES", "SnapshotPermissionError"],
    ["EPERM", "SnapshotPermissionError"],
    ["EIO", "SnapshotIOError"],
  ])("cannot be read for %s: a %s", async (code, name) => {
    await open().backup({ fileName: at("file") });
    for (const method of ["stat", "open"] as const) {
      const kv = open({ env: { ...nodeEnv, files: failingFiles(method, code) } });
      expect(await nameOf(kv.restore({ fileName: at("file") }))).toBe(name);
    }
  });

  test("of many rows is all there, and of bounded size to the byte", async () => {
    const kv = open();
    const keys = 100_000;
    for (let start = 0; start < keys; start += 10_000) {
      const page = Array.from({ length: 10_000 }, (_, index) => [`k${start + index}`, index]);
      await kv.setMany(Object.fromEntries(page));
    }
    expect((await kv.backup({ fileName: at("many") })).totalEntries).toBe(keys);
    const [exact, beyond] = [open(), open()];
    const restored = await exact.restore({ fileName: at("many"), maxEntries: keys });
    expect(restored).toEqual({ totalEntries: keys });
    expect(await nameOf(beyond.restore({ fileName: at("many"), maxEntries: keys - 1 }))).toBe(
      "SnapshotBudgetExceededError",
    );
    expect(await exact.getMany(["k0", "k99999"])).toMatchObject([{ value: 0 }, { value: 9_999 }]);
    expect(await exact.count({ prefix: "k9999" })).toBe(11);
  });
});

function fileAbove(name: string): string {
  writeFileSync(at(name), "");
  return join(name, "below");
}

async function foreignFile(path: string): Promise<void> {
  const db = openLmdb({ path, noSubdir: true });
  await db.put("key", "value");
  await db.close();
}

async function laterFile(path: string): Promise<void> {
  await open().backup({ fileName: path });
  const db = openLmdb({ path, noSubdir: true, maxDbs: 32 });
  const meta = db.openDB("meta", { encoding: "string", keyEncoding: "binary" });
  await meta.put(Buffer.from("layout"), "anykv 99");
  await db.close();
}
