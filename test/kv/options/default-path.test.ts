// Where stores without a `path` keep their files: each in a place of its own, in the working directory.

import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { openKv, parseConfig } from "anykv";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { normalizeOptions } from "../../../src/kv/options/options.js";

const pathOf = (backend: string, name?: string): string => normalizeOptions({ backend, name }).path;

describe("the default path", () => {
  test.each([
    ["disk", undefined, ".anykv"],
    ["wal", undefined, ".anykv.wal"],
    ["disk", "shop", ".anykv-shop"],
    ["wal", "shop", ".anykv.wal-shop"],
    ["disk", "order_events-2", ".anykv-order_events-2"],
    ["disk", "Shop", ".anykv-%53hop"],
    ["disk", "test accounts", ".anykv-test%20accounts"],
    ["disk", "../up", ".anykv-%2e%2e%2fup"],
    ["disk", "a\\b\0c:", ".anykv-a%5cb%00c%3a"],
    ["disk", "é", ".anykv-%c3%a9"],
    ["disk", "lock", ".anykv-loc%6b"],
    ["disk", "shop-lock", ".anykv-shop-loc%6b"],
    ["disk", "clock", ".anykv-clock"],
    ["disk", "wal", ".anykv-wal"],
  ])("of the backend %s and the name %j", (backend, name, expected) => {
    expect(pathOf(backend, name)).toBe(resolve(expected));
  });

  test("is another one for another store, also without regard to case", () => {
    const name = fc.oneof(
      fc.string({ minLength: 1, maxLength: 2, unit: "grapheme" }),
      fc.string({ minLength: 1, maxLength: 60 }),
      fc.string({
        minLength: 1,
        maxLength: 6,
        unit: fc.constantFrom(..."aAkK%6b-._lock/".split("")),
      }),
      fc.constantFrom("lock", "-lock", "loc%6b", "x-lock", "x", "X", "x-loc%6b"),
    );
    const store = fc.record({ backend: fc.constantFrom("disk", "wal"), name: fc.option(name) });
    fc.assert(
      fc.property(store, store, (a, b) => {
        const [first, second] = [a, b].map((each) => pathOf(each.backend, each.name ?? undefined));
        if (first === undefined || second === undefined) throw new Error("there are two");
        for (const path of [first, second]) {
          expect(dirname(path)).toBe(process.cwd());
          expect(basename(path)).toMatch(/^\.anykv[a-z0-9%._-]*$/);
        }
        const same = a.backend === b.backend && a.name === b.name;
        expect(first.toLowerCase() === second.toLowerCase()).toBe(same);
        expect(second).not.toBe(`${first}-lock`);
      }),
      { numRuns: 2_000 },
    );
  });

  test("is refused for a name that no file can have, and asked for", async () => {
    expect(basename(pathOf("disk", "x".repeat(200)))).toHaveLength(207);
    for (const name of ["x".repeat(201), "é".repeat(34), "X".repeat(67)]) {
      expect(() => pathOf("disk", name)).toThrow(
        expect.objectContaining({
          name: "InvalidOptionsError",
          message: expect.stringContaining('option "name"'),
          hint: expect.stringContaining("`path`"),
        }),
      );
      expect(normalizeOptions({ name, path: "somewhere" }).path).toBe(resolve("somewhere"));
      expect(pathOf("memory", name)).toBe("");
      await expect(parseConfig(`anykv: { stores: { ${name}: {} } }`)).rejects.toMatchObject({
        message: expect.stringMatching(/:1:20: anykv\.stores\..* must be shorter/),
      });
    }
  });
});

describe("in one directory", () => {
  const home = process.cwd();
  let directory = "";

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "anykv-defaults-"));
    process.chdir(directory);
  });

  afterAll(() => {
    process.chdir(home);
    rmSync(directory, { recursive: true, force: true });
  });

  test("stores of different names and backends have nothing in common", async () => {
    const stores = [
      openKv({ name: "users" }),
      openKv({ name: "Users" }),
      openKv({ name: "users-lock" }),
      openKv({ name: "user log", backend: "wal" }),
      openKv(),
    ];
    for (const [index, kv] of stores.entries()) await kv.set("mine", index);
    for (const [index, kv] of stores.entries()) {
      expect(await kv.list()).toEqual([{ key: "mine", value: index }]);
    }
    await Promise.all(stores.map((kv) => kv.close()));
    const names = readdirSync(directory).filter((name) => !name.endsWith("-lock"));
    const made = names.map((name) => [name, statSync(name).isDirectory() ? "directory" : "file"]);
    expect(made).toEqual([
      [".anykv", "file"],
      [".anykv-%55sers", "file"],
      [".anykv-users", "file"],
      [".anykv-users-loc%6b", "file"],
      [".anykv.wal-user%20log", "directory"],
    ]);
  });
});
