// Files behind the HTTP door: what is written and read lies in the directory, whatever callers write.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openHttpDoor } from "../../../src/server/http/http-door.js";
import { httpOperations } from "../../../src/server/http/operation-table.js";
import { openDoor, post } from "./doors.js";

let around: string;
let directory: string;

beforeEach(() => {
  around = realpathSync(mkdtempSync(join(tmpdir(), "anykv-door-files-")));
  directory = join(around, "files");
  mkdirSync(directory);
  writeFileSync(join(around, "outside.jsonl"), '{"key":"stolen","value":1}\n');
});

afterEach(() => rmSync(around, { recursive: true, force: true }));

const fileOperations = httpOperations.filter(({ file }) => file !== undefined);
const more: Record<string, object> = {
  export_csv: { columns: ["a"] },
  import_csv: { keyColumn: "key" },
};

/** Every name that must lead nowhere. */
const escapes: readonly unknown[] = [
  ...["../outside.jsonl", "..", "a/../../outside.jsonl", "/etc/passwd", "//etc/passwd", "./x", "."],
  ...["C:\\x", "c:/x", "..\\outside.jsonl", "a\\..\\..\\outside.jsonl", "\\\\host\\share", "x:y"],
  ...["outside.jsonl\0", "a\0/../../outside.jsonl", "\0", "", " ", "a\n", "file:///etc/passwd"],
  ...["link", "linked/outside.jsonl", "linked/new", "deep/linked/outside.jsonl", "dangling"],
  ...["linked/../outside.jsonl", "a//b", "a/", "NUL", "x".repeat(2_000), null, 1, [], {}],
];

test("every operation on files refuses every way out", async () => {
  symlinkSync(join(around, "outside.jsonl"), join(directory, "link"));
  symlinkSync(around, join(directory, "linked"));
  symlinkSync(join(around, "new"), join(directory, "dangling"));
  mkdirSync(join(directory, "deep"));
  symlinkSync(around, join(directory, "deep", "linked"));
  const { client, kv } = await openDoor({ filesDirectory: directory });
  await kv.set("a", { a: 1 });
  const before = [readdirSync(around), readFileSync(join(around, "outside.jsonl"), "utf8")];
  for (const { name } of fileOperations) {
    for (const fileName of escapes) {
      const { status, body } = await post(client, name, { fileName, ...more[name] });
      expect([name, fileName, status]).toStrictEqual([
        name,
        fileName,
        expect.toSatisfy((s) => [400, 403].includes(s)),
      ]);
      expect(body.error.name).toMatch(/^(InvalidOptions|SnapshotPermission)Error$/);
      expect(JSON.stringify(body)).not.toContain(around);
      expect(JSON.stringify(body)).not.toContain('/etc/passwd"');
    }
    expect((await post(client, name, more[name] ?? {})).status).toBe(400);
  }
  expect([readdirSync(around), readFileSync(join(around, "outside.jsonl"), "utf8")]).toStrictEqual(
    before,
  );
  expect(await kv.list()).toStrictEqual([{ key: "a", value: { a: 1 } }]);
});

test("without a directory all of it is refused", async () => {
  const { client } = await openDoor();
  for (const { name } of fileOperations) {
    const { status, body } = await post(client, name, { fileName: "x", ...more[name] });
    expect([name, status, body.error.code]).toStrictEqual([name, 403, "ANYKV_REQUEST_REFUSED"]);
  }
});

test("a directory that is not there is refused when the door is opened", async () => {
  const { kv } = await openDoor();
  const opening = openHttpDoor(kv, { port: 0, filesDirectory: join(around, "none") });
  await expect(opening).rejects.toMatchObject({ name: "InvalidOptionsError" });
});

describe("within the directory", () => {
  test("what is written can be read, and names come back as they were given", async () => {
    const { client, kv } = await openDoor({ filesDirectory: directory });
    await kv.setMany({ a: { n: "1" }, b: { n: "2" } });
    const name = { fileName: "daily/all.jsonl" };
    const csv = { fileName: "daily/all.csv" };
    expect((await post(client, "export_jsonl", name)).body.result).toStrictEqual({
      exported: 2,
      ...name,
      bytesWritten: 60,
    });
    const columns = { columns: ["n"] };
    expect((await post(client, "export_csv", { ...csv, ...columns })).body.result).toMatchObject(
      csv,
    );
    const backup = await post(client, "backup", { fileName: "daily/all.kv" });
    expect(backup.body.result).toMatchObject({ totalEntries: 2, bestEffort: false });
    await kv.clear();
    const restored = await post(client, "restore", { fileName: "daily/all.kv" });
    expect(restored.body.result).toStrictEqual({ totalEntries: 2 });
    await kv.clear();
    expect((await post(client, "validate_jsonl", name)).body.result).toMatchObject({ records: 2 });
    expect((await post(client, "import_jsonl", name)).body.result).toMatchObject({
      imported: 2,
      ...name,
    });
    const keyed = { ...csv, keyColumn: "key" };
    expect((await post(client, "validate_csv", keyed)).body.result).toMatchObject({ rows: 2 });
    expect((await post(client, "import_csv", keyed)).body.result).toMatchObject(csv);
    expect(await kv.get("a")).toStrictEqual({ key: "a", n: "1" });
    const left = readdirSync(join(directory, "daily")).filter((file) => !file.endsWith("-lock"));
    expect(left.sort()).toStrictEqual(["all.csv", "all.jsonl", "all.kv"]);
  });

  test("errors name the file as it was given, and nothing else of the server", async () => {
    const { client } = await openDoor({ filesDirectory: directory });
    writeFileSync(join(directory, "bad"), "no json\n");
    mkdirSync(join(directory, "folder"));
    const cases: [operation: string, fileName: string, status: number, error: string][] = [
      ["import_jsonl", "none", 404, "SnapshotNotFoundError"],
      ["restore", "none", 404, "SnapshotNotFoundError"],
      ["import_jsonl", "bad", 422, "ValueParseError"],
      ["restore", "bad", 422, "SnapshotIOError"],
      ["import_csv", "folder", 422, "SnapshotReadError"],
      ["export_jsonl", "folder", 500, "SnapshotExportError"],
      ["backup", "folder", 500, "SnapshotExportError"],
      ["backup", "bad/below", 500, "SnapshotExportError"],
    ];
    for (const [operation, fileName, status, error] of cases) {
      const { status: got, body } = await post(client, operation, { fileName, ...more[operation] });
      expect([operation, fileName, got, body.error.name]).toStrictEqual([
        operation,
        fileName,
        status,
        error,
      ]);
      expect(JSON.stringify(body)).not.toContain(around);
      expect(JSON.stringify(body)).not.toMatch(/\/proc\/|\/tmp\//);
    }
  });

  test("a pipe keeps nobody waiting", async () => {
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [join(directory, "pipe")]);
    const { client } = await openDoor({ filesDirectory: directory });
    for (const operation of ["import_jsonl", "restore", "export_jsonl"]) {
      expect((await post(client, operation, { fileName: "pipe" })).status).toBe(403);
    }
  });
});
