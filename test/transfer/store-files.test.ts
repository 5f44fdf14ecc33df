// What belongs to a store is never the target of an export: the store would lose its data, and go on
// acknowledging writes to a file that has no name any more.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, openKv } from "anykv";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

let directory = "";
let stores = 0;
let opened: Kv[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "anykv-store-files-"));
});

afterEach(async () => {
  await Promise.all(opened.map((kv) => kv.close()));
  opened = [];
  rmSync(directory, { recursive: true, force: true });
});

const at = (name: string): string => join(directory, name);

function open(options: Parameters<typeof openKv>[0] = {}): Kv {
  const kv = openKv({ name: `store files ${++stores}`, backend: "memory", ...options });
  opened.push(kv);
  return kv;
}

async function openWith(options: Parameters<typeof openKv>[0]): Promise<Kv> {
  const kv = open(options);
  await kv.set("key", { a: 1 });
  return kv;
}

/** A wal store with a state and a segment, closed. */
async function walStore(): Promise<void> {
  const kv = await openWith({ backend: "wal", path: at("wal store") });
  await kv.restore({ fileName: await backupFile() });
  await kv.close();
}

async function backupFile(): Promise<string> {
  await (await openWith({})).backup({ fileName: at("backup") });
  return at("backup");
}

function walFile(kind: "wal" | "last_state"): string {
  const name = readdirSync(at(`wal store/${kind}`)).at(-1);
  if (name === undefined) throw new Error(`there is nothing in ${kind}/`);
  return at(`wal store/${kind}/${name}`);
}

type Write = (kv: Kv, fileName: string) => Promise<unknown>;
const exportJsonl: Write = (kv, fileName) => kv.exportJSONL({ fileName });
const exportCsv: Write = (kv, fileName) => kv.exportCSV({ fileName, columns: ["a"] });
const backup: Write = (kv, fileName) => kv.backup({ fileName });

async function expectRefused(write: Write, fileName: string): Promise<void> {
  const before = readFileSync(fileName);
  const beside = readdirSync(join(fileName, ".."));
  const kv = await openWith({});
  await expect(write(kv, fileName)).rejects.toMatchObject({
    name: "SnapshotExportError",
    message: expect.stringContaining(fileName),
    hint: expect.stringContaining("choose another `fileName`"),
  });
  expect(readFileSync(fileName).equals(before)).toBe(true);
  expect(readdirSync(join(fileName, ".."))).toEqual(beside);
}

const writes = [
  ["exportJSONL", exportJsonl],
  ["exportCSV", exportCsv],
  ["backup", backup],
] as const;

describe.each(writes.slice(0, 2))("%s", (_, write) => {
  test("refuses the file of a disk store that is open, which keeps what it acknowledges", async () => {
    const disk = await openWith({ backend: "disk", path: at("disk") });
    await expectRefused(write, at("disk"));
    await expect(write(disk, at("disk"))).rejects.toMatchObject({ name: "SnapshotExportError" });
    await disk.set("later", { a: 2 });
    await disk.close();
    expect(await open({ backend: "disk", path: at("disk") }).listKeys()).toEqual(["key", "later"]);
  });

  test("refuses one that is closed, and a backup", async () => {
    await (await openWith({ backend: "disk", path: at("disk") })).close();
    await expectRefused(write, at("disk"));
    await expectRefused(write, await backupFile());
  });

  test("refuses a store that was made while it was writing", async () => {
    const disk = await backupFile();
    const kv = await openWith({});
    const target = at("target");
    // The first call of the file system that follows is after the first look at the target.
    const onProgress = (): void => {
      if (!existsSync(target)) copyFileSync(disk, target);
    };
    const writing =
      write === exportJsonl
        ? kv.exportJSONL({ fileName: target, onProgress })
        : kv.exportCSV({ fileName: target, columns: ["a"], onProgress });
    await expect(writing).rejects.toMatchObject({ name: "SnapshotExportError" });
    expect(readFileSync(target).equals(readFileSync(disk))).toBe(true);
    expect(readdirSync(directory).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("replaces any other file", async () => {
    const names = ["text", "LOCK", "text-lock", "00000000000000000001.log"];
    const kv = await openWith({});
    for (const name of names) {
      writeFileSync(at(name), "AKV, and something else");
      await write(kv, at(name));
      expect(readFileSync(at(name), "utf8")).toContain("key");
    }
    writeFileSync(at("empty"), "");
    await write(kv, at("empty"));
  });
});

describe.each(writes)("%s", (_, write) => {
  test("refuses the lock file of a disk store", async () => {
    await openWith({ backend: "disk", path: at("disk") });
    await expectRefused(write, at("disk-lock"));
  });

  test("refuses all files of a wal store that is open, which goes on", async () => {
    await walStore();
    const wal = open({ backend: "wal", path: at("wal store") });
    await wal.set("later", 1);
    for (const file of [at("wal store/LOCK"), walFile("wal"), walFile("last_state")]) {
      await expectRefused(write, file);
    }
    await wal.close();
    const keys = await open({ backend: "wal", path: at("wal store") }).listKeys();
    expect(keys).toEqual(["key", "later"]);
  });

  test("refuses those of one that is closed, damaged ones and unfinished ones too", async () => {
    await walStore();
    await expectRefused(write, at("wal store/LOCK"));
    const [segment, state] = [walFile("wal"), walFile("last_state")];
    writeFileSync(segment, "damaged beyond recognition");
    await expectRefused(write, segment);
    truncateSync(segment);
    await expectRefused(write, segment);
    writeFileSync(`${state}.tmp`, "half of");
    await expectRefused(write, `${state}.tmp`);
  });

  test("refuses those that were moved elsewhere, with a damaged header as well", async () => {
    await walStore();
    mkdirSync(at("quarantine"));
    for (const kind of ["wal", "last_state"] as const) {
      const copy = at(`quarantine/${kind}`);
      copyFileSync(walFile(kind), copy);
      await expectRefused(write, copy);
      const damaged = readFileSync(copy);
      damaged.writeUInt8(damaged.readUInt8(20) ^ 1, 20);
      writeFileSync(copy, damaged);
      await expectRefused(write, copy);
    }
  });
});

test("a backup replaces a backup, and a disk store that nobody has open", async () => {
  await (await openWith({ backend: "disk", path: at("disk") })).close();
  const kv = await openWith({});
  await kv.set("another", 1);
  for (const fileName of [at("disk"), at("disk"), await backupFile()]) {
    expect((await kv.backup({ fileName })).totalEntries).toBe(2);
  }
});
