// One file and several ways to it: other names, other threads, and a backup that takes its place.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { openKv } from "anykv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import { Neighbour } from "./neighbour.js";

const directory = mkdtempSync(join(tmpdir(), "anykv-shared-file-"));
let compiled: CompiledPackage;

beforeAll(async () => {
  compiled = await compilePackage("test/engines/lmdb/programs");
}, 60_000);

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  compiled.remove();
});

test("a file is the same store under every name that leads to it", async () => {
  const path = join(directory, "linked");
  const link = join(directory, "link");
  await using kv = openKv({ backend: "disk", name: path, path });
  await kv.set("count", 0);
  symlinkSync(path, link);
  const other = new Neighbour(compiled, link);
  const times = 100;
  const own = Array.from({ length: times }, () => kv.incrementBy("count", 1));
  const theirs = Array.from({ length: times }, () => other.call("incrementBy", "count", 1));
  await Promise.all([...own, ...theirs]);
  expect(await kv.get("count")).toBe(2 * times);
  expect(await other.call("get", "count")).toBe(2 * times);
  await kv.set("count", 1);
  expect(await other.call("get", "count")).toBe(1);
  other.child.kill("SIGKILL");
});

test("a link to a file that is not there yet leads to the same store", async () => {
  const path = join(directory, "later");
  const link = join(directory, "link to later");
  symlinkSync("later", link);
  await using kv = openKv({ backend: "disk", name: link, path: link });
  await kv.set("count", 1);
  const other = new Neighbour(compiled, path);
  expect(await other.call("incrementBy", "count", 1)).toBe(2);
  expect(await kv.incrementBy("count", 1)).toBe(3);
  expect(
    readdirSync(directory)
      .filter((name) => name.includes("later"))
      .sort(),
  ).toEqual(["later", "later-lock", "link to later"]);
  other.child.kill("SIGKILL");
});

test("nothing is written to a file that has been replaced or removed", async () => {
  const path = join(directory, "replaced");
  await using kv = openKv({ backend: "disk", name: path, path });
  await kv.set("key", 1);
  rmSync(path);
  await expect(kv.set("key", 2)).rejects.toMatchObject({
    name: "DiskStoreWriteError",
    message: expect.stringContaining("replaced or removed"),
  });
  expect(await kv.get("key")).toBe(1);
});

test("whoever uses a file is found under every name that leads to it", async () => {
  const path = join(directory, "used");
  const link = join(directory, "used link");
  await using kv = openKv({ backend: "disk", name: path, path });
  await kv.set("key", 1);
  symlinkSync(path, link);
  const script = compiled.script(
    "users.mjs",
    `import { nodeEnv } from "./dist/env/env.js";
     import { usersOf } from "./dist/engines/lmdb/lock-users.js";
     console.log(JSON.stringify(await usersOf(nodeEnv, process.argv[2])));`,
  );
  const users = JSON.parse(`${execFileSync(process.execPath, [script, link])}`);
  expect(users).toContain(process.pid);
});

test("a backup refuses to take the place of a file that is opened while it is written", async () => {
  const target = join(directory, "target");
  await openKv({ backend: "disk", name: target, path: target }).close();
  await using kv = openKv({ backend: "memory", name: "source" });
  await kv.setMany(Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`n${i}`, i])));
  let other: Neighbour | undefined;
  const opened: Promise<unknown>[] = [];
  const onProgress = (): void => {
    if (other !== undefined) return;
    other = new Neighbour(compiled, target);
    opened.push(other.call("set", "mine", 1));
    // Nothing goes on here before it has it open.
    while (!usersOf(target).includes(other.child.pid ?? 0)) {}
  };
  const refused = kv.backup({ fileName: target, onProgress });
  await expect(refused).rejects.toMatchObject({ name: "SnapshotExportError" });
  await Promise.all(opened);
  expect(await other?.call("get", "mine")).toBe(1);
  await using mine = openKv({ backend: "disk", name: `${target} again`, path: target });
  expect(await mine.get("mine")).toBe(1);
  other?.child.kill("SIGKILL");
});

/** The processes in the list of readers; read by a process of its own, as the file has locks. */
function usersOf(path: string): number[] {
  let lock: Buffer;
  try {
    lock = execFileSync("cat", [`${path}-lock`], { stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return [];
  }
  const users: number[] = [];
  for (let at = 216; at + 4 <= lock.length; at += 64) users.push(lock.readUInt32LE(at));
  return users;
}

test("a read sees what was written while its thread waited within a turn", async () => {
  const path = join(directory, "waiting");
  await using kv = openKv({ backend: "disk", name: path, path });
  const script = compiled.script(
    "set.mjs",
    `import { openKv } from "anykv";
     const kv = openKv({ path: process.argv[2] });
     await kv.set("key", Number(process.argv[3]));
     await kv.close();`,
  );
  await kv.set("key", 0);
  for (let value = 1; value <= 3; value++) {
    expect(await kv.get("key")).toBe(value - 1);
    execFileSync(process.execPath, [script, path, `${value}`]);
    expect(await kv.get("key")).toBe(value);
  }
});

// From Node 26 on lmdb 3.5.6 ends the process, as in terminations.test.ts.
const survives = Number.parseInt(process.versions.node, 10) < 26;

test.runIf(survives)("a worker that exits in the middle of its writes ends alone", async () => {
  const path = join(directory, "workers");
  const script = compiled.script(
    "exits.mjs",
    `import { openKv } from "anykv";
     import { workerData } from "node:worker_threads";
     const kv = openKv({ path: workerData });
     await kv.size();
     const write = async (key) => { for (;;) await kv.set(key, 1); };
     for (const key of ["a", "b", "c", "d"]) write(key);
     setTimeout(() => process.exit(7), 30);`,
  );
  for (let round = 0; round < 5; round++) {
    const worker = new Worker(script, { workerData: path });
    expect(await new Promise((resolve) => worker.once("exit", resolve))).toBe(7);
  }
  await using kv = openKv({ backend: "disk", name: path, path });
  expect(await kv.incrementBy("written after them", 1)).toBe(1);
  expect(readFileSync(path).length).toBeGreaterThan(0);
});
