// The lock file as it is made: with all its pages, once, and without remains. What happens where there
// is no room for it is in bad-files.test.ts, and races of those who make it are in openings.test.ts.

import { spawnSync } from "node:child_process";
import { linkSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockBytes } from "../../../src/engines/lmdb/lock-file.js";
import { nodeEnv } from "../../../src/env/env.js";
import { temporaryName } from "../../../src/env/temporary-files.js";

let directory = "";
let path = "";
let stores = 0;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "anykv-lock-"));
  path = join(directory, "store");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function openOnce(): Promise<void> {
  await using kv = openKv({ name: `lock ${++stores}`, backend: "disk", path });
  await kv.set("key", 1);
}

/** The name that a process which has ended since would have given its temporary file. */
async function nameOfDead(target: string): Promise<string> {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const processes = { ...nodeEnv.processes, id: pid };
  return temporaryName({ ...nodeEnv, processes }, target);
}

test.skipIf(process.platform === "win32")("has all its pages, for its owner alone", async () => {
  await openOnce();
  const { size, blocks, mode } = statSync(`${path}-lock`);
  expect(size).toBe(lockBytes);
  expect(blocks * 512).toBeGreaterThanOrEqual(lockBytes);
  expect(mode & 0o777).toBe(0o600);
  expect(readdirSync(directory).sort()).toEqual(["store", "store-lock"]);
});

test("is kept by those who open the store later", async () => {
  await openOnce();
  const { ino } = statSync(`${path}-lock`);
  await openOnce();
  expect(statSync(`${path}-lock`).ino).toBe(ino);
});

test("what those have left who were killed while they made it goes with the next opening", async () => {
  const lock = `${path}-lock`;
  const living = await temporaryName(nodeEnv, lock);
  for (const name of [await nameOfDead(lock), living]) writeFileSync(name, "begun");
  writeFileSync(`${lock}.mine.tmp`, "of somebody else");
  await openOnce();
  const rest = [living, `${lock}.mine.tmp`, lock, path].sort();
  expect(readdirSync(directory).map((name) => join(directory, name))).toEqual(rest.sort());
  // Killed after the lock file had got its name.
  const second = await nameOfDead(lock);
  linkSync(lock, second);
  await openOnce();
  expect(readdirSync(directory).map((name) => join(directory, name))).toEqual(rest);
  expect(statSync(lock).nlink).toBe(1);
});
