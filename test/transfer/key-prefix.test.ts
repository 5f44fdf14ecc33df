// `keyPrefix`: the same keys for the import and for the check before it.

import { describe, expect, test } from "vitest";
import { keyBytesMax } from "../../src/base/limits.js";
import { factories, onStore, SimulatedTransfer } from "./transfer-setting.js";

const room = (prefix: string): number => keyBytesMax - Buffer.byteLength(prefix);
const prefix = "užer:";
const long = "x".repeat(room(prefix));

const csv = "id,n\n 1 ,a\n2,b\n";
const jsonl = '{"key":"1","value":{"n":1}}\n{ "value": 2, "key": "\\u0032" }\n';
const files = {
  "in.csv": csv,
  "in.jsonl": jsonl,
  "long.csv": `id\n1\n${long}\nx${long}\n`,
  "long.jsonl": `{"key":"1","value":1}\n{"key":"${long}","value":1}\n{"key":"x${long}","value":1}\n`,
  "escaped.jsonl": `{"key":"\\u0078${long}","value":1}\n`,
  "blank.csv": "id,n\n ,a\n",
  "blank.jsonl": '{"key":"","value":1}\n',
};

test("stands before every key of a file, and not in the values", async () => {
  const { kv } = new SimulatedTransfer(files);
  const table = { fileName: "/data/in.csv", keyColumn: "id", keyPrefix: prefix };
  await kv.importCSV(table);
  expect(await kv.list()).toStrictEqual([
    { key: `${prefix}1`, value: { id: " 1 ", n: "a" } },
    { key: `${prefix}2`, value: { id: "2", n: "b" } },
  ]);
  await kv.importJSONL({ fileName: "/data/in.jsonl", keyPrefix: prefix });
  expect(await kv.list()).toStrictEqual([
    { key: `${prefix}1`, value: { n: 1 } },
    { key: `${prefix}2`, value: 2 },
  ]);
  expect(await kv.validateCSV(table)).toMatchObject({ valid: true, rows: 2 });
  for (const none of ["", undefined]) {
    await kv.clear();
    await kv.importCSV({ ...table, keyPrefix: none });
    expect(await kv.listKeys()).toEqual(["1", "2"]);
  }
});

test("counts towards the length of a key, in the row that is too long", async () => {
  const { kv } = new SimulatedTransfer(files);
  const table = { fileName: "/data/long.csv", keyColumn: "id", keyPrefix: prefix };
  const lines = { fileName: "/data/long.jsonl", keyPrefix: prefix };
  const message = `key must be at most ${keyBytesMax} bytes of UTF-8, got ${keyBytesMax + 1}`;
  const name = "ValueParseError";
  expect(await kv.validateCSV(table)).toMatchObject({ rows: 2, firstError: { row: 4, message } });
  expect(await kv.validateJSONL(lines)).toMatchObject({
    ...{ records: 2, firstError: { line: 3, message } },
  });
  await expect(kv.importCSV(table)).rejects.toMatchObject({
    ...{ name, message: expect.stringMatching(`: row 4: ${message}$`) },
  });
  await expect(kv.importJSONL(lines)).rejects.toMatchObject({
    ...{ name, message: expect.stringMatching(`: line 3: ${message}$`) },
  });
  const escaped = await kv.validateJSONL({ ...lines, fileName: "/data/escaped.jsonl" });
  expect(escaped.firstError).toMatchObject({ line: 1, message });
  expect(await kv.size()).toBe(0);
  expect(await kv.validateCSV({ ...table, keyPrefix: "" })).toMatchObject({ valid: true });
});

test("does not make a key of a blank one", async () => {
  const { kv } = new SimulatedTransfer(files);
  const table = { fileName: "/data/blank.csv", keyColumn: "id", keyPrefix: prefix };
  expect(await kv.validateCSV(table)).toMatchObject({ firstError: { row: 2 } });
  const lines = await kv.validateJSONL({ fileName: "/data/blank.jsonl", keyPrefix: prefix });
  expect(lines).toMatchObject({ valid: false, firstError: { line: 1 } });
});

test("is refused without a key column, where it would change nothing", async () => {
  const { kv } = new SimulatedTransfer(files);
  const checking = kv.validateCSV({ fileName: "/data/in.csv", keyPrefix: prefix });
  await expect(checking).rejects.toThrow('option "keyPrefix" needs "keyColumn"');
});

describe.each(factories)("$name", (factory) => {
  test("is refused when it leaves no room for a key", () =>
    onStore(factory, async (kv) => {
      const options = { fileName: "missing", keyColumn: "id", keyPrefix: "x".repeat(keyBytesMax) };
      for (const call of [
        kv.importCSV(options),
        kv.validateCSV(options),
        kv.importJSONL(options),
        kv.validateJSONL(options),
      ]) {
        await expect(call).rejects.toThrow(`option "keyPrefix" must be at most ${keyBytesMax - 1}`);
      }
    }));
});
