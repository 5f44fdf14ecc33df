// StoreRegistry: names, the default, and the one place that closes them all.

import { InvalidOptionsError, type Kv, openKv, StoreClosedError, StoreRegistry } from "anykv";
import { expect, test } from "vitest";

const memory = (name: string): Kv => openKv({ backend: "memory", name: `registry ${name}` });

test("gives stores by name, the last one by default", async () => {
  await using registry = new StoreRegistry();
  expect(() => registry.get()).toThrow("no store is registered");
  const a = memory("a");
  const b = memory("b");
  registry.register("a", a);
  expect(registry.get()).toBe(a);
  registry.register("b", b);
  expect(registry.get("a")).toBe(a);
  expect(registry.get()).toBe(b);
  expect(registry.names()).toEqual(["a", "b"]);
  expect([registry.has("a"), registry.has("c")]).toEqual([true, false]);
});

test("a missing name is refused, with those that there are", async () => {
  await using registry = new StoreRegistry();
  registry.register("a", memory("a"));
  expect(() => registry.get("c")).toThrow(
    expect.objectContaining({
      name: "InvalidOptionsError",
      message: 'no store is named "c"',
      hint: "registered: a",
    }),
  );
});

test("a name is registered once", async () => {
  await using registry = new StoreRegistry();
  const a = memory("a");
  await using second = memory("second");
  registry.register("a", a);
  expect(() => registry.register("a", second)).toThrow(
    'a store is already registered under the name "a"',
  );
  expect(registry.get("a")).toBe(a);
});

test("only names and stores are registered", async () => {
  await using registry = new StoreRegistry();
  await using kv = memory("kv");
  for (const name of ["", 5, undefined, "\ud800", "x".repeat(1_025)]) {
    expect(() => registry.register(name as string, kv)).toThrow(InvalidOptionsError);
  }
  for (const store of [undefined, null, {}, "kv", new Map(), { close() {} }]) {
    expect(() => registry.register("x", store as unknown as Kv)).toThrow(
      "store must be a handle that openKv returned",
    );
  }
  expect(registry.names()).toEqual([]);
});

test("filters are those of the stores, apart by store and by bucket", async () => {
  await using registry = new StoreRegistry();
  registry.register("a", memory("a"));
  registry.register("b", memory("b"));
  expect(await registry.filter("seen", "a").checkThenAdd("item")).toBe(false);
  expect(await registry.get("a").filter("seen").contains("item")).toBe(true);
  expect(await registry.filter("seen").contains("item")).toBe(false);
  expect(await registry.filter("other", "a").contains("item")).toBe(false);
  expect(() => registry.filter("seen", "c")).toThrow(InvalidOptionsError);
  expect(() => registry.filter("")).toThrow(InvalidOptionsError);
});

test("closes every store, holds none afterwards and takes none", async () => {
  const registry = new StoreRegistry();
  const kv = memory("closing");
  registry.register("c", kv);
  const closing = registry.close();
  expect(registry.close()).toBe(closing);
  expect(registry.names()).toEqual([]);
  expect(() => registry.get()).toThrow(StoreClosedError);
  expect(() => registry.register("d", kv)).toThrow(StoreClosedError);
  await closing;
  await expect(kv.size()).rejects.toBeInstanceOf(StoreClosedError);
});

test("a store that cannot be closed does not keep the others open", async () => {
  const registry = new StoreRegistry();
  const error = new Error("the disk is on fire");
  const broken = { close: () => Promise.reject(error), filter: () => {} } as unknown as Kv;
  const kv = memory("beside the broken one");
  registry.register("broken", broken);
  registry.register("sound", kv);
  await expect(registry.close()).rejects.toBe(error);
  await expect(kv.size()).rejects.toBeInstanceOf(StoreClosedError);
});
