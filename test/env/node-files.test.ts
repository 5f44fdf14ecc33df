// The real file system behind `Files`: what each mode opens, creates and refuses, that short reads
// and writes are carried on, and that errors arrive as the system raised them.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OpenMode } from "../../src/env/files.js";
import { nodeFiles } from "../../src/env/node-files.js";
import { runWithNodeEnv } from "./compiled-env.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

let directory: string;
const at = (...names: string[]): string => join(directory, ...names);
const content = async (name: string): Promise<string> => text(await nodeFiles.readAll(at(name)));

async function write(name: string, ...parts: string[]): Promise<void> {
  const file = await nodeFiles.open(at(name), "create");
  for (const part of parts) await file.write(bytes(part));
  await file.close();
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "anykv-files-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("open", () => {
  test.each<OpenMode>(["read", "write", "append"])("%s keeps what is there", async (mode) => {
    await write("file", "abcdef");
    await (await nodeFiles.open(at("file"), mode)).close();
    expect(await content("file")).toBe("abcdef");
  });

  test.each<OpenMode>(["write", "append", "create"])(
    "%s creates a file of mode 0600",
    async (mode) => {
      await (await nodeFiles.open(at("file"), mode)).close();
      const found = await stat(at("file"));
      expect(found.size).toBe(0);
      expect((found.mode & 0o777).toString(8)).toBe("600");
    },
  );

  test("read wants the file to be there, create wants it not to be", async () => {
    await expect(nodeFiles.open(at("file"), "read")).rejects.toMatchObject({
      code: "ENOENT",
      syscall: "open",
      path: at("file"),
    });
    await write("file", "kept");
    await expect(nodeFiles.open(at("file"), "create")).rejects.toMatchObject({ code: "EEXIST" });
    expect(await content("file")).toBe("kept");
  });

  test("of many that create the same file at once, one wins", async () => {
    const attempts = Array.from({ length: 16 }, () => nodeFiles.open(at("lock"), "create"));
    const settled = await Promise.allSettled(attempts);
    const winners = settled.filter((result) => result.status === "fulfilled");
    expect(winners).toHaveLength(1);
    await winners[0]?.value.close();
  });

  test("a file opened for reading refuses writes", async () => {
    await write("file", "kept");
    const file = await nodeFiles.open(at("file"), "read");
    await expect(file.write(bytes("x"))).rejects.toMatchObject({ code: "EBADF", syscall: "write" });
    await file.close();
    expect(await content("file")).toBe("kept");
  });
});

describe("a handle", () => {
  test("write without a position continues where the last such write ended", async () => {
    const file = await nodeFiles.open(at("file"), "create");
    await file.write(bytes("abc"));
    await file.write(bytes("XY"), 1);
    await file.read(new Uint8Array(3), 0, 3, 0);
    await file.write(bytes("def"));
    await file.write(new Uint8Array(0));
    expect(await file.size()).toBe(6);
    await file.close();
    expect(await content("file")).toBe("aXYdef");
  });

  test("append writes to the end, also after the file was cut and by two handles", async () => {
    await write("file", "abcdef");
    const one = await nodeFiles.open(at("file"), "append");
    const two = await nodeFiles.open(at("file"), "append");
    await one.write(bytes("1"));
    await two.write(bytes("2"));
    await one.truncate(4);
    await one.write(bytes("3"));
    await two.write(bytes("4"));
    expect(await content("file")).toBe("abcd34");
    await one.close();
    await two.close();
  });

  test("write and append can read back what they wrote", async () => {
    for (const mode of ["write", "append", "create"] as const) {
      const file = await nodeFiles.open(at(mode), mode);
      await file.write(bytes("hello"));
      const buffer = new Uint8Array(5);
      expect(await file.read(buffer, 0, 5, 0)).toBe(5);
      expect(text(buffer)).toBe("hello");
      await file.close();
    }
  });

  test("read fills the given part of a buffer and is short only at the end", async () => {
    await write("file", "0123456789");
    const file = await nodeFiles.open(at("file"), "read");
    const buffer = bytes("........");
    expect(await file.read(buffer, 2, 4, 3)).toBe(4);
    expect(text(buffer)).toBe("..3456..");
    expect(await file.read(buffer, 0, 8, 7)).toBe(3);
    expect(text(buffer)).toBe("789456..");
    expect(await file.read(buffer, 0, 8, 10)).toBe(0);
    expect(await file.read(buffer, 0, 8, 1_000)).toBe(0);
    expect(await file.read(buffer, 0, 0, 0)).toBe(0);
    await file.close();
  });

  test("truncate cuts, and extends with zeros", async () => {
    await write("file", "abcdef");
    const file = await nodeFiles.open(at("file"), "write");
    await file.truncate(2);
    expect(await file.size()).toBe(2);
    await file.truncate(4);
    await file.sync();
    await file.dataSync();
    await file.close();
    expect(await content("file")).toBe("ab\0\0");
  });

  test("close may be repeated; everything else then fails", async () => {
    const file = await nodeFiles.open(at("file"), "create");
    await file.close();
    await file.close();
    await expect(file.write(bytes("x"))).rejects.toMatchObject({ code: "EBADF" });
    await expect(file.dataSync()).rejects.toMatchObject({ code: "EBADF" });
  });
});

describe("system calls that do only a part", () => {
  // The kernel answers reads of this file in pieces of about a page.
  const piecemeal = "/proc/crypto";

  test.skipIf(!existsSync(piecemeal))("a read goes on until the buffer is full", async () => {
    const all = await readFile(piecemeal);
    const buffer = new Uint8Array(all.length - 10);
    const file = await nodeFiles.open(piecemeal, "read");
    expect(await file.read(buffer, 0, buffer.length, 10)).toBe(buffer.length);
    expect(text(buffer)).toBe(text(all.subarray(10)));
    await file.close();
  });

  // At its limit of 4,096 bytes the system takes the part that fits, and refuses the rest.
  test.skipIf(process.platform === "win32")("a write goes on until it is refused", async () => {
    const script = `
      const file = await nodeEnv.files.open("limited", "create");
      const error = await file.write(new Uint8Array(10_000).fill(7), 1_000).catch((error) => error);
      const all = await nodeEnv.files.readAll("limited");
      console.log(error.code, error.syscall, await file.size(), all.lastIndexOf(7), all.indexOf(7));
    `;
    const outcome = await runWithNodeEnv(script, 8);
    expect(outcome).toEqual({ exitCode: 0, output: "EFBIG write 4096 4095 1000\n" });
  });
});

describe("directories and names", () => {
  test("list is sorted by code unit and complete", async () => {
    // In code units the surrogates of U+1F600 come before U+FB01, in UTF-8 bytes behind it.
    const names = [".hidden", "10", "9", "B", "a", "b", "é", "\u{1F600}", "\uFB01"];
    for (const name of names.toReversed()) await write(name, "");
    await nodeFiles.makeDirectory(at("c"));
    expect(await nodeFiles.list(directory)).toEqual(names.toSpliced(6, 0, "c"));
    await expect(nodeFiles.list(at("none"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("makeDirectory creates what is missing with mode 0750 and names the topmost", async () => {
    expect(await nodeFiles.makeDirectory(at("x", "y", "z"))).toBe(at("x"));
    expect(await nodeFiles.makeDirectory(at("x", "y", "z"))).toBeUndefined();
    for (const names of [["x"], ["x", "y"], ["x", "y", "z"]]) {
      const { mode } = await stat(at(...names));
      expect((mode & 0o777).toString(8)).toBe((0o750 & ~process.umask()).toString(8));
    }
    await write("file", "");
    await expect(nodeFiles.makeDirectory(at("file"))).rejects.toMatchObject({ code: "EEXIST" });
    const below = nodeFiles.makeDirectory(at("file", "x", "y"));
    await expect(below).rejects.toMatchObject({ code: "ENOTDIR" });
  });

  test.skipIf(!existsSync("/proc/self"))(
    "a directory that takes none is told at once",
    async () => {
      for (const path of ["/proc/none", "/proc/none/x"]) {
        await expect(nodeFiles.makeDirectory(path)).rejects.toMatchObject({ code: "ENOENT" });
      }
    },
  );

  test("rename replaces the target; remove deletes files only", async () => {
    await write("old", "old");
    await write("new", "new");
    await nodeFiles.rename(at("new"), at("old"));
    expect(await nodeFiles.list(directory)).toEqual(["old"]);
    expect(await content("old")).toBe("new");
    await nodeFiles.remove(at("old"));
    expect(await readdir(directory)).toEqual([]);
    await expect(nodeFiles.remove(at("old"))).rejects.toMatchObject({ code: "ENOENT" });
    await expect(nodeFiles.rename(at("a"), at("b"))).rejects.toMatchObject({ code: "ENOENT" });
    await nodeFiles.makeDirectory(at("directory"));
    await expect(nodeFiles.remove(at("directory"))).rejects.toThrow(/EISDIR|EPERM/);
  });

  test("syncDirectory opens and syncs a directory, and says when there is none", async () => {
    await nodeFiles.syncDirectory(directory);
    if (process.platform === "win32") return;
    await expect(nodeFiles.syncDirectory(at("none"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("stat tells kind and size, follows links, and knows what is missing", async () => {
    await write("file", "abc");
    await mkdir(at("directory"));
    await symlink(at("file"), at("link"));
    expect(await nodeFiles.stat(at("file"))).toEqual({ kind: "file", sizeBytes: 3 });
    expect(await nodeFiles.stat(at("link"))).toEqual({ kind: "file", sizeBytes: 3 });
    expect(await nodeFiles.stat(at("directory"))).toMatchObject({ kind: "directory" });
    expect(await nodeFiles.stat("/dev/null")).toMatchObject({ kind: "other" });
    expect(await nodeFiles.stat(at("none"))).toBeUndefined();
    await expect(nodeFiles.stat(at("file", "below"))).rejects.toMatchObject({ code: "ENOTDIR" });
  });

  test("readAll reads every byte", async () => {
    const all = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31) % 256);
    const file = await nodeFiles.open(at("file"), "create");
    await file.write(all);
    await file.close();
    expect(Buffer.compare(await nodeFiles.readAll(at("file")), all)).toBe(0);
    await expect(nodeFiles.readAll(at("none"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
