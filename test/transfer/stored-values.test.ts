// What lies in a store and how it reaches a file: values that cannot be read, compressed ones, large
// ones.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OpenedEngine } from "../kv/kv-over-engine.js";

let directory = "";
let fileName = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "anykv-stored-"));
  fileName = join(directory, "file");
  writeFileSync(fileName, "old");
});
afterEach(() => rmSync(directory, { recursive: true }));

test("a value that cannot be read stops an export, and the file stays", async () => {
  const opened = new OpenedEngine();
  await opened.handle("json").set("a", { x: 1 });
  await opened.handle("string").set("b", "not JSON");
  const kv = opened.handle("json");
  const exporting = kv.exportJSONL({ fileName });
  await expect(exporting).rejects.toMatchObject({ name: "SerializerError", key: "b" });
  const csv = kv.exportCSV({ fileName, columns: ["x"] });
  await expect(csv).rejects.toMatchObject({ name: "SnapshotExportError", key: "b" });
  expect(readFileSync(fileName, "utf8")).toBe("old");
});

test("a surrogate alone has no place in a CSV file, and is escaped in JSONL", async () => {
  const kv = new OpenedEngine().handle();
  await kv.set("a", { x: "\ud800" });
  const csv = kv.exportCSV({ fileName, columns: ["x"] });
  await expect(csv).rejects.toMatchObject({ name: "ValueParseError", key: "a" });
  await kv.exportJSONL({ fileName });
  expect(readFileSync(fileName, "utf8")).toBe('{"key":"a","value":{"x":"\\ud800"}}\n');
});

test("stored JSON of others is written on one line, and none at all as null", async () => {
  const opened = new OpenedEngine();
  const text = opened.handle("string");
  await text.setMany({ a: '{\r\n  "x": [1,\n 2]\n}', b: "" });
  await opened.handle("json").exportJSONL({ fileName });
  const lines = '{"key":"a","value":{"x":[1,2]}}\n{"key":"b","value":null}\n';
  expect(readFileSync(fileName, "utf8")).toBe(lines);
});

test("compressed values are written as what they are", async () => {
  const kv = new OpenedEngine().handle();
  const value = { text: "again and ".repeat(1_000) };
  await kv.set("a", value, { compress: true });
  await kv.exportJSONL({ fileName });
  expect(readFileSync(fileName, "utf8")).toBe(`${JSON.stringify({ key: "a", value })}\n`);
});

test("a batch of large rows ends early", async () => {
  const kv = new OpenedEngine().handle();
  const rows = 40;
  const text = "x".repeat(1_048_576);
  await kv.setMany(Object.fromEntries(Array.from({ length: rows }, (_, index) => [index, text])));
  await kv.exportJSONL({ fileName });
  const seen: number[] = [];
  await kv.importJSONL({ fileName, onProgress: ({ records }) => void seen.push(records) });
  expect(seen).toStrictEqual([16, 32, 40]);
});
