// What a killed backup leaves beside its target: the next one to the same target removes it, and never
// what a living process is writing.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../processes/compiled-package.js";

/** Stops for ever in the middle of a backup, and tells when. */
const source = `
import { writeSync } from "node:fs";
import { openKv } from "./dist/index.js";
const kv = openKv({ backend: "memory" });
for (let key = 0; key < 5000; key++) await kv.set("key:" + key, key);
await kv.backup({
  fileName: process.argv[2],
  onProgress: () => {
    writeSync(1, "begun\\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
`;

let compiled: CompiledPackage;
let directory = "";
let children: ChildProcess[] = [];

beforeAll(async () => {
  compiled = await compilePackage();
  directory = mkdtempSync(join(tmpdir(), "anykv-killed-"));
}, 60_000);

afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
  compiled.remove();
});

async function stuckBackup(target: string): Promise<ChildProcess> {
  const script = compiled.script("stuck.mjs", source);
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child = spawn(process.execPath, [script, target], { stdio: [...stdio] });
  children.push(child);
  await once(child.stdout as NodeJS.ReadableStream, "data");
  return child;
}

const namesOf = (child: ChildProcess): string[] =>
  readdirSync(directory).filter((name) => name.startsWith(`target.${child.pid}.`));

test("goes with the next backup to the same target, and what others write stays", async () => {
  const target = join(directory, "target");
  const [killed, living] = [await stuckBackup(target), await stuckBackup(target)];
  children = [living];
  killed.kill("SIGKILL");
  await once(killed, "exit");
  const left = namesOf(living);
  expect(namesOf(killed)).toHaveLength(2);
  expect(left).toHaveLength(2);
  writeFileSync(`${target}.mine.tmp`, "of somebody else");
  await using kv = openKv({ name: "after", backend: "memory" });
  await kv.backup({ fileName: join(directory, "other") });
  expect(namesOf(killed)).toHaveLength(2);
  await kv.exportJSONL({ fileName: target });
  const expected = ["other", "target", "target.mine.tmp", ...left].sort();
  expect(readdirSync(directory).sort()).toEqual(expected);
});
