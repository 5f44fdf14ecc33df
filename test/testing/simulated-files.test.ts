// The simulated file system: it answers as the real one does, remembers what is durable, loses the
// rest in every way that its contract allows, and fails and stops where it is told.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "anykv/testing";
import { describe, expect, test } from "vitest";
import type { Random } from "../../src/env/env.js";
import type { FileHandle, Files, OpenMode } from "../../src/env/files.js";
import { nodeFiles } from "../../src/env/node-files.js";
import { type CrashMode, crashed } from "../../src/testing/simulated-crash.js";
import type { SimulatedDisk } from "../../src/testing/simulated-disk.js";
import { SimulatedFiles } from "../../src/testing/simulated-files.js";
import { SimulatedHost } from "../../src/testing/simulated-host.js";

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** The files under a directory with their contents. */
function contentOf(disk: SimulatedDisk, directory = "/d"): Record<string, string> {
  const entries = disk.entry(directory) === undefined ? [] : disk.list(directory);
  const files = entries.map((name) => [name, disk.entry(`${directory}/${name}`)] as const);
  return Object.fromEntries(
    files.map(([name, entry]) => [
      name,
      typeof entry === "number" ? disk.shown(entry).toString("latin1") : "directory",
    ]),
  );
}

async function withDirectory(): Promise<SimulatedFiles> {
  const files = new SimulatedFiles();
  await files.makeDirectory("/d");
  await files.syncDirectory("/");
  return files;
}

async function put(files: Files, path: string, text: string): Promise<FileHandle> {
  const file = await files.open(path, "write");
  await file.write(bytes(text));
  return file;
}

describe("as the real file system", () => {
  /** Random calls under `root`; what they come to, as text. */
  async function history(files: Files, root: string, random: Random): Promise<string[]> {
    const of = <Choice>(choices: readonly Choice[]): Choice =>
      choices[random.below(choices.length)] as Choice;
    const names = ["a", "b", "c", "sub/a", "none/a", "taken/a"];
    const file = (): string => `${root}/${of(names)}`;
    const path = (): string => `${root}/${of([...names, "sub"])}`;
    const open: FileHandle[] = [await files.open(`${root}/taken`, "create")];
    const handle = (): FileHandle | undefined => open[random.below(open.length + 1)];
    const buffer = Buffer.alloc(8);
    const choices: readonly (() => Promise<unknown>)[] = [
      async () => {
        const mode = of<OpenMode>(["read", "write", "append", "create"]);
        open.push(await files.open(mode === "read" ? file() : path(), mode));
      },
      async () => handle()?.write(bytes("abcdefgh".slice(random.below(8)))),
      async () => handle()?.write(bytes("XYZ"), random.below(12)),
      async () => (await handle()?.read(buffer.fill(0), 1, 6, random.below(9))) + buffer.toString(),
      async () => handle()?.truncate(random.below(20)),
      async () => handle()?.size(),
      async () => handle()?.sync(),
      async () => handle()?.close(),
      async () => files.rename(file(), file()),
      async () => files.remove(path()),
      async () => files.list(of([root, `${root}/sub`, `${root}/none`, `${root}/a`])),
      async () =>
        (await files.makeDirectory(of([`${root}/sub`, `${root}/taken`])))?.slice(root.length),
      async () => files.syncDirectory(of([root, `${root}/none`])),
      async () => (await files.stat(path()))?.kind,
      async () => Buffer.from(await files.readAll(path())).toString(),
    ];
    const outcomes: string[] = [];
    for (let step = 0; step < 60; step++) {
      const call = random.below(choices.length);
      const outcome = await (choices[call] as () => Promise<unknown>)().catch(({ code }) => code);
      outcomes.push(`${step} ${call} ${JSON.stringify(outcome)}`);
    }
    for (const file of open) await file.close();
    return outcomes;
  }

  test("random calls come to the same", async () => {
    for (let seed = 1; seed <= 100; seed++) {
      const root = mkdtempSync(join(tmpdir(), "anykv-simulated-"));
      try {
        const simulated = new SimulatedFiles();
        await simulated.makeDirectory(root);
        const expected = await history(nodeFiles, root, seededRandom(seed));
        const actual = await history(simulated, root, seededRandom(seed));
        expect(actual, `seed ${seed}`).toEqual(expected);
        expect(simulated.openHandles).toBe(0);
      } finally {
        rmSync(root, { recursive: true });
      }
    }
  });
});

describe("a power cut", () => {
  const left = (files: SimulatedFiles, mode: CrashMode): Record<string, string> =>
    contentOf(crashed(files.disk, mode));
  const seeds = Array.from({ length: 300 }, (_, seed) => seed);

  test("takes what was not synced, or nothing, or what came after some call", async () => {
    const files = await withDirectory();
    const file = await put(files, "/d/a", "one ");
    await file.sync();
    await files.syncDirectory("/d");
    await file.write(bytes("two "));
    await file.truncate(2);
    await put(files, "/d/b", "three");
    expect(left(files, { kind: "nothing" })).toEqual({ a: "one " });
    expect(left(files, { kind: "everything" })).toEqual({ a: "on", b: "three" });
    const prefixes = [0, 1, 2, 3, 4].map((changes) => left(files, { kind: "prefix", changes }));
    expect(prefixes).toEqual([
      { a: "one " },
      { a: "one two " },
      { a: "on" },
      { a: "on", b: "" },
      { a: "on", b: "three" },
    ]);
    expect(files.disk.unsynced()).toHaveLength(4);
  });

  test("leaves what it has left for good", async () => {
    const files = await withDirectory();
    await put(files, "/d/a", "text");
    const disk = crashed(files.disk, { kind: "everything" });
    expect(disk.unsynced()).toEqual([]);
    expect(contentOf(crashed(disk, { kind: "nothing" }))).toEqual({ a: "text" });
  });

  test("a sync is for content and no name, a directory's for names and no content", async () => {
    const files = await withDirectory();
    await (await put(files, "/d/a", "text")).sync();
    expect(left(files, { kind: "nothing" })).toEqual({});
    await put(files, "/d/b", "text");
    await files.syncDirectory("/d");
    expect(left(files, { kind: "nothing" })).toEqual({ a: "text", b: "" });
  });

  test("a sync covers what was there when it began", async () => {
    const files = await withDirectory();
    const file = await put(files, "/d/a", "one ");
    await Promise.all([file.sync(), file.write(bytes("two"))]);
    await Promise.all([files.syncDirectory("/d"), put(files, "/d/b", "")]);
    expect(left(files, { kind: "nothing" })).toEqual({ a: "one " });
    expect(left(files, { kind: "everything" })).toEqual({ a: "one two", b: "" });
  });

  test("undoes creations, renames and removals on their own", async () => {
    const files = await withDirectory();
    await (await put(files, "/d/old", "old")).sync();
    await (await put(files, "/d/gone", "gone")).sync();
    await files.syncDirectory("/d");
    await (await put(files, "/d/new.tmp", "new")).sync();
    await files.rename("/d/new.tmp", "/d/old");
    await files.remove("/d/gone");
    const found = new Set(
      seeds.map((seed) => JSON.stringify(left(files, { kind: "names", seed }))),
    );
    expect([...found].sort()).toEqual(
      [
        { gone: "gone", "new.tmp": "new", old: "old" },
        { gone: "gone", old: "new" },
        { gone: "gone", old: "old" },
        { "new.tmp": "new", old: "old" },
        { old: "new" },
        { old: "old" },
      ].map((content) => JSON.stringify(content)),
    );
  });

  test("takes what lies in a directory whose own name is lost", async () => {
    const files = new SimulatedFiles();
    await files.makeDirectory("/d/e");
    await (await put(files, "/d/e/a", "text")).sync();
    await files.syncDirectory("/d/e");
    await files.syncDirectory("/d");
    expect(crashed(files.disk, { kind: "nothing" }).entry("/d/e/a")).toBeUndefined();
    await files.syncDirectory("/");
    expect(crashed(files.disk, { kind: "nothing" }).entry("/d/e/a")).toBeDefined();
  });

  test("tears the last write between sectors, or anywhere", async () => {
    const files = await withDirectory();
    const file = await put(files, "/d/a", "a".repeat(400));
    await file.write(bytes("b".repeat(1_000)));
    const lengths = (cut: "sector" | "byte"): number[] => {
      const contents = seeds.map((seed) => left(files, { kind: "torn", cut, seed }).a ?? "");
      for (const content of contents) expect(content).toMatch(/^a{400}b*$/);
      return [...new Set(contents.map(({ length }) => length))].sort((a, b) => a - b);
    };
    expect(lengths("sector")).toEqual([400, 512, 1_024]);
    expect(lengths("byte").length).toBeGreaterThan(100);
  });

  test("keeps any pages of what was written, with zeros in the holes", async () => {
    const files = await withDirectory();
    const file = await put(files, "/d/a", "a".repeat(600));
    await file.sync();
    await file.write(bytes("b".repeat(600)));
    await file.write(bytes("c".repeat(600)));
    const contents = seeds.map((seed) => left(files, { kind: "pages", seed }).a ?? "");
    for (const content of contents) expect(content).toMatch(/^a{600}[b\0]{0,600}[c\0]{0,600}$/);
    expect(contents.some((content) => /\0c/.test(content))).toBe(true);
    expect(contents.some((content) => /b\0+b/.test(content))).toBe(true);
    expect(new Set(contents.map(({ length }) => length))).toEqual(new Set([600, 1_200, 1_800]));
  });

  test("gives the same disk for the same seed", async () => {
    const files = await withDirectory();
    for (const name of ["a", "b", "c", "d"]) await put(files, `/d/${name}`, name.repeat(2_000));
    const disks = seeds.map((seed) =>
      JSON.stringify(left(files, { kind: "pages and names", seed })),
    );
    const again = seeds.map((seed) =>
      JSON.stringify(left(files, { kind: "pages and names", seed })),
    );
    expect(again).toEqual(disks);
    expect(new Set(disks).size).toBeGreaterThan(100);
  });
});

describe("a process that ends", () => {
  test("leaves the disk as it was, with what was unsynced still unsynced", async () => {
    const files = await withDirectory();
    const file = await put(files, "/d/a", "one ");
    files.stopAt(files.calls.length + 1);
    await file.write(bytes("two "));
    const settled: string[] = [];
    const note = (promise: Promise<unknown>): unknown =>
      promise.then(
        () => settled.push("resolved"),
        () => settled.push("rejected"),
      );
    note(file.write(bytes("three")));
    note(files.readAll("/d/a"));
    await files.whenStopped;
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toEqual([]);
    expect(contentOf(files.disk)).toEqual({ a: "one two " });
    const next = new SimulatedFiles({ disk: files.disk });
    expect(Buffer.from(await next.readAll("/d/a")).toString()).toBe("one two ");
    expect(contentOf(crashed(next.disk, { kind: "nothing" }))).toEqual({});
  });

  test("may be in the middle of a write", async () => {
    const files = await withDirectory();
    const file = await put(files, "/d/a", "one ");
    files.stopAt(files.calls.length, true);
    void file.write(bytes("abcdef"));
    await files.whenStopped;
    expect(contentOf(files.disk)).toEqual({ a: "one abc" });
  });
});

describe("a fault", () => {
  test("fails one call and does nothing", async () => {
    const files = await withDirectory();
    const file = await put(files, "/d/a", "one ");
    files.failAt(files.calls.length, "EIO");
    await expect(file.write(bytes("two"))).rejects.toMatchObject({ code: "EIO", path: "/d/a" });
    await file.write(bytes("three"));
    expect(contentOf(files.disk)).toEqual({ a: "one three" });
  });

  test("may let a part of a write through", async () => {
    const files = await withDirectory();
    const file = await put(files, "/d/a", "one ");
    files.failAt(files.calls.length, "short");
    await expect(file.write(bytes("abcdef"))).rejects.toMatchObject({ code: "ENOSPC" });
    expect(contentOf(files.disk)).toEqual({ a: "one abc" });
  });

  test("of a sync loses what it was for, although it can still be seen", async () => {
    const files = await withDirectory();
    await files.syncDirectory("/");
    const file = await put(files, "/d/a", "one ");
    await file.sync();
    await files.syncDirectory("/d");
    await file.write(bytes("two "));
    files.failAt(files.calls.length, "EIO");
    await expect(file.dataSync()).rejects.toMatchObject({ code: "EIO" });
    await file.write(bytes("three"));
    await file.dataSync();
    expect(contentOf(files.disk)).toEqual({ a: "one two three" });
    expect(contentOf(crashed(files.disk, { kind: "everything" }))).toEqual({
      a: "one \0\0\0\0three",
    });
  });

  test("may last until the disk is healed, and spares what needs no room", async () => {
    const files = await withDirectory();
    const file = await put(files, "/d/a", "text");
    files.failAt(files.calls.length, "ENOSPC", true);
    await expect(file.write(bytes("x"))).rejects.toMatchObject({ code: "ENOSPC" });
    await expect(files.open("/d/b", "create")).rejects.toMatchObject({ code: "ENOSPC" });
    await expect(files.readAll("/d/a")).resolves.toHaveLength(4);
    await files.remove("/d/a");
    files.heal();
    await file.write(bytes("x"));
    await file.close();
    expect(files.openHandles).toBe(0);
  });
});

test("calls that are under way together overtake each other, the same way for the same seed", async () => {
  const orderOf = async (seed: number): Promise<string> => {
    const files = new SimulatedFiles({ random: seededRandom(seed) });
    const order: number[] = [];
    const calls = [1, 2, 3, 4, 5].map((call) => files.stat("/").then(() => order.push(call)));
    await Promise.all(calls);
    return order.join("");
  };
  const orders = await Promise.all(Array.from({ length: 20 }, (_, seed) => orderOf(seed)));
  const again = await Promise.all(Array.from({ length: 20 }, (_, seed) => orderOf(seed)));
  expect(again).toEqual(orders);
  expect(new Set(orders).size).toBeGreaterThan(5);
});

test("processes of a simulated host live, die, and leave their numbers to others", () => {
  const host = new SimulatedHost();
  const processes = [host.start(), host.start(), host.start()];
  expect(new Set(processes.map(({ id }) => id)).size).toBe(3);
  expect(() => host.start()).toThrow("no number left");
  const [first, second] = processes;
  if (first === undefined || second === undefined) throw new Error("no processes");
  expect(second.isRunning(first.id)).toBe(true);
  const started = second.startOf(first.id);
  host.kill(first);
  expect(second.isRunning(first.id)).toBe(false);
  const heir = host.start();
  expect(heir.id).toBe(first.id);
  expect(heir.startOf(heir.id)).not.toBe(started);
});
