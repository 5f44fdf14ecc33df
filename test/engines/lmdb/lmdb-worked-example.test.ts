// The worked example of docs/formats/lmdb.md, row by row and byte by byte as the code writes it.

import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { parseHeader } from "../../../src/engines/lmdb/file-header.js";
import { databaseNames } from "../../../src/engines/lmdb/layout.js";
import { lmdbDefaults } from "../../../src/engines/lmdb/lmdb-defaults.js";
import { acquireFile, releaseFile } from "../../../src/engines/lmdb/open-file.js";
import { SnapshotRows } from "../../../src/engines/lmdb/snapshot-rows.js";
import { nodeEnv } from "../../../src/env/env.js";
import { openDisk, Scratch } from "./sample-store.js";

const page = readFileSync(new URL("../../../docs/formats/lmdb.md", import.meta.url), "utf8");
const [, rowBlock = "", , pageBlock = ""] = (page.split("## Worked example")[1] ?? "").split("```");

let rows: string[] = [];
let bytes: Buffer;

async function rowsOf(path: string): Promise<string[]> {
  const file = await acquireFile(nodeEnv, { ...lmdbDefaults, path, readOnly: true });
  const reader = new SnapshotRows(file.root, file.access);
  const found = databaseNames.flatMap((name) =>
    [...reader.raw(name)].map(({ key, value }) => {
      return `${name} ${key.toString("hex")} ${value.toString("hex")}`;
    }),
  );
  reader.close();
  await releaseFile(file);
  return found;
}

beforeAll(async () => {
  using scratch = new Scratch();
  const path = scratch.file("store");
  const clock = { now: () => Date.UTC(2100), monotonic: () => performance.now() };
  const kv = openDisk(path, { env: { ...nodeEnv, clock } });
  await kv.set("job:1", "é");
  await kv.claimKey("job:1", { owner: "me", ttl: 30_000 });
  await kv.append("todo", 7);
  await kv.close();
  rows = await rowsOf(path);
  bytes = readFileSync(path);
});

/** Hexadecimal digits at the beginning of a line, in groups; what follows is said in words. */
function digits(line: string): string {
  const [hex = ""] = /^(?:[0-9a-f]{2,} ?)+(?= {2}|$)|^(?:[0-9a-f]{2,} ?)+/.exec(line) ?? [];
  return hex.replaceAll(" ", "");
}

/** Which transaction wrote a node depends on how many there were; the document has an example. */
function withoutVersion(row: string): string {
  return row.replace(/^(order [0-9a-f]+ )[0-9a-f]{16}/, "$1");
}

test("the document shows every row that the code writes", () => {
  const lines = rowBlock.trim().split("\n");
  const documented: string[] = [];
  for (let at = 0; at < lines.length; at += 2) {
    const [name = "", key = ""] = (lines[at] as string).split(/\s+/);
    documented.push(`${name} ${key} ${digits((lines[at + 1] as string).trim())}`);
  }
  expect(documented.map(withoutVersion)).toEqual(rows.map(withoutVersion));
});

test("the document shows the page that LMDB writes, where pages have its size", () => {
  if (parseHeader(bytes)?.pageBytes !== 4_096) return;
  const line = /^ *(\d+) {2}((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {2}|$)/gm;
  const shown = [...pageBlock.matchAll(line)];
  expect(shown).toHaveLength(11);
  // Its number, and that of the transaction, are of the example.
  const parts = shown
    .map(([, offset, hex = ""]) => ({ offset: Number(offset), hex: hex.replaceAll(" ", "") }))
    .filter(({ offset }) => offset >= 16);
  const shownAt = (page: number): boolean =>
    parts.every(({ offset, hex }) => {
      const at = page * 4_096 + offset;
      return bytes.subarray(at, at + hex.length / 2).toString("hex") === hex;
    });
  const pages = Array.from({ length: bytes.length / 4_096 }, (_, page) => page);
  expect(pages.filter(shownAt)).not.toEqual([]);
});
