// Looking who uses a store takes nothing away from those who do: a process that closes a file loses the
// locks that its other threads have on it (POSIX), and then another process takes the lock file for
// one that nobody uses, and makes its locks and its list of readers anew.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openKv } from "anykv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { usersOf } from "../../../src/engines/lmdb/lock-users.js";
import { nodeEnv } from "../../../src/env/env.js";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";

/** A thread has a store open; the main thread of the process tries to write a backup over it. */
const source = `
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { openKv } from "./dist/index.js";
const path = process.argv[2] ?? workerData;
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { workerData: path });
  await new Promise((resolve) => worker.once("message", resolve));
  console.log("open");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  const kv = openKv({ backend: "memory" });
  await kv.backup({ fileName: path }).then(
    () => console.log("none"),
    (error) => console.log(error.name),
  );
} else {
  const kv = openKv({ backend: "disk", path });
  await kv.set("key", 1);
  await kv.get("key");
  parentPort.postMessage("open");
  setInterval(() => {}, 1_000);
}
`;

let compiled: CompiledPackage;
let directory = "";
let path = "";

beforeAll(async () => {
  compiled = await compilePackage();
  directory = mkdtempSync(join(tmpdir(), "anykv-users-"));
  path = join(directory, "store");
}, 60_000);

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  compiled.remove();
});

/** The locks that a process has on files, as the system lists them. */
function locksOf(pid: number | undefined): string[] {
  const lines = readFileSync("/proc/locks", "utf8").split("\n");
  return lines
    .map((line) => line.replace(/^\d+: /, ""))
    .filter((line) => line.includes(` ${pid} `))
    .sort();
}

test.runIf(process.platform === "linux")(
  "a backup onto the store of another thread leaves its locks alone",
  async () => {
    const args = [compiled.script("users.mjs", source), path];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      expect((await lines.next()).value).toBe("open");
      const before = locksOf(child.pid);
      expect(before.length).toBeGreaterThan(0);
      expect(await usersOf(nodeEnv, path)).toEqual([child.pid]);
      child.stdin.write("\n");
      expect((await lines.next()).value).toBe("SnapshotExportError");
      expect(locksOf(child.pid)).toEqual(before);
    } finally {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
    expect(await usersOf(nodeEnv, path)).toEqual([]);
    await using kv = openKv({ backend: "disk", name: "users", path });
    expect(await kv.get("key")).toBe(1);
  },
);
