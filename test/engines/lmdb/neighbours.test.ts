// What processes that share a store notice of each other: elements for those who wait, keys that
// expire, tokens, readers beside writers, and a writer that is stopped in the middle of a write.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Kv, openKv } from "anykv";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { nodeEnv } from "../../../src/env/env.js";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";

let compiled: CompiledPackage;
let directory = "";
let path = "";
let kv: Kv;
let neighbours: Neighbour[] = [];
let stores = 0;

class Neighbour {
  readonly child: ChildProcess;
  readonly #pending = new Map<number, (line: { value?: unknown; error?: string }) => void>();
  #calls = 0;

  constructor(options: object = {}) {
    const program = join(compiled.directory, "test/engines/lmdb/programs/neighbour.js");
    const args = [program, path, JSON.stringify(options)];
    this.child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on("line", (text) => {
      const line = JSON.parse(text) as { id: number; value?: unknown; error?: string };
      this.#pending.get(line.id)?.(line);
    });
    neighbours.push(this);
  }

  call(method: string, ...args: unknown[]): Promise<unknown> {
    const id = ++this.#calls;
    this.child.stdin?.write(`${JSON.stringify({ id, method, args })}\n`);
    return new Promise((resolve, reject) => {
      this.#pending.set(id, ({ value, error }) => {
        if (error === undefined) resolve(value);
        else reject(new Error(error));
      });
    });
  }

  /** Stops in the middle of a write; resolves when it has. */
  async stop(): Promise<{ written: Promise<unknown> }> {
    await this.call("exists", "open");
    const written = this.call("stop");
    written.catch(() => {});
    const stat = `/proc/${this.child.pid}/stat`;
    while (!/\) T /.test(readFileSync(stat, "utf8"))) await turn();
    return { written };
  }

  goOn(): void {
    this.child.kill("SIGCONT");
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

beforeAll(async () => {
  compiled = await compilePackage("test/engines/lmdb/programs");
  directory = mkdtempSync(join(tmpdir(), "anykv-neighbours-"));
}, 60_000);

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  compiled.remove();
});

beforeEach(async () => {
  path = join(directory, `store-${++stores}`);
  kv = openKv({ backend: "disk", name: path, path, disk: { timeout: 300 } });
  await kv.set("here", 1);
});

afterEach(async () => {
  for (const { child } of neighbours) child.kill("SIGKILL");
  neighbours = [];
  await kv.close();
});

test("an element that another process adds reaches whoever waits, once", async () => {
  const first = kv.popFirstWait("q", { timeout: 30_000 });
  const other = new Neighbour();
  const second = other.call("popFirstWait", "q", { timeout: 30_000 });
  const third = new Neighbour();
  await third.call("append", "q", "a");
  await third.call("append", "q", "b");
  expect([await first, await second].sort()).toEqual(["a", "b"]);
  expect(await kv.length("q")).toBe(0);
});

test("what a process that has been killed leaves to expire is removed by another", async () => {
  const other = new Neighbour();
  await other.call("setMany", { a: 1, b: 2 }, { ttl: 50 });
  other.child.kill("SIGKILL");
  while ((await kv.size()) > 1) await turn();
  expect(await kv.listKeys()).toEqual(["here"]);
  await using tracked = openKv({ backend: "disk", name: `${path}-tracked`, path, trackKeys: true });
  for (let rows = 3; rows > 1; await turn()) rows = (await tracked.stats()).index?.keysMap ?? 0;
});

test("tokens rise across processes, and a claim holds in all of them", async () => {
  const other = new Neighbour();
  const tokens: number[] = [];
  for (let round = 0; round < 10; round++) {
    const claim = await kv.claimKey("here");
    expect(await other.call("claimKey", "here")).toBeNull();
    expect(await other.call("completeClaim", claim, { deleteKey: false })).toBe(true);
    const theirs = (await other.call("claimKey", "here")) as { token: number };
    tokens.push(claim?.token ?? 0, theirs.token);
    expect(await kv.claimKey("here")).toBeNull();
    expect(await other.call("releaseClaim", theirs)).toBe(true);
  }
  expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
  expect(new Set(tokens).size).toBe(tokens.length);
});

test("a process that only reads sees what others write, and writes nothing", async () => {
  const reader = new Neighbour({ readOnly: true });
  for (let round = 0; round < 20; round++) {
    await kv.set("key", round);
    expect(await reader.call("get", "key")).toBe(round);
    expect(await reader.call("count")).toBe(2);
  }
  await expect(reader.call("set", "key", 1)).rejects.toThrow("StoreReadOnlyError");
});

test("a backup is of one instant while other processes write", async () => {
  await kv.setMany(Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`n${i}`, 0])));
  const writers = [new Neighbour(), new Neighbour()];
  const total = 100;
  await kv.setMany({ first: total, n2999: 0 });
  // The two stand at the ends of the file, and together they are never worth anything else.
  let writing = true;
  const writes = writers.map(async (writer, index) => {
    for (let round = index; writing; round++) {
      const amount = round % total;
      await writer.call("setMany", { first: total - amount, n2999: amount });
    }
    return writer;
  });
  const amounts = new Set<number>();
  for (let round = 0; round < 5; round++) {
    const fileName = join(directory, `instant-${stores}-${round}`);
    const rounds = (await kv.get("n2999")) as number;
    while ((await kv.get("n2999")) === rounds) await turn();
    expect(await kv.backup({ fileName })).toMatchObject({ totalEntries: 3_002, bestEffort: false });
    await using copy = openKv({ backend: "disk", name: fileName, path: fileName });
    const first = (await copy.get("first")) as number;
    const last = (await copy.get("n2999")) as number;
    expect(first + last).toBe(total);
    amounts.add(last);
  }
  writing = false;
  await Promise.all(writes);
  expect(amounts.size).toBeGreaterThan(1);
});

test.runIf(process.platform === "linux")(
  "while a writer is stopped in the middle of a write, others read, and give up writing",
  async () => {
    const other = new Neighbour();
    const { written } = await other.stop();
    expect(await kv.get("here")).toBe(1);
    await expect(kv.set("here", 2)).rejects.toMatchObject({ name: "DiskStoreWriteError" });
    expect(await kv.get("here")).toBe(1);
    other.goOn();
    await written;
    await kv.set("here", 3);
    expect(await other.call("get", "here")).toBe(3);
    expect(await kv.get("stopped")).toBe(true);
  },
);

test.runIf(process.platform === "linux")(
  "a process that others have written after gives up writing after the stated time, and not twice",
  async () => {
    const other = new Neighbour();
    // Nobody else waits for so long; here it takes a moment, and is counted.
    const timeout = 98_765;
    let waits = 0;
    const after: typeof nodeEnv.timers.after = (ms, callback) => {
      if (ms !== timeout) return nodeEnv.timers.after(ms, callback);
      waits++;
      return nodeEnv.timers.after(1, callback);
    };
    const timers = { ...nodeEnv.timers, after };
    const options = { backend: "disk", name: `${path}-counted`, path, disk: { timeout } } as const;
    // Who opens a file first in a thread decides how long is waited.
    await kv.close();
    await using counted = openKv({ ...options, env: { ...nodeEnv, timers } });
    expect(await counted.get("here")).toBe(1);
    await other.call("set", "theirs", 1);
    await other.stop();
    waits = 0;
    await expect(counted.set("here", 2)).rejects.toMatchObject({ name: "DiskStoreWriteError" });
    expect(waits).toBe(1);
    other.goOn();
  },
);

test.runIf(process.platform === "linux")(
  "a writer that is killed in the middle of a write leaves nothing, and others write on",
  async () => {
    const other = new Neighbour();
    await other.stop();
    other.child.kill("SIGKILL");
    await kv.set("here", 4);
    expect(await kv.exists("stopped")).toBe(false);
    expect(await kv.listKeys()).toEqual(["here"]);
  },
);
