// Options of the disk backend, and what a store of it looks like from outside.

import { execFile } from "node:child_process";
import { readdirSync, realpathSync, rmSync, statSync, symlinkSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type DiskOptions, type Kv, openKv } from "anykv";
import { open as openLmdb } from "lmdb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { compilePackage } from "../../processes/compiled-package.js";

let directory = "";
let stores = 0;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "anykv-options-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const pathOf = (name = "store"): string => join(directory, name);

function open(disk: DiskOptions = {}, path = pathOf()): Kv {
  return openKv({ name: `options-${++stores}`, path, disk });
}

/** The number of the last write transaction of a file that nobody has open. */
async function transactions(path: string): Promise<number> {
  const root = openLmdb({ path, noSubdir: true, readOnly: true });
  const { lastTxnId } = root.getStats() as { lastTxnId: number };
  await root.close();
  return lastTxnId;
}

describe("the file", () => {
  test("is one file at the path, with a lock beside it, for its owner alone", async () => {
    const kv = open({}, pathOf("a/b/store"));
    await kv.set("key", 1);
    await kv.close();
    expect(readdirSync(pathOf("a/b"))).toStrictEqual(["store", "store-lock"]);
    for (const name of ["store", "store-lock"]) {
      expect(statSync(pathOf(`a/b/${name}`)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(pathOf("a/b")).mode & 0o777).toBe(0o750);
  });

  test("keeps everything for the next run, claims and expiry included", async () => {
    const first = open();
    await first.setMany({ kept: { a: [1] }, leased: 1 });
    await first.set("short", 1, { ttl: 3_600_000 });
    await first.append("queue", "job");
    const claim = await first.claimKey("leased", { ttl: 3_600_000 });
    await first.close();
    const second = open();
    expect(await second.get("kept")).toStrictEqual({ a: [1] });
    expect(await second.ttl("short")).toBeGreaterThan(3_500_000);
    expect(await second.popFirst("queue")).toBe("job");
    expect(await second.claimKey("leased")).toBeNull();
    expect(claim && (await second.completeClaim(claim))).toBe(true);
    await second.close();
  });

  test("is ./.anykv of the working directory by default, in this process and others", async () => {
    const compiled = await compilePackage();
    try {
      const script = compiled.script(
        "visits.mjs",
        `import { openKv } from "anykv";
         const kv = openKv();
         console.log(await kv.incrementBy("visits", 1), (await kv.stats()).disk.path);
         await kv.close();`,
      );
      const run = async () =>
        (await promisify(execFile)(process.execPath, [script], { cwd: directory })).stdout;
      expect(await run()).toBe(`1 ${pathOf(".anykv")}\n`);
      expect(await run()).toBe(`2 ${pathOf(".anykv")}\n`);
    } finally {
      compiled.remove();
    }
  });

  test("does not grow when values are replaced", async () => {
    const kv = open();
    const entries = Object.fromEntries(
      Array.from({ length: 2_000 }, (_, id) => [`key:${id}`, "x".repeat(200)]),
    );
    const sizes: number[] = [];
    for (let round = 0; round < 8; round++) {
      await kv.setMany(entries);
      sizes.push((await kv.stats()).disk?.sizeBytes ?? 0);
    }
    expect(sizes.at(-1)).toBeLessThan(4 * (sizes[0] ?? 0));
    expect(sizes.at(-1)).toBe(sizes.at(-2));
    await kv.close();
  });
});

describe("writes", () => {
  test("1,000 at once share a few transactions, each of which syncs", async () => {
    const kv = open();
    await kv.set("first", 1);
    await kv.close();
    const before = await transactions(pathOf());
    const again = open();
    await again.size();
    await Promise.all(Array.from({ length: 1_000 }, (_, id) => again.set(`key:${id}`, id)));
    await again.close();
    expect((await transactions(pathOf())) - before).toBeLessThan(10);
  });
});

describe("options", () => {
  test("truncate begins with an empty store, and tokens go on", async () => {
    const first = open();
    await first.setMany({ a: 1, b: 2 });
    await first.append("queue", 1);
    await first.filter("seen").add("x");
    const claim = await first.claimKey("a");
    await first.close();
    const second = open({ truncate: true });
    expect(await second.size()).toBe(0);
    expect(await second.listArrays()).toStrictEqual([]);
    expect(await second.filter("seen").contains("x")).toBe(false);
    await second.set("a", 1);
    expect((await second.claimKey("a"))?.token).toBeGreaterThan(claim?.token ?? Infinity);
    await second.close();
  });

  test.each(["64MB", "64MiB", 67_108_864, 0])("initialMmapSize %s makes room", async (size) => {
    const kv = open({ initialMmapSize: size });
    await kv.set("a", "x".repeat(1_000_000));
    expect(await kv.find("a")).toHaveLength(1_000_000);
    await kv.close();
  });

  test("noSync writes what others read, and tells so", async () => {
    const kv = open({ noSync: true });
    await Promise.all([1, 2, 3].map((id) => kv.set(`key:${id}`, id)));
    await kv.close();
    const again = open();
    expect(await again.size()).toBe(3);
    await again.close();
  });

  test("what has no counterpart in LMDB is named once in a warning of the process", async () => {
    const warnings: string[] = [];
    const emit = vi.spyOn(process, "emitWarning").mockImplementation((warning) => {
      warnings.push(String(warning));
    });
    for (let opened = 0; opened < 2; opened++) {
      const kv = open({ mlock: true, noGrowSync: false, freelistType: "map" }, pathOf(`${opened}`));
      await kv.set("a", 1);
      await kv.close();
    }
    emit.mockRestore();
    for (const name of ["mlock", "noGrowSync", "freelistType"]) {
      expect(warnings.filter((warning) => warning.includes(`disk.${name} `))).toHaveLength(1);
    }
  });
});

test("without the package lmdb the error names the alternative", async () => {
  const compiled = await compilePackage();
  try {
    const modules = join(compiled.directory, "node_modules");
    const source = realpathSync(modules);
    rmSync(modules);
    await mkdir(modules);
    for (const name of readdirSync(source)) {
      if (name !== "lmdb") symlinkSync(join(source, name), join(modules, name));
    }
    const script = compiled.script(
      "no-lmdb.mjs",
      `import { openKv } from "anykv";
       const kv = openKv({ path: ${JSON.stringify(pathOf())} });
       await kv.get("a").catch(({ name, hint }) => console.log(name, hint));
       const other = openKv({ name: "other", backend: "wal", path: ${JSON.stringify(pathOf("wal"))} });
       await other.set("a", 1);
       await other.close();
       console.log("wal works");`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [script]);
    expect(stdout).toMatch(/^BackendUnavailableError .*backend: "wal".*\nwal works\n$/);
  } finally {
    compiled.remove();
  }
});
