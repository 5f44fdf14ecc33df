// Bad files, on the real file system: whatever a path leads to, a typed error says so, no process
// ends, and nothing on the disk is changed.
//
// The store is opened in a process of its own. What needs another user, or a file system of its own,
// needs root and Linux; elsewhere it is skipped.

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { seededRandom } from "anykv/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadLmdb } from "../../../src/engines/lmdb/lmdb-module.js";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import { type Answer, Probe, type Request } from "./probe.js";
import { type Sample, Scratch, sampleFile } from "./sample-store.js";

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
const canMount =
  isRoot && process.platform === "linux" && spawnSync("which", ["mount"]).status === 0;

let compiled: CompiledPackage;
let sample: Sample;
let probe: Probe;
let scratch: Scratch;
let path = "";

beforeAll(async () => {
  compiled = await compilePackage();
  sample = await sampleFile(5);
});
afterAll(() => compiled.remove());

beforeEach(() => {
  probe = new Probe(compiled);
  scratch = new Scratch();
  chmodSync(scratch.path, 0o777);
  path = scratch.file("store");
});

afterEach(() => {
  probe.end();
  scratch[Symbol.dispose]();
});

/** Everything in a directory, with names, kinds, modes and contents; lock files are LMDB's own. */
function stateOf(directory: string): string[] {
  return readdirSync(directory)
    .sort()
    .filter((name) => !name.endsWith("-lock"))
    .map((name) => {
      const file = join(directory, name);
      const stat = lstatSync(file);
      const isFile = stat.isFile();
      const content = isFile ? createHash("sha256").update(readFileSync(file)).digest("hex") : "";
      const link = stat.isSymbolicLink() ? readlinkSync(file) : "";
      return `${name} ${stat.mode} ${isFile ? stat.size : ""} ${content}${link}`;
    });
}

const ways: readonly Omit<Request, "path">[] = [
  { action: "read" },
  { action: "write" },
  { action: "read", disk: { truncate: true } },
  { action: "read", disk: { readOnly: true } },
  { action: "verify" },
];

/** What opening for writing, for reading and verifying answers; nothing may change. */
async function answers(more: Partial<Request> = {}): Promise<string[]> {
  const before = stateOf(scratch.path);
  const names: string[] = [];
  for (const way of ways) {
    const answer = await probe.ask({ path, ...way, ...more });
    if (answer.name !== "none") expectAdvice(answer);
    const { problems = [] } = (answer.result ?? {}) as { problems?: unknown[] };
    names.push(problems.length > 0 ? "problems" : answer.name);
  }
  expect(stateOf(scratch.path)).toEqual(before);
  return [...new Set(names)];
}

function expectAdvice({ name, message, hint }: Answer): void {
  expect(name, message).toMatch(/^(DiskPathError|DiskStoreOpenError|BucketNotFoundError)$/);
  expect(message).toContain(path);
  expect(hint, message).toBeTruthy();
}

const ask = (request: Omit<Request, "path">): Promise<Answer> => probe.ask({ path, ...request });
const readOnly = { readOnly: true } as const;

describe("the path", () => {
  test("is a directory", async () => {
    mkdirSync(path);
    expect(await answers()).toEqual(["DiskPathError"]);
  });

  test.skipIf(process.platform === "win32")("is a pipe", async () => {
    execFileSync("mkfifo", [path]);
    expect(await answers()).toEqual(["DiskPathError"]);
  });

  test.skipIf(process.platform === "win32")("is a socket", async () => {
    const server = createServer().listen(path);
    await new Promise((resolve) => server.on("listening", resolve));
    expect(await answers()).toEqual(["DiskPathError"]);
    await new Promise((resolve) => server.close(resolve));
  });

  test("is a loop of links, or leads through one", async () => {
    symlinkSync("store", path);
    expect(await answers()).toEqual(["DiskPathError"]);
    path = join(path, "below");
    expect(await answers()).toEqual(["DiskPathError"]);
  });

  test("has a file among its parents", async () => {
    writeFileSync(path, "mine");
    path = join(path, "below");
    expect(await answers()).toEqual(["DiskPathError"]);
  });

  test("is longer than the system allows", async () => {
    path = scratch.file("x".repeat(300));
    expect(await answers()).toEqual(["DiskPathError"]);
  });

  test("has something else in the place of its lock file", async () => {
    writeFileSync(path, sample.bytes);
    mkdirSync(`${path}-lock`);
    expect(await answers()).toEqual(["DiskPathError"]);
  });

  test("has a lock file full of noise, which LMDB makes anew", async () => {
    writeFileSync(path, sample.bytes);
    writeFileSync(`${path}-lock`, "noise".repeat(5_000));
    expect((await ask({ action: "read" })).name).toBe("none");
    expect((await ask({ action: "verify" })).result).toMatchObject({ problems: [] });
  });
});

describe("the file", () => {
  const foreign: readonly [what: string, content: () => Buffer][] = [
    ["one byte", () => Buffer.of(0)],
    ["text", () => Buffer.from("key,value\n1,2\n")],
    ["zeros", () => Buffer.alloc(100_000)],
    ["noise", () => noise(100_000)],
    ["a database of SQLite", () => sqlite()],
    ["the first meta page only", () => sample.bytes.subarray(0, sample.header.pageBytes)],
    ["another version of LMDB's format", () => withMeta(4, 1)],
    ["another page size", () => withMeta(24, 1_000)],
  ];
  test.each(foreign)("is %s", async (_, content) => {
    writeFileSync(path, content());
    expect(await answers()).toEqual(["DiskStoreOpenError"]);
  });

  test("has a header that leads beyond its end", async () => {
    writeFileSync(path, withMeta(112, 0x7fff_ffff));
    expect(await answers()).toEqual(["DiskStoreOpenError", "problems"]);
    expect((await ask({ action: "repair" })).name).toBe("DiskStoreOpenError");
    expect(readdirSync(scratch.path)).toEqual(["store"]);
  });

  test("is an LMDB file of something else", async () => {
    const { open } = await loadLmdb();
    const root = open(path, { noSubdir: true, overlappingSync: false, maxDbs: 4 });
    root.putSync("theirs", "value");
    await root.close();
    expect((await answers()).sort()).toEqual(["BucketNotFoundError", "DiskStoreOpenError"]);
    expect((await ask({ action: "repair" })).name).toBe("DiskStoreOpenError");
  });

  test("has another version of the layout", async () => {
    writeFileSync(path, withLayout("anykv 2"));
    expect(await answers()).toEqual(["DiskStoreOpenError"]);
    expect((await ask({ action: "read" })).message).toContain('has the layout "anykv 2"');
  });

  test("is empty: it is nothing to read, and becomes a store when it is opened for writing", async () => {
    writeFileSync(path, "");
    expect((await ask({ action: "read", disk: readOnly })).name).toBe("DiskStoreOpenError");
    expect((await ask({ action: "verify" })).name).toBe("DiskStoreOpenError");
    expect(lstatSync(path).size).toBe(0);
    expect((await ask({ action: "read" })).result).toMatchObject({ values: [], count: 0 });
  });

  test("is missing: there is nothing to read, and nothing is made", async () => {
    const { name, message } = await ask({ action: "read", disk: readOnly });
    expect(name, message).toBe("DiskStoreOpenError");
    expect((await ask({ action: "verify" })).name).toBe("DiskPathError");
    expect(stateOf(scratch.path)).toEqual([]);
  });
});

describe("a file that was cut off", () => {
  test("is refused, or has lost nothing", { timeout: 240_000 }, async () => {
    const { bytes, header } = sample;
    writeFileSync(path, bytes);
    const whole = (await ask({ action: "read", disk: readOnly })).result;
    const random = seededRandom(7);
    const lengths = new Set<number>();
    for (let page = 2; page <= header.lastPage; page += 3) lengths.add(page * header.pageBytes);
    for (let cut = 0; cut < 60; cut++) lengths.add(1 + random.below(bytes.length - 1));
    let refused = 0;
    for (const length of lengths) {
      writeFileSync(path, bytes);
      truncateSync(path, length);
      const cut = readFileSync(path);
      const answer = await ask({ action: "read", disk: length % 2 === 0 ? readOnly : {} });
      if (answer.name === "none") {
        expect(comparable(answer.result), `cut to ${length}`).toEqual(comparable(whole));
      } else {
        refused++;
        expectAdvice(answer);
      }
      expect(readFileSync(path).equals(cut), `cut to ${length}`).toBe(true);
    }
    console.info(`${refused} of ${lengths.size} cuts are refused`);
    expect(refused).toBeGreaterThan(lengths.size / 2);
  });
});

describe.skipIf(!isRoot)("another user", () => {
  const userId = nobody;

  test("may not read the file", async () => {
    writeFileSync(path, sample.bytes);
    chmodSync(path, 0);
    expect(await answers({ userId })).toEqual(["DiskStoreOpenError"]);
  });

  test("may not write the file, and reads it", async () => {
    writeFileSync(path, sample.bytes);
    chmodSync(path, 0o444);
    expect((await ask({ action: "write", userId })).name).toBe("DiskStoreOpenError");
    expect((await ask({ action: "read", disk: readOnly, userId })).name).toBe("none");
  });

  test("may not write the directory", async () => {
    chmodSync(scratch.path, 0o755);
    expect((await ask({ action: "write", userId })).name).toBe("DiskStoreOpenError");
    path = scratch.file("below/store");
    expect((await ask({ action: "write", userId })).name).toBe("DiskPathError");
    expect(stateOf(scratch.path)).toEqual([]);
  });

  test("may not write the directory, and reads a file without a lock file there", async () => {
    writeFileSync(path, sample.bytes);
    chmodSync(path, 0o644);
    chmodSync(scratch.path, 0o755);
    const before = stateOf(scratch.path);
    expect((await ask({ action: "write", userId })).name).toBe("DiskStoreOpenError");
    const read = await ask({ action: "read", disk: readOnly, userId });
    expect(read).toMatchObject({ name: "none", result: { count: expect.any(Number) } });
    expect((await ask({ action: "verify", userId })).result).toMatchObject({ problems: [] });
    expect(readdirSync(scratch.path)).toEqual(["store"]);
    expect(stateOf(scratch.path)).toEqual(before);
  });
});

describe.skipIf(!canMount)("a file system", () => {
  /** Runs something in a small file system of memory. */
  async function mounted(size: string, run: () => Promise<void>): Promise<void> {
    const directory = scratch.file("mounted");
    mkdirSync(directory);
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory]);
    path = join(directory, "store");
    try {
      await run();
    } finally {
      probe.end();
      await probe.ended;
      execFileSync("umount", [directory]);
    }
  }

  test("is read-only", async () => {
    await mounted("4m", async () => {
      const directory = scratch.file("mounted");
      writeFileSync(path, sample.bytes);
      execFileSync("mount", ["-o", "remount,ro", directory]);
      expect((await ask({ action: "write" })).name).toBe("DiskStoreOpenError");
      expect((await ask({ action: "read", disk: readOnly })).name).toBe("none");
      expect((await ask({ action: "verify" })).result).toMatchObject({ problems: [] });
      path = join(directory, "new");
      expect((await ask({ action: "write" })).name).toBe("DiskStoreOpenError");
      path = join(directory, "below", "new");
      expect((await ask({ action: "write" })).name).toBe("DiskPathError");
      expect(readdirSync(directory)).toEqual(["store"]);
    });
  });

  // One after the other, because each needs a process of its own.
  test("has no room for a new store: nothing is left behind, at any size", async () => {
    for (let pages = 1; pages <= 48; pages++) {
      await mounted(`${pages * 4}k`, async () => {
        const label = `${pages} pages`;
        const { name, message, hint } = await ask({ action: "read" });
        const names = readdirSync(scratch.file("mounted"));
        if (name === "none") {
          expect(names.sort(), label).toEqual(["store", "store-lock"]);
        } else {
          expect(name, `${label}: ${message}`).toBe("DiskStoreOpenError");
          expect(hint, label).toBeTruthy();
          expect(names, label).toEqual([]);
        }
      });
      rmSync(scratch.file("mounted"), { recursive: true });
    }
  }, 120_000);

  test("is full when a store is opened whose lock file has gone", async () => {
    await mounted("256k", async () => {
      expect((await ask({ action: "read" })).name).toBe("none");
      rmSync(`${path}-lock`);
      const filler = openSync(join(scratch.file("mounted"), "filler"), "w");
      expect(() => {
        for (;;) writeSync(filler, Buffer.alloc(4_096));
      }).toThrow("ENOSPC");
      closeSync(filler);
      for (const disk of [{}, readOnly]) {
        const { name, message } = await ask({ action: "read", disk });
        expect(name, message).toBe("DiskStoreOpenError");
        expect(message).toContain("ENOSPC");
      }
      expect(readdirSync(scratch.file("mounted")).sort()).toEqual(["filler", "store"]);
    });
  });

  test.each(["24k", "48k", "96k", "200k", "400k"])("is full at %s", async (size) => {
    await mounted(size, async () => {
      const written = await ask({ action: "write" });
      expect(written.name).toMatch(/^Disk(StoreWrite|StoreOpen)Error$/);
      expect(written.hint).toBeTruthy();
      // What was acknowledged is there, and the process lives to tell.
      const read = await ask({ action: "read", disk: readOnly });
      if (read.name === "none") {
        expect((await ask({ action: "verify" })).result).toMatchObject({ problems: [] });
      } else {
        expectAdvice(read);
      }
    });
  });
});

function noise(length: number): Buffer {
  const random = seededRandom(3);
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

/** The header of a database of SQLite 3, and a page. */
function sqlite(): Buffer {
  const bytes = Buffer.alloc(8_192);
  bytes.write("SQLite format 3\0");
  bytes.writeUInt16BE(4_096, 16);
  bytes.set([1, 1, 0, 64, 32, 32], 18);
  return bytes;
}

/** The sample with another number at a place of both meta pages. */
function withMeta(offset: number, number: number): Buffer {
  const bytes = Buffer.from(sample.bytes);
  for (const page of [0, sample.header.pageBytes]) bytes.writeUInt32LE(number, page + 24 + offset);
  return bytes;
}

function withLayout(text: string): Buffer {
  const bytes = Buffer.from(sample.bytes);
  for (
    let at = bytes.indexOf("layoutanykv 1");
    at >= 0;
    at = bytes.indexOf("layoutanykv 1", at + 1)
  ) {
    bytes.write(text, at + "layout".length);
  }
  return bytes;
}

/** Random keys aside. */
function comparable(result: unknown): unknown {
  return { ...(result as object), random: undefined };
}
