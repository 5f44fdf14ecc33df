// Whoever only reads a store that nobody else has open leaves nothing beside it, and takes away no lock
// file that others use. ANYKV_LOCK_ROUNDS sets the number of races.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv } from "anykv";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { keepLockFile } from "../../../src/engines/lmdb/lock-token.js";
import { nodeEnv } from "../../../src/env/env.js";
import { temporaryName } from "../../../src/env/temporary-files.js";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";

const rounds = Number(process.env.ANYKV_LOCK_ROUNDS ?? 100);
/** Where openings take the least time, so that they meet more often. */
const scratch = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

let compiled: CompiledPackage;
let directory = "";
let path = "";
let stores = 0;

beforeAll(async () => {
  compiled = await compilePackage();
}, 60_000);
afterAll(() => compiled.remove());

beforeEach(async () => {
  directory = mkdtempSync(join(scratch, "anykv-token-"));
  path = join(directory, "store");
  await using kv = openKv({ name: `token ${++stores}`, backend: "memory" });
  await kv.set("key", 1);
  await kv.backup({ fileName: path });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const names = (): string[] => readdirSync(directory).sort();
const memory = (): Kv => openKv({ name: `token ${++stores}`, backend: "memory" });

test("a restored backup is left alone", async () => {
  expect(names()).toEqual(["store"]);
  await using kv = memory();
  await kv.restore({ fileName: path });
  expect(await kv.get("key")).toBe(1);
  expect(names()).toEqual(["store"]);
});

test("so is one that cannot be restored, and a store that was only read", async () => {
  await using kv = memory();
  await expect(kv.restore({ fileName: path, maxBytes: 1 })).rejects.toThrow("maxBytes");
  expect(names()).toEqual(["store"]);
  const disk = { readOnly: true };
  const reader = openKv({ name: `token ${++stores}`, backend: "disk", path, disk });
  expect(await reader.get("key")).toBe(1);
  expect(names()).toHaveLength(3);
  await reader.close();
  expect(names()).toEqual(["store"]);
});

test("a store that is opened while it is restored from keeps its lock file", async () => {
  const script = compiled.script(
    "restore.mjs",
    `
      import { readSync } from "node:fs";
      import { openKv } from "./dist/index.js";
      const kv = openKv({ backend: "memory" });
      let begun = false;
      await kv.restore({ fileName: process.argv[2], onProgress: () => {
        if (begun) return;
        begun = true;
        process.send("begun");
        readSync(0, Buffer.alloc(1));
      } });
      process.disconnect();
    `,
  );
  const child = spawn(process.execPath, [script, path], {
    stdio: ["pipe", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  await once(child, "message");
  await using kv = openKv({ name: `token ${++stores}`, backend: "disk", path });
  await kv.set("key", 2);
  const { ino } = statSync(`${path}-lock`);
  child.stdin?.end("go on");
  expect(await ended).toEqual([0, null]);
  expect(names()).toEqual(["store", "store-lock"]);
  expect(statSync(`${path}-lock`).ino).toBe(ino);
});

test("a token of a dead process goes, and other names of the file do not matter", async () => {
  const lock = `${path}-lock`;
  writeFileSync(lock, "");
  linkSync(lock, join(directory, "elsewhere"));
  expect(await keepLockFile(nodeEnv, lock)).toBe(true);
  const processes = { ...nodeEnv.processes, id: 4_194_399 };
  for (const suffix of ["", "-ending"]) {
    linkSync(lock, (await temporaryName({ ...nodeEnv, processes }, lock)) + suffix);
    expect(await keepLockFile(nodeEnv, lock)).toBe(true);
    expect(names()).toEqual(["elsewhere", "store", "store-lock"]);
  }
});

test("a lock file that a living process is taking away is waited for", async () => {
  const lock = `${path}-lock`;
  writeFileSync(lock, "");
  const ending = `${await temporaryName(nodeEnv, lock)}-ending`;
  linkSync(lock, ending);
  let isKept: boolean | undefined;
  const kept = keepLockFile(nodeEnv, lock).then((result) => {
    isKept = result;
  });
  for (let turn = 0; turn < 20; turn++) await nodeEnv.timers.breathe();
  expect(isKept).toBeUndefined();
  rmSync(lock);
  rmSync(ending);
  await kept;
  expect(isKept).toBe(false);
});

test(
  `${rounds} backups, each opened by two readers and two writers at once, lose nothing`,
  async () => {
    const script = compiled.script(
      "passing.mjs",
      `
        import { openKv } from "./dist/index.js";
        const readOnly = process.argv[2] === "reader";
        let stores = 0;
        async function use(path, work) {
          const kv = openKv({ name: "store-" + ++stores, backend: "disk", path, disk: { readOnly } });
          try {
            await work(kv);
          } finally {
            await kv.close();
          }
        }
        process.on("message", async (path) => {
          if (readOnly) for (let round = 0; round < 4; round++) await use(path, (kv) => kv.exists("count"));
          else await use(path, async (kv) => {
            for (let write = 0; write < 5; write++) await kv.incrementBy("count", 1);
          });
          process.send("done");
        });
      `,
    );
    const children = ["reader", "writer", "reader", "writer"].map((role) =>
      spawn(process.execPath, [script, role], { stdio: ["ignore", "inherit", "inherit", "ipc"] }),
    );
    const deaths = Promise.race(children.map(died));
    deaths.catch(() => {});
    try {
      for (let round = 0; round < rounds; round++) {
        const file = `${path}-${round}`;
        copyFileSync(path, file);
        const done = children.map((child) => once(child, "message"));
        for (const child of children) child.send(file);
        await Promise.race([Promise.all(done), deaths]);
        await using kv = openKv({ name: `token ${++stores}`, backend: "disk", path: file });
        expect(await kv.get("count"), `file ${round}`).toBe(10);
      }
    } finally {
      for (const child of children) child.disconnect();
    }
    expect(names().filter((name) => name.includes(".tmp"))).toEqual([]);
  },
  60_000 + rounds * 500,
);

async function died(child: ChildProcess): Promise<never> {
  const [code, signal] = await once(child, "exit");
  throw new Error(`a process ended with ${signal ?? code}`);
}
