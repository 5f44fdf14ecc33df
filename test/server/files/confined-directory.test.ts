// Every way out of the directory for files that a remote caller may try, and what the errors say.

import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SnapshotExportError } from "anykv";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfinedDirectory } from "../../../src/server/files/confined-directory.js";
import { componentsOf } from "../../../src/server/files/file-name.js";

let around: string;
let root: string;
let directory: ConfinedDirectory;

beforeEach(async () => {
  around = realpathSync(mkdtempSync(join(tmpdir(), "anykv-confined-")));
  root = join(around, "files");
  mkdirSync(join(root, "inner"), { recursive: true });
  mkdirSync(join(around, "outer"));
  writeFileSync(join(around, "outer", "secret"), "secret");
  writeFileSync(join(root, "inner", "plain"), "plain");
  directory = await ConfinedDirectory.open(root);
});

afterEach(() => rmSync(around, { recursive: true, force: true }));

const read = (name: unknown) => directory.reading(name, async (path) => readFileSync(path, "utf8"));
// As the library writes: a new file beside the target, and a rename.
const write = (name: unknown) =>
  directory.writing(name, async (path) => {
    await writeFile(`${path}.tmp`, "written");
    await rename(`${path}.tmp`, path);
  });

async function errorOf(call: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await call;
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected an error");
}

/** What lies beside the directory, which nothing may change. */
function outside(): unknown {
  return [readdirSync(around).sort(), readdirSync(join(around, "outer"))];
}

describe("names", () => {
  const refused: readonly unknown[] = [
    ...["..", "../x", "../outer/secret", "a/../../outer/secret", "inner/..", "inner/../plain"],
    ...[
      ".",
      "./x",
      "a/./b",
      "/etc/passwd",
      "//etc/passwd",
      "/",
      "a//b",
      "a/",
      "",
      "/proc/self/mem",
    ],
    ...["C:", "C:\\x", "c:/x", "C:x", "\\\\host\\share\\x", "..\\x", "inner\\..\\..\\x", "a\\b"],
    ...["file:stream", "file:///etc/passwd", "http://x/y", "a\0", "a\0/../b", "..\0", "\0"],
    ...["a\nb", "a\r", "\t", "\u007f", "a.", "a ", "a. /b", "...", ".. ", ".. /x", "\ud800"],
    ...["CON", "nul", "NUL.txt", "a/com1", "LPT9.jsonl", "aux", "conin$", "com¹"],
    ...["x".repeat(151), `${"x/".repeat(600)}x`, "é".repeat(76)],
    ...[undefined, null, 1, true, {}, [], ["plain"], { toString: () => "plain" }],
  ];
  test.each(refused.map((name) => [name]))("%j is refused", async (name) => {
    const before = outside();
    for (const begin of [read, write]) {
      const error = await errorOf(begin(name));
      expect(error).toMatchObject({ name: "InvalidOptionsError", code: "ANYKV_INVALID_OPTIONS" });
      expect(JSON.stringify(error)).not.toContain(around);
    }
    expect(outside()).toStrictEqual(before);
  });

  const taken = ["a", "a.b", ".hidden", "a/b/c", "..a", "a..b", "é", "%2e%2e", "%2e%2e%2fx"];
  test.each(taken)("%j is a name like others", async (name) => {
    await write(name);
    expect(await read(name)).toBe("written");
    expect(readFileSync(join(root, ...name.split("/")), "utf8")).toBe("written");
  });

  test("are taken apart at slashes alone", () => {
    expect(componentsOf("a/b c/d.e")).toStrictEqual(["a", "b c", "d.e"]);
  });
});

describe("links", () => {
  const cases: [title: string, name: string, make: () => void][] = [
    ["a file that is a link to one outside", "l", () => link("outer/secret", "l")],
    ["a file that is a link to one inside", "l", () => link("files/inner/plain", "l")],
    ["a file that is a link to nothing", "l", () => link("outer/new", "l")],
    ["a directory that is a link outside", "l/secret", () => link("outer", "l")],
    ["a new file behind a link", "l/new", () => link("outer", "l")],
    ["a directory that is a link inside", "l/plain", () => link("files/inner", "l")],
    ["a link further down", "inner/l/secret", () => link("outer", "inner/l")],
    ["a link of a link", "m/secret", () => [link("outer", "l"), link("files/l", "m")]],
    ["a link to the directory itself", "l/inner/plain", () => link("files", "l")],
    ["a link to itself", "l/x", () => link("files/l", "l")],
  ];
  const link = (to: string, name: string): void => symlinkSync(join(around, to), join(root, name));

  test.each(cases)("%s is not followed", async (_title, name, make) => {
    make();
    const before = outside();
    for (const begin of [read, write]) {
      const error = await errorOf(begin(name));
      expect(error.name).toMatch(/^Snapshot(Permission|NotFound)Error$/);
      expect(error.message).toContain(name);
      expect(JSON.stringify(error)).not.toContain(around);
    }
    expect(outside()).toStrictEqual(before);
    expect(readFileSync(join(around, "outer", "secret"), "utf8")).toBe("secret");
  });

  test("the directory itself may be reached by one", async () => {
    symlinkSync(root, join(around, "link"));
    const linked = await ConfinedDirectory.open(join(around, "link"));
    expect(linked.root).toBe(root);
    expect(await linked.reading("inner/plain", async (path) => readFileSync(path, "utf8"))).toBe(
      "plain",
    );
  });

  test.runIf(process.platform === "linux")(
    "a link that comes while a file is read changes nothing",
    async () => {
      const content = await directory.reading("inner/plain", async (path) => {
        renameSync(join(root, "inner"), join(root, "away"));
        symlinkSync(join(around, "outer"), join(root, "inner"));
        writeFileSync(join(around, "outer", "plain"), "of the outside");
        return readFileSync(path, "utf8");
      });
      expect(content).toBe("plain");
    },
  );

  test("a link in the place of the directory while a file is written is told", async () => {
    const error = await errorOf(
      directory.writing("inner/new", async () => {
        renameSync(join(root, "inner"), join(root, "away"));
        symlinkSync(join(around, "outer"), join(root, "inner"));
      }),
    );
    expect(error.name).toBe("SnapshotPermissionError");
  });

  test("a link in the place of the target is replaced, not followed", async () => {
    await directory.writing("inner/new", async (path) => {
      symlinkSync(join(around, "outer", "secret"), path);
      await writeFile(`${path}.tmp`, "written");
      await rename(`${path}.tmp`, path);
    });
    expect(readFileSync(join(around, "outer", "secret"), "utf8")).toBe("secret");
    expect(await read("inner/new")).toBe("written");
  });
});

describe("files", () => {
  test("directories that are missing are made for what is written, not for what is read", async () => {
    expect((await errorOf(read("deep/er/file"))).name).toBe("SnapshotNotFoundError");
    expect(existsSync(join(root, "deep"))).toBe(false);
    await write("deep/er/file");
    expect(await read("deep/er/file")).toBe("written");
  });

  test("a directory is none, and neither is what lies below a file", async () => {
    // The reader has its own words for it.
    expect((await errorOf(read("inner"))).message).toMatch(/EISDIR/);
    expect((await errorOf(write("inner"))).name).toBe("SnapshotExportError");
    expect((await errorOf(read("inner/plain/x"))).name).toBe("SnapshotNotFoundError");
    expect((await errorOf(write("inner/plain/x"))).name).toBe("SnapshotExportError");
  });

  test("another name of a file inside is a file", async () => {
    linkSync(join(root, "inner", "plain"), join(root, "hard"));
    expect(await read("hard")).toBe("plain");
  });

  test("what is thrown on the way names the file as it was given", async () => {
    const error = await errorOf(
      directory.writing("inner/new", async (path) => {
        throw new SnapshotExportError(`${path}: no room in ${root}, nor in ${root}/inner`, {
          hint: `look at ${path}`,
        });
      }),
    );
    expect(error).toMatchObject({
      name: "SnapshotExportError",
      message: "inner/new: no room in the directory for files, nor in inner",
      hint: "look at inner/new",
    });
  });

  test("handles are given back, whatever happens", async () => {
    const before = readdirSync("/dev/fd").length;
    for (let round = 0; round < 20; round++) {
      await read("inner/plain");
      await errorOf(directory.reading("inner/plain", () => Promise.reject(new Error("no"))));
      await errorOf(read("inner"));
    }
    const probe = await open(join(root, "inner", "plain"));
    await probe.close();
    expect(readdirSync("/dev/fd").length).toBeLessThanOrEqual(before + 1);
  });

  test("a directory that is not there is refused when it is opened", async () => {
    await expect(ConfinedDirectory.open(join(around, "none"))).rejects.toThrow(/ENOENT/);
    await expect(ConfinedDirectory.open(join(root, "inner", "plain"))).rejects.toThrow(
      /not a directory/,
    );
  });
});
