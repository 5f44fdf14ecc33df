// Exchanges: somebody who may write in the directory puts another thing in the place of what the
// server has just looked at, before or after it is opened.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConfinedDirectory } from "../../../src/server/files/confined-directory.js";

const others = vi.hoisted(() => ({ beforeOpen: () => {}, afterOpen: () => {} }));

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const open: typeof real.open = async (...given) => {
    others.beforeOpen();
    const file = await real.open(...given);
    others.afterOpen();
    return file;
  };
  return { ...real, open };
});

let around: string;
let root: string;
let directory: ConfinedDirectory;

beforeEach(async () => {
  around = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "anykv-exchanges-")));
  root = join(around, "files");
  fs.mkdirSync(join(root, "inner"), { recursive: true });
  fs.mkdirSync(join(around, "outer"));
  fs.writeFileSync(join(around, "outer", "file"), "secret");
  fs.writeFileSync(join(root, "inner", "file"), "plain");
  fs.symlinkSync(join(around, "outer"), join(root, "link"));
  directory = await ConfinedDirectory.open(root);
});

afterEach(() => {
  Object.assign(others, { beforeOpen: () => {}, afterOpen: () => {} });
  fs.rmSync(around, { recursive: true, force: true });
});

const away = (): void => {
  fs.renameSync(join(root, "inner"), join(root, "away"));
  fs.renameSync(join(root, "link"), join(root, "inner"));
};
const back = (): void => {
  fs.renameSync(join(root, "inner"), join(root, "link"));
  fs.renameSync(join(root, "away"), join(root, "inner"));
};

/** What has been read, and the name of the error. */
async function read(name: string, byName = false): Promise<{ texts: string[]; error: string }> {
  const texts: string[] = [];
  const use = async (path: string): Promise<void> => {
    texts.push(fs.readFileSync(path, "utf8"));
  };
  const error = await directory.reading(name, use, byName).then(
    () => "",
    (thrown: Error) => thrown.name,
  );
  return { texts, error };
}

describe.runIf(process.platform === "linux")("what is read is what lay there", () => {
  const refused = { texts: [], error: "SnapshotPermissionError" };

  test.each([false, true])("a directory that becomes a link (by name: %s)", async (byName) => {
    const before = fs.readdirSync("/proc/self/fd").length;
    others.beforeOpen = away;
    expect(await read("inner/file", byName)).toStrictEqual(refused);
    expect(fs.readdirSync("/proc/self/fd").length).toBe(before);
  });

  test("a directory that is a link for a moment", async () => {
    Object.assign(others, { beforeOpen: away, afterOpen: back });
    expect(await read("inner/file")).toStrictEqual(refused);
    expect(await read("inner/none")).toStrictEqual({ texts: [], error: "SnapshotNotFoundError" });
  });

  test("a directory in the place of the file, which becomes a link", async () => {
    fs.mkdirSync(join(root, "inner", "folder"));
    others.beforeOpen = () => {
      fs.rmdirSync(join(root, "inner", "folder"));
      fs.symlinkSync(join(around, "outer", "file"), join(root, "inner", "folder"));
    };
    expect(await read("inner/folder")).toStrictEqual(refused);
  });

  test("a file that is replaced is read as it was opened", async () => {
    others.afterOpen = () => {
      fs.writeFileSync(join(root, "inner", "new"), "new");
      fs.renameSync(join(root, "inner", "new"), join(root, "inner", "file"));
    };
    expect(await read("inner/file")).toStrictEqual({ texts: ["plain"], error: "" });
  });
});
