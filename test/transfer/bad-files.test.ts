// Bad files, on the real file system: whatever a name leads to, a typed error says so, nothing is
// changed, and no temporary file stays behind.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { isKvError, type Kv, openKv } from "anykv";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Env, nodeEnv } from "../../src/env/env.js";
import { systemError } from "../../src/testing/simulated-calls.js";
import { factories, onStore } from "./transfer-setting.js";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "anykv-files-"));
  writeFileSync(join(root, "file"), "old");
  mkdirSync(join(root, "directory"));
  symlinkSync("loop", join(root, "loop"));
});
afterEach(() => rmSync(root, { recursive: true }));

type Calls = Record<string, (kv: Kv, fileName: string) => Promise<unknown>>;
const readers: Calls = {
  importJSONL: (kv, fileName) => kv.importJSONL({ fileName }),
  validateJSONL: (kv, fileName) => kv.validateJSONL({ fileName }),
  importCSV: (kv, fileName) => kv.importCSV({ fileName, keyColumn: "id" }),
  validateCSV: (kv, fileName) => kv.validateCSV({ fileName }),
};
const writers: Calls = {
  exportJSONL: (kv, fileName) => kv.exportJSONL({ fileName }),
  exportCSV: (kv, fileName) => kv.exportCSV({ fileName, columns: ["a"] }),
};

async function refused(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => "no error",
    (reason: unknown) => reason,
  );
  return isKvError(error) ? error.name : String(error);
}

const listing = (): string[] => readdirSync(root, { recursive: true, encoding: "utf8" }).sort();

/** A memory store on a file system that refuses to open what is named so. */
function openRefusing(code: string, refuses: (path: string, mode: string) => boolean): Kv {
  const files: Env["files"] = {
    ...nodeEnv.files,
    open: async (path, mode) => {
      if (refuses(path, mode)) throw systemError(code, "open", path);
      return nodeEnv.files.open(path, mode);
    },
  };
  return openKv({ backend: "memory", name: `refusing ${root}`, env: { ...nodeEnv, files } });
}

describe.each(factories)("$name", (factory) => {
  describe.each(Object.entries(readers))("%s", (_, call) => {
    test.each([
      ["missing", "SnapshotNotFoundError"],
      ["missing/file", "SnapshotNotFoundError"],
      ["file/below", "SnapshotIOError"],
      ["loop", "SnapshotIOError"],
      ["x".repeat(300), "SnapshotIOError"],
      ["directory", "SnapshotReadError"],
    ])("of %s rejects with %s", (name, error) =>
      onStore(factory, async (kv) => {
        await kv.set("a", { a: 1 });
        expect(await refused(call(kv, join(root, name)))).toBe(error);
        expect(await kv.list()).toStrictEqual([{ key: "a", value: { a: 1 } }]);
      }),
    );
  });

  describe.each(Object.entries(writers))("%s", (_, call) => {
    test.each(["directory", "loop", "file/below", "x".repeat(255), "/dev/null"])(
      "to %s rejects with SnapshotExportError",
      (name) =>
        onStore(factory, async (kv) => {
          await kv.set("a", { a: 1 });
          const before = listing();
          const fileName = name.startsWith("/") ? name : join(root, name);
          expect(await refused(call(kv, fileName))).toBe("SnapshotExportError");
          expect(listing()).toEqual(before);
          expect(readFileSync(join(root, "file"), "utf8")).toBe("old");
        }),
    );

    test("makes directories that are missing, and files for their owner alone", () =>
      onStore(factory, async (kv) => {
        await kv.set("a", { a: 1 });
        const fileName = join(root, "new/deep/out");
        await call(kv, fileName);
        expect(readdirSync(join(root, "new/deep"))).toEqual(["out"]);
        expect(statSync(fileName).mode & 0o777).toBe(0o600);
        expect(statSync(join(root, "new")).mode & 0o777 & ~0o750).toBe(0);
      }));

    test("gives a relative name back as it was given", () =>
      onStore(factory, async (kv) => {
        await kv.set("a", { a: 1 });
        const fileName = `./${relative(process.cwd(), join(root, "file"))}`;
        expect(await call(kv, fileName)).toMatchObject({ fileName, exported: 1 });
        expect(readFileSync(join(root, "file"), "utf8")).not.toBe("old");
      }));
  });
});

test.each(Object.entries(readers))("%s of a file that may not be read", async (_, call) => {
  for (const code of ["EACCES", "EPERM"]) {
    const kv = openRefusing(code, (path) => path.endsWith("file"));
    expect(await refused(call(kv, join(root, "file")))).toBe("SnapshotPermissionError");
    await kv.close();
  }
});

test.each(Object.entries(writers))("%s where nothing may be written", async (_, call) => {
  for (const code of ["EACCES", "EPERM", "EROFS", "ENOSPC"]) {
    const kv = openRefusing(code, (_path, mode) => mode === "create");
    await kv.set("a", { a: 1 });
    const before = listing();
    expect(await refused(call(kv, join(root, "file")))).toBe("SnapshotExportError");
    expect(await refused(call(kv, join(root, "other")))).toBe("SnapshotExportError");
    expect(listing()).toEqual(before);
    expect(readFileSync(join(root, "file"), "utf8")).toBe("old");
    await kv.close();
  }
});

const headers: readonly [title: string, text: string, row: number, message: RegExp][] = [
  ["a header twice", "id,name,id\n1,a,2\n", 1, /"id" is there twice/],
  ["a blank header", "id, ,x\n1,a,2\n", 1, /header column 1 is empty/],
  ["an empty header before one that is twice", "x,x,\n", 1, /header column 2 is empty/],
  ["no such column", "no,name\n1,a\n", 1, /no column "id"/],
  ["a header with a byte order mark", "\ufeffid,name\n1,a\n", 1, /no column "id".*byte order mark/],
  ["a header with blanks", " id,name\n1,a\n", 1, /no column "id"/],
  ["a blank key", "name,id\na,1\nb, \n", 3, /blank/],
  ["a row without the key", "name,id\na,1\nb\n", 3, /"id" is missing/],
  ["a key that is too long", `name,id\na,1\nb,${"x".repeat(1025)}\n`, 3, /1024 bytes/],
  ["a cell with the name of a column", "id,column_2\n1,a\n2,a,b\n", 3, /"column_2"/],
];

describe.each(factories)("$name: CSV content", (factory) => {
  test.each(headers)("%s", (_, text, row, message) =>
    onStore(factory, async (kv) => {
      const fileName = join(root, "in.csv");
      writeFileSync(fileName, text);
      const checked = await kv.validateCSV({ fileName, keyColumn: "id" });
      expect(checked).toMatchObject({
        valid: false,
        rows: Math.max(0, row - 2),
        checkedAll: false,
      });
      expect(checked.firstError).toMatchObject({ row, name: "ValueParseError" });
      expect(checked.firstError?.message).toMatch(message);
      const importing = kv.importCSV({ fileName, keyColumn: "id" });
      await expect(importing).rejects.toMatchObject({ name: "ValueParseError" });
      await expect(importing).rejects.toThrow(`no rows were committed: row ${row}: `);
      await expect(importing).rejects.toThrow(message);
      expect(await kv.size()).toBe(0);
    }),
  );

  test("without a key column only syntax and header count", () =>
    onStore(factory, async (kv) => {
      const fileName = join(root, "in.csv");
      const check = async (text: string, options: object = {}) => {
        writeFileSync(fileName, text);
        const { valid, rows, checkedAll } = await kv.validateCSV({ fileName, ...options });
        return [valid, rows, checkedAll];
      };
      expect(await check("")).toEqual([true, 0, true]);
      expect(await check("", { keyColumn: "id" })).toEqual([true, 0, true]);
      expect(await check("id\n", { keyColumn: "id" })).toEqual([true, 0, true]);
      expect(await check("name\n", { keyColumn: "id" })).toEqual([false, 0, false]);
      expect(await check("id,x\n,\n\n ,\n")).toEqual([true, 2, true]);
      expect(await check("a\nb\nc\n", { limit: 1 })).toEqual([true, 1, false]);
      expect(await check("a\nb\nc\n", { limit: 2 })).toEqual([true, 2, false]);
      expect(await check("a\nb\nc\n", { limit: 3 })).toEqual([true, 2, true]);
      expect(await check('a\nb\nc"\n', { limit: 1 })).toEqual([true, 1, false]);
      expect(await check("a\nb\n", { limit: -1, hasHeader: false })).toEqual([true, 2, true]);
      expect(await check('a\nb"\n')).toEqual([false, 0, false]);
      for (const text of ["", "id\n"]) {
        writeFileSync(fileName, text);
        const imported = { imported: 0, fileName, bytesRead: text.length };
        expect(await kv.importCSV({ fileName, keyColumn: "id" })).toStrictEqual(imported);
      }
    }));

  test("columns may have the names of what objects have", () =>
    onStore(factory, async (kv) => {
      const fileName = join(root, "in.csv");
      writeFileSync(fileName, "__proto__,constructor,2,1\nk,c,b,a\n");
      await kv.importCSV({ fileName, keyColumn: "__proto__" });
      const text = '{"1":"a","2":"b","__proto__":"k","constructor":"c"}';
      expect(await kv.get("k")).toStrictEqual(JSON.parse(text));
      expect(await kv.get("k")).not.toHaveProperty("x");
      const columns = ["toString", "__proto__", "1"];
      await kv.exportCSV({ fileName, columns });
      expect(readFileSync(fileName, "utf8")).toBe("key,toString,__proto__,1\nk,,k,a\n");
    }));

  test("JSONL is no CSV, and CSV no JSONL", () =>
    onStore(factory, async (kv) => {
      const [jsonl, csv] = [join(root, "in.jsonl"), join(root, "in.csv")];
      writeFileSync(jsonl, '{"key":"k","value":1}\n');
      writeFileSync(csv, "id,name\n1,a\n");
      expect((await kv.validateCSV({ fileName: jsonl })).valid).toBe(false);
      expect((await kv.validateJSONL({ fileName: csv })).valid).toBe(false);
    }));
});
