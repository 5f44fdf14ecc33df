// Files that lack a table, as after a flipped bit in its name: nothing is made anew in its place, and
// a repair keeps the others.

import { writeFileSync } from "node:fs";
import { isKvError } from "anykv";
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openTable } from "../../../src/engines/lmdb/file-tables.js";
import { databaseNames, layoutKey, metaName } from "../../../src/engines/lmdb/layout.js";
import { loadLmdb, type NativeRoot } from "../../../src/engines/lmdb/lmdb-module.js";
import { repairLmdb } from "../../../src/engines/lmdb/repair.js";
import { verifyLmdb } from "../../../src/engines/lmdb/verify.js";
import { nodeEnv } from "../../../src/env/env.js";
import { checkRows as check } from "../../../src/operations/check.js";
import { mendRows as mend } from "../../../src/operations/mend.js";
import { openDisk, type Sample, Scratch, sampleFile } from "./sample-store.js";

let sample: Sample;
let path: string;
beforeAll(async () => {
  sample = await sampleFile(5);
});
beforeEach(() => {
  const scratch = new Scratch();
  onTestFinished(() => scratch[Symbol.dispose]());
  path = scratch.file("store");
  writeFileSync(path, sample.bytes);
});

const verify = () => verifyLmdb(nodeEnv, path, { check });
const repair = () => repairLmdb(nodeEnv, path, { check, mend });

async function change(how: (root: NativeRoot) => void): Promise<void> {
  const { open } = await loadLmdb();
  const root = open(path, { noSubdir: true, overlappingSync: false, maxDbs: 32 });
  how(root);
  await root.close();
}

function putIn(root: NativeRoot, table: string, key: string, value: string): void {
  openTable(root, table, { encoding: "string" }).putSync(key, value);
}

function drop(names: readonly string[]): Promise<void> {
  return change((root) => {
    for (const name of names) (root.openDB(name, {}) as unknown as { dropSync(): void }).dropSync();
  });
}

/** What the store holds, or the message with which it is not opened. */
async function opened(readOnly: boolean): Promise<unknown> {
  const kv = openDisk(path, { disk: { readOnly } });
  try {
    const arrays = await kv.listArrays();
    return [await kv.list(), await Promise.all(arrays.map((key) => kv.range(key)))];
  } catch (error) {
    return isKvError(error) ? `${error.name}: ${error.message}` : error;
  } finally {
    await kv.close();
  }
}

describe("a store without a table", () => {
  test.each(databaseNames)("%s: is refused, and repaired", async (name) => {
    const [values, arrays] = (await opened(true)) as [unknown[], unknown[]];
    expect(Math.min(values.length, arrays.length)).toBeGreaterThan(0);
    await drop([name]);
    for (const readOnly of [true, false]) {
      expect(await opened(readOnly)).toBe(
        `DiskStoreOpenError: ${path} is damaged: it has no table ${name}`,
      );
    }
    expect(await verify()).toMatchObject({
      problems: [{ part: "pages", what: `there is no table ${name}` }],
    });
    expect(await repair()).toMatchObject({ changed: true, lossless: false });
    expect(await verify()).toMatchObject({ problems: [] });
    expect(await opened(false)).toEqual([
      name === "values" ? [] : values,
      name === "lists" || name === "items" ? [] : arrays,
    ]);
  });

  test("without most of them: is refused, and what is left is kept", async () => {
    const [, arrays] = (await opened(true)) as [unknown[], unknown[]];
    await drop(databaseNames.filter((name) => ![metaName, "lists", "items"].includes(name)));
    expect(await opened(false)).toContain("is damaged: it has no table order, free, values");
    expect((await verify()).problems).toHaveLength(databaseNames.length - 3);
    await repair();
    expect(await opened(false)).toEqual([[], arrays]);
  });

  test("with nothing but meta: there is nothing to repair, and nothing is made anew", async () => {
    await drop(databaseNames.filter((name) => name !== metaName));
    expect(await opened(true)).toContain("DiskStoreOpenError");
    expect(await opened(false)).toContain("DiskStoreOpenError");
    expect((await verify()).problems).toHaveLength(databaseNames.length - 1);
    await expect(repair()).rejects.toMatchObject({
      name: "DiskStoreOpenError",
      message: expect.stringContaining("no table of a store can be found"),
    });
  });
});

test("a file of another version may have other tables", async () => {
  await change((root) => {
    putIn(root, metaName, layoutKey, "anykv 2");
  });
  await drop(["members"]);
  const told = expect.stringContaining('has the layout "anykv 2"');
  expect(await opened(false)).toEqual(told);
  for (const action of [verify, repair]) {
    await expect(action()).rejects.toMatchObject({ name: "DiskStoreOpenError", message: told });
  }
});

test.each([[["values", "lists"]], [["meta", "values"]]])(
  "a file of something else with the tables %j is none of ours, and stays as it is",
  async (names) => {
    writeFileSync(path, "");
    await change((root) => {
      for (const name of names) putIn(root, name, "k", "v");
    });
    expect(await opened(false)).toContain("is an LMDB file of something else");
    for (const action of [verify, repair]) {
      await expect(action()).rejects.toMatchObject({
        message: expect.stringContaining("is an LMDB file of something else"),
      });
    }
  },
);
