// The command line on the file of a disk store.

import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "../../src/cli/program.js";
import type { Terminal } from "../../src/cli/terminal.js";
import { parseHeader } from "../../src/engines/lmdb/file-header.js";
import { nodeEnv } from "../../src/env/env.js";
import { fill, openDisk, Scratch } from "../engines/lmdb/sample-store.js";

let scratch: Scratch;
let path = "";

beforeEach(async () => {
  scratch = new Scratch();
  path = scratch.file("store");
  const kv = openDisk(path);
  await fill(kv, 1);
  await kv.close();
});

afterEach(() => scratch[Symbol.dispose]());

interface Run {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function run(...args: string[]): Promise<Run> {
  const said = { out: "", error: "" };
  const terminal: Terminal = {
    env: nodeEnv,
    out: (text) => {
      said.out += text;
    },
    error: (text) => {
      said.error += text;
    },
    progress: () => {},
    confirm: () => undefined,
    flushed: () => Promise.resolve(true),
    input: () => Promise.resolve(new Uint8Array()),
    interruption: () => new AbortController().signal,
  };
  const code = await runCli(args, terminal);
  return { code, ...said };
}

/** A page of values in use says that it is another one. */
async function damage(): Promise<void> {
  const bytes = readFileSync(path);
  const pageBytes = parseHeader(bytes)?.pageBytes as number;
  for (let at = 2 * pageBytes; at < bytes.length; at += pageBytes) {
    const page = bytes.subarray(at, at + pageBytes);
    if (page.readUInt16LE(18) !== 2 || !page.includes('{"key":"key:')) continue;
    const number = page.readUInt32LE(0);
    page.writeUInt32LE(number + 1, 0);
    writeFileSync(path, bytes);
    if ((await run("verify", path)).code === 1) return;
    page.writeUInt32LE(number, 0);
  }
  throw new Error("no page of values");
}

test("a store in order: 0", async () => {
  const { code, out, error } = await run("verify", path);
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect(out).toMatch(/disk store, layout anykv 1, [\d,]+ bytes, transaction \d+\n {2}pages: /);
  expect(out).toMatch(/\n {2}values: [\d,]+ rows, [\d,]+ that expire\n/);
  expect(out).toMatch(/The store is in order\.\n$/);
  expect((await run("repair", path)).out).toBe(`${path}: nothing to repair\n`);
});

test("damage: 1; without a yes nothing is done: 2; repaired with losses: 1", async () => {
  await damage();
  const before = readFileSync(path);
  const verified = await run("verify", path);
  expect(verified.code).toBe(1);
  expect(verified.out).toMatch(
    /\n(at least )?[\d,]+ problems?:\n {2}at byte \d+: page \d+ of values says that /,
  );
  const asked = await run("repair", path);
  expect(asked.code).toBe(2);
  expect(asked.error).toContain("Repeat it with --yes.");
  expect(readFileSync(path).equals(before)).toBe(true);
  const { code, out, error } = await run("repair", "--yes", path);
  expect({ code, error }).toEqual({ code: 1, error: "" });
  expect(out).toContain(`  the file as it was is ${path}.damaged-`);
  expect(out).toContain("the rows on damaged pages, nobody knows how many");
  expect((await run("verify", path)).code).toBe(0);
});

test("as JSON", async () => {
  const { code, out } = await run("verify", "--json", path);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ path, layout: "anykv 1", problems: [] });
});

test("something else: 3", async () => {
  writeFileSync(path, "mine");
  for (const command of ["verify", "repair"]) {
    const { code, error } = await run(command, path);
    expect(code).toBe(3);
    expect(error).toMatch(/^anykv: .* is not the file of a store \(ANYKV_DISK_STORE_OPEN\)\n {2}/);
  }
});
