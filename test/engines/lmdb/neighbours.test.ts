// What processes that share a store notice of each other: elements for those who wait, keys that
// expire, tokens, readers beside writers, and a writer that is stopped in the middle of a write.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv } from "anykv";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { nodeEnv } from "../../../src/env/env.js";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import { Neighbour, turn } from "./neighbour.js";

let compiled: CompiledPackage;
let directory = "";
let path = "";
let kv: Kv;
let neighbours: Neighbour[] = [];
let stores = 0;

function neighbour(options?: object): Neighbour {
  const started = new Neighbour(compiled, path, options);
  neighbours.push(started);
  return started;
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
  const other = neighbour();
  const second = other.call("popFirstWait", "q", { timeout: 30_000 });
  const third = neighbour();
  await third.call("append", "q", "a");
  await third.call("append", "q", "b");
  expect([await first, await second].sort()).toEqual(["a", "b"]);
  expect(await kv.length("q")).toBe(0);
});

test("what a process that has been killed leaves to expire is removed by another", async () => {
  const other = neighbour();
  await other.call("setMany", { a: 1, b: 2 }, { ttl: 50 });
  other.child.kill("SIGKILL");
  while ((await kv.size()) > 1) await turn();
  expect(await kv.listKeys()).toEqual(["here"]);
  await using tracked = openKv({ backend: "disk", name: `${path}-tracked`, path, trackKeys: true });
  for (let rows = 3; rows > 1; await turn()) rows = (await tracked.stats()).index?.keysMap ?? 0;
});

test("counts are of one instant while another process removes what has expired", async () => {
  // However long the machine takes for what the other writes.
  await kv.close();
  kv = openKv({ backend: "disk", name: path, path, disk: { timeout: 60_000 } });
  const other = neighbour();
  const size = 2_000;
  const entries = Object.fromEntries(Array.from({ length: size }, (_, i) => [`due:${i}`, i]));
  for (let round = 0; round < 10; round++) {
    await other.call("setMany", entries, { ttl: 100 });
    for (let count = size; count > 0; await turn()) {
      const counts = await Promise.all([kv.count({ prefix: "due:" }), kv.size()]);
      count = counts[0];
      expect([0, size]).toContain(count);
      expect([1, size + 1]).toContain(counts[1]);
    }
  }
});

test("tokens rise across processes, and a claim holds in all of them", async () => {
  const other = neighbour();
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
  const reader = neighbour({ readOnly: true });
  for (let round = 0; round < 20; round++) {
    await kv.set("key", round);
    expect(await reader.call("get", "key")).toBe(round);
    expect(await reader.call("count")).toBe(2);
  }
  await expect(reader.call("set", "key", 1)).rejects.toThrow("StoreReadOnlyError");
});

test("a backup is of one instant while other processes write", async () => {
  await kv.setMany(Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`n${i}`, 0])));
  const writers = [neighbour(), neighbour()];
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
    const other = neighbour();
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
    const other = neighbour();
    // Nobody else waits for so long; once the other one is stopped it takes a moment, and is counted.
    const timeout = 98_765;
    let isStopped = false;
    let waits = 0;
    const after: typeof nodeEnv.timers.after = (ms, callback) => {
      if (ms !== timeout || !isStopped) return nodeEnv.timers.after(ms, callback);
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
    isStopped = true;
    await expect(counted.set("here", 2)).rejects.toMatchObject({ name: "DiskStoreWriteError" });
    expect(waits).toBe(1);
    other.goOn();
  },
);

test.runIf(process.platform === "linux")(
  "a writer that is killed in the middle of a write leaves nothing, and others write on",
  async () => {
    const other = neighbour();
    await other.stop();
    other.child.kill("SIGKILL");
    await kv.set("here", 4);
    expect(await kv.exists("stopped")).toBe(false);
    expect(await kv.listKeys()).toEqual(["here"]);
  },
);

test.runIf(process.platform === "linux")(
  "what is written behind a stopped writer has the whole time, and is carried out if it goes on",
  async () => {
    const other = neighbour();
    const { written } = await other.stop();
    await expect(kv.set("here", 2)).rejects.toMatchObject({ name: "DiskStoreWriteError" });
    const later = [kv.set("here", 5), kv.set("there", 6)];
    other.goOn();
    await Promise.all([...later, written]);
    expect(await kv.getMany(["here", "there"])).toMatchObject([{ value: 5 }, { value: 6 }]);
  },
);

test.runIf(process.platform === "linux")(
  "a store can be closed while another writer is stopped, and opened again when it goes on",
  async () => {
    const other = neighbour();
    const { written } = await other.stop();
    const refused = kv.set("here", 2);
    const closed = kv.close();
    await expect(refused).rejects.toMatchObject({ name: "DiskStoreWriteError" });
    await closed;
    const early = openKv({ backend: "disk", name: `${path}-early`, path });
    await expect(early.get("here")).rejects.toMatchObject({ name: "DiskStoreOpenError" });
    other.goOn();
    await written;
    await using again = await reopened();
    expect(await again.get("here")).toBe(1);
  },
);

/** As soon as the transaction that nobody waits for has ended. */
async function reopened(): Promise<Kv> {
  for (let attempt = 0; ; attempt++) {
    const again = openKv({ backend: "disk", name: `${path}-${attempt}`, path });
    try {
      await again.size();
      return again;
    } catch {
      await turn();
    }
  }
}
