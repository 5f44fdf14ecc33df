// Files: JSONL and CSV out of a store and into it, as every backend has to do it.
//
// What does not depend on the backend (dialects, bad files, faults) has tests of its own.

import { readFileSync, writeFileSync } from "node:fs";
import type { Kv } from "../../kv/kv.js";
import { scratchFile } from "../scratch-directory.js";
import { type Family, numberedEntries, numberedKeys, refusal } from "./suite-case.js";

function fileOf(name: string, content: string): string {
  const fileName = scratchFile(name);
  writeFileSync(fileName, content);
  return fileName;
}

const textOf = (fileName: string): string => readFileSync(fileName, "utf8");

async function entriesOf(kv: Kv): Promise<Record<string, unknown>> {
  return Object.fromEntries((await kv.list()).map(({ key, value }) => [key, value]));
}

const everyKind = {
  null: null,
  no: false,
  zero: 0,
  negative: -1.5,
  tiny: 1e-7,
  text: 'a "quoted"\nline',
  empty: "",
  list: [1, [null, {}], "x"],
  nested: { b: { c: [1] }, a: "é😀" },
  "é😀": "key beyond ASCII",
  'with "quotes" and \\': 1,
};

export const jsonlFamily: Family = {
  title: "JSONL files",
  onePartition: ["an import that meets an array writes nothing of that batch"],
  cases: {
    "exportJSONL writes one line for each value, in key order": async ({ kv, expect }) => {
      await kv.setMany({ "p:2": { b: 1, a: [null] }, "p:10": "x", q: 1, "p:1": null });
      await kv.append("p:array", 1);
      const fileName = scratchFile("out.jsonl");
      const result = await kv.exportJSONL({ fileName, prefix: "p:" });
      const lines = [
        '{"key":"p:1","value":null}',
        '{"key":"p:10","value":"x"}',
        '{"key":"p:2","value":{"b":1,"a":[null]}}',
      ];
      expect(textOf(fileName)).toBe(lines.map((line) => `${line}\n`).join(""));
      expect(result).toStrictEqual({
        exported: 3,
        fileName,
        bytesWritten: textOf(fileName).length,
      });
    },

    "exportJSONL of nothing writes an empty file": async ({ kv, expect }) => {
      const fileName = scratchFile("out.jsonl");
      const result = await kv.exportJSONL({ fileName, prefix: "none" });
      expect(result).toStrictEqual({ exported: 0, fileName, bytesWritten: 0 });
      expect(textOf(fileName)).toBe("");
    },

    "exportJSONL takes a limit, and 0 or less means all": async ({ kv, expect }) => {
      await kv.setMany(numberedEntries("k", 1_205));
      const fileName = scratchFile("out.jsonl");
      for (const [limit, exported] of [
        [1, 1],
        [1_001, 1_001],
        [5_000, 1_205],
        [0, 1_205],
        [-1, 1_205],
      ]) {
        expect((await kv.exportJSONL({ fileName, limit })).exported).toBe(exported);
        const keys = textOf(fileName).trimEnd().split("\n");
        expect(keys).toHaveLength(exported as number);
        expect(keys[0]).toBe('{"key":"k0000","value":0}');
      }
    },

    "what exportJSONL wrote, importJSONL reads": async ({ kv, open, expect }) => {
      await kv.setMany(everyKind);
      await kv.incrementBy("counter", 41);
      const fileName = scratchFile("out.jsonl");
      const { bytesWritten } = await kv.exportJSONL({ fileName });
      const other = await open("json");
      const imported = await other.importJSONL({ fileName });
      const count = Object.keys(everyKind).length + 1;
      expect(imported).toStrictEqual({ imported: count, fileName, bytesRead: bytesWritten });
      expect(await entriesOf(other)).toStrictEqual({ ...everyKind, counter: 41 });
      expect(await other.incrementBy("counter", 1)).toBe(42);
      const again = scratchFile("again.jsonl");
      await other.setMany({ counter: 41 });
      await other.exportJSONL({ fileName: again });
      expect(textOf(again)).toBe(textOf(fileName));
    },

    "importJSONL overwrites, and of a key that occurs twice the last line wins": async (
      setting,
    ) => {
      const { kv, expect } = setting;
      await kv.set("a", 1, { ttl: 5_000 });
      const claim = await kv.claimKey("a");
      const text = '{"key":"a","value":2}\n{"key":"b","value":1}\n{"value":3,"key":"a","more":0}';
      const fileName = fileOf("in.jsonl", text);
      const result = await kv.importJSONL({ fileName, batchSize: 2 });
      expect(result).toStrictEqual({ imported: 3, fileName, bytesRead: text.length });
      expect(await entriesOf(kv)).toStrictEqual({ a: 3, b: 1 });
      expect(await kv.ttl("a")).toBeNull();
      expect(claim !== null && (await kv.releaseClaim(claim))).toBe(true);
    },

    "importJSONL with a limit reads no further": async ({ kv, expect }) => {
      const first = '{"key":"a","value":1}\n';
      const fileName = fileOf("in.jsonl", `${first}not JSON\n`);
      const result = await kv.importJSONL({ fileName, limit: 1, batchSize: 1_000 });
      expect(result).toStrictEqual({ imported: 1, fileName, bytesRead: first.length });
      expect(await kv.listKeys()).toStrictEqual(["a"]);
    },

    "importJSONL that meets a bad line keeps the batches before it": async ({ kv, expect }) => {
      const lines = numberedKeys("k", 5).map((key) => `{"key":"${key}","value":1}\n`);
      const fileName = fileOf("in.jsonl", `${lines.join("")}{"key":"","value":1}\n`);
      const error = await refusal(kv.importJSONL({ fileName, batchSize: 2 }), "ValueParseError");
      expect(await kv.listKeys()).toStrictEqual(["k0", "k1", "k2", "k3"]);
      expect(error.message).toBe(
        "importJSONL failed after 4 records and 92 bytes; previous batches may already be " +
          'committed: line 6: "key" must be a non-empty string',
      );
    },

    "an import that meets an array writes nothing of that batch": async ({ kv, expect }) => {
      await kv.append("k3", 1);
      const lines = numberedKeys("k", 5).map((key) => `{"key":"${key}","value":1}\n`);
      const fileName = fileOf("in.jsonl", lines.join(""));
      const error = await refusal(kv.importJSONL({ fileName, batchSize: 2 }), "WrongTypeError");
      expect(error.message).toContain("importJSONL failed after 2 records");
      expect(await kv.listKeys()).toStrictEqual(["k0", "k1"]);
    },

    "values of a string store are JSON strings in a file": async ({ open, expect }) => {
      const kv = await open("string");
      const fileName = fileOf(
        "in.jsonl",
        '{"key":"a","value":"x"}\n{"key":"b","value":{"n":[1]}}\n',
      );
      await kv.importJSONL({ fileName });
      expect(await entriesOf(kv)).toStrictEqual({ a: "x", b: "map[n:[1]]" });
      await kv.exportJSONL({ fileName });
      expect(textOf(fileName)).toBe('{"key":"a","value":"x"}\n{"key":"b","value":"map[n:[1]]"}\n');
    },

    "a signal that is aborted ends transfers before they begin": async ({ kv, expect }) => {
      const fileName = fileOf("in.jsonl", '{"key":"a","value":1}\n');
      const signal = AbortSignal.abort(new Error("enough"));
      const options = { fileName, signal };
      for (const call of [
        kv.importJSONL(options),
        kv.exportJSONL(options),
        kv.validateJSONL(options),
        kv.exportCSV({ ...options, columns: ["a"] }),
        kv.importCSV({ ...options, keyColumn: "a" }),
        kv.validateCSV(options),
      ]) {
        const error = await refusal(call, "OperationCanceledError");
        expect(error.message).toBe("operation was canceled: enough");
      }
      expect(await kv.size()).toBe(0);
      expect(textOf(fileName)).toBe('{"key":"a","value":1}\n');
    },

    "progress tells of records and bytes, up to the end": async ({ kv, expect }) => {
      await kv.setMany(numberedEntries("k", 2_500));
      const fileName = scratchFile("out.jsonl");
      const seen: { records: number; bytes: number }[] = [];
      const onProgress = (progress: { records: number; bytes: number }) => void seen.push(progress);
      const { bytesWritten } = await kv.exportJSONL({ fileName, onProgress });
      expect(seen.at(-1)).toStrictEqual({ records: 2_500, bytes: bytesWritten });
      seen.length = 0;
      await kv.importJSONL({ fileName, onProgress, batchSize: 1_000 });
      expect(seen.map(({ records }) => records)).toStrictEqual([1_000, 2_000, 2_500]);
      expect(seen.at(-1)?.bytes).toBe(bytesWritten);
      seen.length = 0;
      await kv.validateJSONL({ fileName, onProgress });
      expect(seen.at(-1)).toStrictEqual({ records: 2_500, bytes: bytesWritten });
    },

    "closing the handle lets a transfer come to its end": async ({ kv, store, expect }) => {
      const other = store.second();
      await kv.setMany(numberedEntries("k", 3_000));
      const fileName = scratchFile("out.jsonl");
      const exporting = kv.exportJSONL({ fileName });
      const importing = exporting.then(() => other.importJSONL({ fileName, batchSize: 10 }));
      const closed = [kv.close(), exporting.then(() => other.close())];
      expect((await exporting).exported).toBe(3_000);
      expect((await importing).imported).toBe(3_000);
      await Promise.all(closed);
    },

    "an export among writers has every value that was there all the time": async (setting) => {
      const { kv, expect } = setting;
      await kv.setMany(numberedEntries("k", 5_000));
      const fileName = scratchFile("out.jsonl");
      let writes = 0;
      const onProgress = () => {
        writes++;
        void kv.deleteMany(numberedKeys("k", 5_000).filter((_, index) => index % 100 === 50));
        void kv.setMany({ [`a${writes}`]: "before", [`z${writes}`]: "behind" });
      };
      await kv.exportJSONL({ fileName, onProgress });
      const lines = textOf(fileName).trimEnd().split("\n");
      const keys = lines.map((line) => (JSON.parse(line) as { key: string }).key);
      expect(writes).toBeGreaterThan(3);
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys.toSorted()).toStrictEqual(keys);
      const stayed = numberedKeys("k", 5_000).filter((_, index) => index % 100 !== 50);
      expect(keys.filter((key) => stayed.includes(key))).toHaveLength(stayed.length);
      expect(keys.filter((key) => key.startsWith("a"))).toHaveLength(0);
      // Those that came behind are in it where they came in time.
      for (const key of keys.filter((name) => !name.startsWith("k"))) expect(key).toMatch(/^z/);
    },
  },
};

export const csvFamily: Family = {
  title: "CSV files",
  cases: {
    "exportCSV writes a header and the columns of each value": async ({ kv, expect }) => {
      await kv.setMany({
        "u:1": { name: "a,b", age: 1e21, ok: true, extra: { deep: 1 } },
        "u:2": { name: null, age: 1e-7 },
        v: 1,
      });
      const fileName = scratchFile("out.csv");
      const columns = ["name", "age", "ok"];
      const result = await kv.exportCSV({ fileName, prefix: "u:", columns });
      const text = 'key,name,age,ok\nu:1,"a,b",1000000000000000000000,true\nu:2,,0.0000001,\n';
      expect(textOf(fileName)).toBe(text);
      expect(result).toStrictEqual({ exported: 2, fileName, bytesWritten: text.length });
      await kv.exportCSV({ fileName, prefix: "none", columns, includeKey: false, delimiter: ";" });
      expect(textOf(fileName)).toBe("name;age;ok\n");
    },

    "exportCSV refuses what is no flat object and leaves the file alone": async (setting) => {
      const { kv, open, expect } = setting;
      const fileName = fileOf("out.csv", "old");
      const text = await open("string");
      await text.set("k", '{"a":1}');
      for (const value of [1, null, "x", [1], { a: { b: 1 } }, { a: [] }]) {
        await kv.set("k", value);
        await refusal(kv.exportCSV({ fileName, columns: ["a"] }), "ValueParseError");
      }
      await refusal(text.exportCSV({ fileName, columns: ["a"] }), "ValueParseError");
      expect(textOf(fileName)).toBe("old");
    },

    "importCSV sets rows as objects of strings": async ({ kv, expect }) => {
      const text = 'id,name,status\n 1 , a ,200\n2,"b,\n""c""",404\n';
      const fileName = fileOf("in.csv", text);
      const result = await kv.importCSV({ fileName, keyColumn: "id" });
      expect(result).toStrictEqual({ imported: 2, fileName, bytesRead: text.length });
      expect(await entriesOf(kv)).toStrictEqual({
        1: { id: " 1 ", name: " a ", status: "200" },
        2: { id: "2", name: 'b,\n"c"', status: "404" },
      });
    },

    "rows may be shorter and longer than the header": async ({ kv, expect }) => {
      const fileName = fileOf("in.csv", "id,a,b\n1,x\n2,x,y,z\n3,x,y\n");
      expect((await kv.importCSV({ fileName, keyColumn: "id" })).imported).toBe(3);
      expect(await entriesOf(kv)).toStrictEqual({
        1: { id: "1", a: "x", b: "" },
        2: { id: "2", a: "x", b: "y", column_3: "z" },
        3: { id: "3", a: "x", b: "y" },
      });
    },

    "without a header columns go by their place": async ({ kv, expect }) => {
      const fileName = fileOf("in.csv", "x;1\ny;2\n");
      const shape = { fileName, keyColumn: "1", hasHeader: false, delimiter: ";" };
      expect(await kv.validateCSV(shape)).toStrictEqual({
        ...{ valid: true, rows: 2, bytesRead: 8, checkedAll: true },
      });
      expect((await kv.importCSV(shape)).imported).toBe(2);
      expect(await kv.get("2")).toStrictEqual({ column_0: "y", column_1: "2" });
    },

    "a round trip through CSV turns types into text": async ({ kv, expect }) => {
      await kv.setMany({ a: { status: 200, note: "x;y" }, b: { status: 404 } });
      const fileName = scratchFile("out.csv");
      const columns = ["status", "note"];
      await kv.exportCSV({ fileName, columns, includeKey: false, delimiter: ";" });
      await kv.clear();
      await kv.importCSV({ fileName, keyColumn: "status", delimiter: ";" });
      expect(await entriesOf(kv)).toStrictEqual({
        200: { status: "200", note: "x;y" },
        404: { status: "404", note: "" },
      });
    },

    "importCSV that meets a bad row keeps the batches before it": async ({ kv, expect }) => {
      const fileName = fileOf("in.csv", 'id\n1\n2\n3\n"4\n');
      const options = { fileName, keyColumn: "id", batchSize: 1 };
      const error = await refusal(kv.importCSV(options), "SnapshotReadError");
      expect(error.message).toMatch(/^importCSV failed after 3 rows and \d+ bytes; previous /);
      expect(error.message).toContain('row 5: a field that begins with " is never closed');
      expect(await kv.listKeys()).toStrictEqual(["1", "2", "3"]);
    },
  },
};

export const bytesFileFamily: Family = {
  title: "files of a store of bytes",
  needs: "bytes",
  cases: {
    "bytes are base64 in JSONL, and nothing in CSV": async ({ open, expect }) => {
      const [kv, other] = [await open("bytes"), await open("bytes")];
      await kv.set("a", new Uint8Array([0, 255, 10]));
      await kv.set("b", new Uint8Array(0));
      const fileName = scratchFile("out.jsonl");
      await kv.exportJSONL({ fileName });
      expect(textOf(fileName)).toBe('{"key":"a","value":"AP8K"}\n{"key":"b","value":""}\n');
      await other.importJSONL({ fileName });
      expect(await entriesOf(other)).toStrictEqual(await entriesOf(kv));
      for (const value of ['"AP8"', '"AP8K "', '"é"', "1", "[0]"]) {
        const bad = fileOf("in.jsonl", `{"key":"c","value":${value}}\n`);
        const error = await refusal(other.importJSONL({ fileName: bad }), "ValueParseError");
        expect(error.message).toContain("line 1");
        expect((await other.validateJSONL({ fileName: bad })).valid).toBe(false);
      }
      await refusal(kv.exportCSV({ fileName, columns: ["a"] }), "ValueParseError");
      const csv = { fileName: fileOf("in.csv", "id\n1\n"), keyColumn: "id" };
      await refusal(kv.importCSV(csv), "SerializerError");
      expect(await other.size()).toBe(2);
    },
  },
};
