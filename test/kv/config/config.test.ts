// Stores from YAML: both forms, and every mistake with its place.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  InvalidOptionsError,
  openConfiguredStores,
  openKv,
  parseConfig,
  StoreRegistry,
} from "anykv";
import { afterEach, describe, expect, test } from "vitest";

const directories: string[] = [];

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "anykv-config-"));
  directories.push(directory);
  return directory;
}

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

describe("the form of the Simple KV plugin", () => {
  test("names one store of byte values on the wal backend", () => {
    const text = 'simple_kv:\n  enabled: true\n  path: "./data/kv"\n  sync_writes: true\n';
    expect(parseConfig(text)).toEqual([
      {
        name: "simple_kv",
        options: {
          name: "simple_kv",
          backend: "wal",
          serialization: "bytes",
          path: "./data/kv",
          wal: { syncWrites: true },
        },
      },
    ]);
  });

  test("has the plugin's defaults", () => {
    expect(parseConfig("simple_kv: {}")[0]?.options).toMatchObject({
      path: "./data/simple_kv",
      wal: { syncWrites: false },
    });
  });

  test("registers nothing when it is not enabled", () => {
    expect(parseConfig("simple_kv: { enabled: false }")).toEqual([]);
  });
});

describe("the general form", () => {
  test("names several stores in their order, on any backend", () => {
    const text = `
anykv:
  stores:
    sessions: { backend: wal, path: ./s, wal: { syncWrites: true, flushInterval: 50ms } }
    cache: { backend: memory, serialization: string }
other_program: { any: thing }
`;
    expect(parseConfig(text).map(({ name, options }) => [name, options.backend])).toEqual([
      ["sessions", "wal"],
      ["cache", "memory"],
    ]);
  });

  test("an empty document names none", () => expect(parseConfig("")).toEqual([]));
});

describe("mistakes are reported with file, line, column and key", () => {
  test.each([
    ["simple_kv:\n  sync_writes: maybe\n", "kv.yml:2:16: simple_kv.sync_writes must be a boolean"],
    ["simple_kv:\n  path: ''\n", "kv.yml:2:9: simple_kv.path must be a path"],
    ["simple_kv:\n  path: 5\n", "kv.yml:2:9: simple_kv.path must be a path"],
    ["simple_kv:\n  sync: true\n", "kv.yml:2:3: simple_kv.sync is not known"],
    ["simple_kv: on\n", "kv.yml:1:12: simple_kv must be a map"],
    ["- a\n", "kv.yml:1:1: the document must be a map"],
    ["anykv:\n  shops: {}\n", "kv.yml:2:3: anykv.shops is not known"],
    [
      "anykv:\n  stores:\n    a:\n      backend: tape\n",
      'kv.yml:4:7: anykv.stores.a: option "backend"',
    ],
    [
      "anykv:\n  stores:\n    a:\n      bakend: wal\n",
      "kv.yml:4:7: anykv.stores.a.bakend is not known",
    ],
    [
      "anykv:\n  stores:\n    a: { backend: wal, wal: { flushInterval: soon } }\n",
      "anykv.stores.a:",
    ],
    ["anykv: [1\n", "kv.yml:2:1: "],
  ])("%j", (text, message) => {
    expect(() => parseConfig(text, "kv.yml")).toThrow(InvalidOptionsError);
    expect(() => parseConfig(text, "kv.yml")).toThrow(message);
  });

  test("a file that cannot be read is an error of its own", () => {
    expect(() => openConfiguredStores("/no/such/file.yml")).toThrow("cannot be read");
  });
});

test("a configured store keeps bytes over a restart, and filters with it", async () => {
  const directory = temporaryDirectory();
  const file = join(directory, "kv.yml");
  writeFileSync(file, `simple_kv: { path: ${JSON.stringify(join(directory, "data"))} }`);
  const first = openConfiguredStores(file);
  await first.get("simple_kv").set("config", Uint8Array.of(0, 255, 10));
  await first.filter("seen").add("item");
  await first.close();
  const second = openConfiguredStores(file);
  expect(await second.get().get("config")).toEqual(Uint8Array.of(0, 255, 10));
  expect(await second.filter("seen").contains(Buffer.from("item"))).toBe(true);
  await second.close();
});

describe("StoreRegistry", () => {
  test("gives stores by name, the last one by default, and refuses duplicates", async () => {
    await using registry = new StoreRegistry();
    expect(() => registry.get()).toThrow("no store is registered");
    const a = openKv({ backend: "memory", name: "registry-a" });
    const b = openKv({ backend: "memory", name: "registry-b" });
    registry.register("a", a);
    registry.register("b", b);
    expect(registry.get("a")).toBe(a);
    expect(registry.get()).toBe(b);
    expect(registry.names()).toEqual(["a", "b"]);
    expect(() => registry.register("a", b)).toThrow(InvalidOptionsError);
    expect(() => registry.get("c")).toThrow('no store is named "c"');
  });

  test("closes every store", async () => {
    const registry = new StoreRegistry();
    const kv = openKv({ backend: "memory", name: "registry-c" });
    registry.register("c", kv);
    await registry.close();
    await expect(kv.size()).rejects.toMatchObject({ name: "StoreClosedError" });
    expect(registry.names()).toEqual([]);
  });
});
