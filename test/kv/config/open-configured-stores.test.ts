// Opening what a YAML file names: all of it, or nothing, and in both cases the caller knows.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isKvError, type KvError, openConfiguredStores, openKv, type StoreRegistry } from "anykv";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "anykv-config-"));
  file = join(directory, "kv.yml");
});

afterEach(() => rmSync(directory, { recursive: true }));

function open(text: string | Uint8Array): Promise<StoreRegistry> {
  writeFileSync(file, text);
  return openConfiguredStores(file);
}

async function failureOf(opening: Promise<StoreRegistry>): Promise<KvError> {
  const result = await opening.catch((error: unknown) => error);
  if (isKvError(result)) return result;
  throw new Error("it did not fail as it should", { cause: result });
}

const wal = (name: string) => `    ${name}: { backend: wal, path: ${join(directory, name)} }\n`;

test("a store of the Simple KV form keeps bytes over a restart, and filters with it", async () => {
  const path = join(directory, "data", "kv");
  const text = `simple_kv:\n  path: ${JSON.stringify(path)}\n`;
  const first = await open(text);
  await first.get("simple_kv").set("config", Uint8Array.of(0, 255, 10));
  await first.filter("seen").add("item");
  await first.close();
  expect(readdirSync(path)).toEqual(["LOCK", "last_state", "wal"]);
  const second = await open(text);
  expect(await second.get().get("config")).toEqual(Uint8Array.of(0, 255, 10));
  expect(await second.filter("seen").contains(Buffer.from("item"))).toBe(true);
  await second.close();
});

test("all stores are open when the registry is there, in the order of the file", async () => {
  const text = `anykv:\n  stores:\n${wal("a")}    cache: { backend: memory }\n${wal("b")}`;
  await using registry = await open(text);
  expect(registry.names()).toEqual(["a", "cache", "b"]);
  for (const name of ["a", "b"]) expect(readdirSync(join(directory, name))).toContain("LOCK");
  const { backend, disk } = await registry.get().stats();
  expect({ backend, path: disk?.path }).toEqual({ backend: "wal", path: join(directory, "b") });
});

test("a configured store is the one that openKv gives under its name", async () => {
  await using registry = await open(`anykv:\n  stores:\n${wal("shared")}`);
  await registry.get("shared").set("key", 1);
  const path = join(directory, "shared");
  await using kv = openKv({ name: "shared", backend: "wal", path });
  expect(await kv.get("key")).toBe(1);
});

test("a relative path is meant from the working directory of the process", async () => {
  const before = process.cwd();
  process.chdir(directory);
  try {
    mkdirSync("etc");
    writeFileSync("etc/kv.yml", "simple_kv: {}");
    await using _ = await openConfiguredStores("etc/kv.yml");
    expect(readdirSync(join(directory, "data", "simple_kv"))).toContain("wal");
  } finally {
    process.chdir(before);
  }
});

test("a file that names no stores opens none", async () => {
  await using registry = await open("simple_kv: { enabled: false }");
  expect(registry.names()).toEqual([]);
  expect(readdirSync(directory)).toEqual(["kv.yml"]);
});

describe("when one store cannot be opened", () => {
  const two = () => `anykv:\n  stores:\n${wal("sound")}${wal("broken")}`;

  /** Both can be opened by somebody else at once: nothing has stayed open. */
  async function expectNothingOpen(): Promise<void> {
    await using kv = openKv({ name: "later", backend: "wal", path: join(directory, "sound") });
    await kv.set("key", 1);
    await using named = openKv({ name: "broken", backend: "memory" });
    await named.set("key", 1);
  }

  test("a file where a directory is due: the place of the path, and the others are closed", async () => {
    writeFileSync(join(directory, "broken"), "");
    const error = await failureOf(open(two()));
    expect(error).toMatchObject({ name: "DiskPathError", key: "anykv.stores.broken.path" });
    const start = `${file}:4:29: anykv.stores.broken cannot be opened: ${directory}/broken cannot `;
    expect(error.message.slice(0, start.length)).toBe(start);
    expect(error.hint).toContain("choose another `path`");
    expect(error.cause).toMatchObject({ name: "DiskPathError" });
    await expectNothingOpen();
  });

  test("a directory that is in use: by whom", async () => {
    await using kv = openKv({ name: "owner", backend: "wal", path: join(directory, "broken") });
    await kv.set("key", 1);
    const error = await failureOf(open(two()));
    expect(error).toMatchObject({ name: "DiskStoreOpenError", key: "anykv.stores.broken" });
    expect(error.message).toMatch(/kv\.yml:4:5: .*is in use by process \d+$/);
    await expectNothingOpen();
  });

  test("damaged files: file, byte, and the command that helps", async () => {
    const path = join(directory, "broken");
    const kv = openKv({ name: "before", backend: "wal", path });
    await kv.set("key", 1);
    await kv.close();
    const [segment] = readdirSync(join(path, "wal"));
    truncateSync(join(path, "wal", segment as string), 36);
    writeFileSync(join(path, "wal", segment as string), "no header".repeat(9), { flag: "r+" });
    const error = await failureOf(open(two()));
    expect(error.name).toBe("DiskStoreOpenError");
    expect(error.message).toMatch(/kv\.yml:4:5: .*at byte 0 of .*\.log$/);
    expect(error.hint).toContain("anykv repair");
    await expectNothingOpen();
  });

  test("a server that is not there", async () => {
    const broken = "broken: { backend: valkey, valkey: { port: 1 } }";
    const text = `anykv:\n  stores:\n${wal("sound")}    ${broken}\n`;
    const error = await failureOf(open(text));
    expect(error).toMatchObject({ name: "ServerConnectionError", key: "anykv.stores.broken" });
    expect(error.message).toMatch(/kv\.yml:4:5: anykv\.stores\.broken cannot be opened: /);
    await expectNothingOpen();
  });

  test("a name that is open with other options", async () => {
    await using _ = openKv({ name: "broken", backend: "memory" });
    const error = await failureOf(open(two()));
    expect(error).toMatchObject({ name: "KVOptionsConflictError", key: "anykv.stores.broken" });
  });

  test("several that cannot: the first in the order of the file", async () => {
    writeFileSync(join(directory, "sound"), "");
    writeFileSync(join(directory, "broken"), "");
    expect((await failureOf(open(two()))).key).toBe("anykv.stores.sound.path");
  });

  test("it opens once the reason is gone", async () => {
    writeFileSync(join(directory, "broken"), "");
    await failureOf(open(two()));
    rmSync(join(directory, "broken"));
    await using registry = await openConfiguredStores(file);
    expect(registry.names()).toEqual(["sound", "broken"]);
  });
});

describe("a file that cannot be read", () => {
  const cases: [string, () => string, RegExp][] = [
    ["missing", () => join(directory, "none.yml"), /none\.yml: the configuration cannot .*ENOENT/],
    ["a directory", () => directory, /the configuration cannot be read: a directory$/],
    ["a device without end", () => "/dev/zero", /cannot be read: not a plain file$/],
    ["no path", () => "", /^the configuration must be a path, got ""$/],
    ["no text", () => 5 as unknown as string, /^the configuration must be a path, got 5$/],
    ["NUL", () => "a\0b", /^the configuration must be a path/],
  ];
  test.each(cases)("%s", async (_, path, message) => {
    const error = await failureOf(openConfiguredStores(path()));
    expect(error).toMatchObject({
      name: "InvalidOptionsError",
      message: expect.stringMatching(message),
    });
  });

  test("not UTF-8", async () => {
    const error = await failureOf(open(Uint8Array.of(0xff, 0xfe, 0x61, 0)));
    expect(error.message).toBe(`${file}: the configuration is not UTF-8`);
  });

  test("too long", async () => {
    const error = await failureOf(open(`# ${"x".repeat(1_000_000)}`));
    expect(error.message).toBe(`${file}: a configuration must be at most 262144 bytes`);
  });

  test("wrong: file, line, column and key, and nothing is opened", async () => {
    const error = await failureOf(open(`anykv:\n  stores:\n${wal("a")}simple_kv: { sync: 1 }`));
    expect(error.message).toMatch(/kv\.yml:4:14: simple_kv\.sync is not known/);
    expect(readdirSync(directory)).toEqual(["kv.yml"]);
  });

  test("options that are none", async () => {
    writeFileSync(file, "");
    await failureOf(openConfiguredStores(file, 5 as never));
    await failureOf(openConfiguredStores(file, { env: {} as never }));
  });
});
