// openKv: options, lock-in, names and handles.
//
// The store without a name is locked for the life of the process, so each test that opens it loads
// the library anew (`freshOpenKv`), which is a new process as far as the registry can tell.

import { resolve } from "node:path";
import { type Kv, KvError, openKv } from "anykv";
import { seededRandom, virtualEnv } from "anykv/testing";
import { describe, expect, test, vi } from "vitest";
import { differingOptions, normalizeOptions } from "../../src/kv/options/options.js";

type Options = Parameters<typeof openKv>[0];

async function freshOpenKv(): Promise<typeof openKv> {
  vi.resetModules();
  return (await import("anykv")).openKv;
}

/** What `openKv` throws, at once. */
function thrownBy(open: () => unknown): KvError {
  try {
    open();
  } catch (error) {
    return error as KvError;
  }
  throw new Error("nothing was thrown");
}

let names = 0;
const freshName = (): string => `open-kv-${++names}`;
const memory = { backend: "memory" } as const;

describe("options", () => {
  const oddities = ["", 5, true, false, 1n, Symbol("s"), () => 1, [], new Date(), new Map()];
  const badOptions: readonly [name: string, values: readonly unknown[], error?: string][] = [
    [
      "backend",
      ["Memory", "MEMORY", "", " memory", "redis", 5, true, {}, []],
      "InvalidBackendError",
    ],
    [
      "serialization",
      ["JSON", "", "text", "msgpack", 5, true, {}, []],
      "InvalidSerializationError",
    ],
    ["trackKeys", ["true", "", 0, 1, {}, []]],
    ["name", ["", 5, true, {}, [], "\ud800", "x".repeat(1025)]],
    ["memory", oddities],
    ["metrics", oddities],
    ["disk", oddities],
    ["env", [5, "env", {}, []]],
  ];

  test.each(badOptions)("%s is refused when it is wrong", (name, values, error) => {
    for (const value of values) {
      const options = { ...memory, name: freshName(), [name]: value } as Options;
      const thrown = thrownBy(() => openKv(options));
      expect(thrown).toBeInstanceOf(KvError);
      expect(thrown.name, String(value)).toBe(error ?? "InvalidOptionsError");
      expect(thrown.message).toContain(name);
    }
  });

  test.each(["options", 5, true, [], [{}], new Date(), new Map(), () => 1, 1n])(
    "options that are no plain object are refused: %s",
    (options) => {
      expect(thrownBy(() => openKv(options as never)).name).toBe("InvalidOptionsError");
    },
  );

  test("fields of groups are checked", () => {
    const open = (options: object) => () => openKv({ ...memory, name: freshName(), ...options });
    for (const operations of ["true", 1, {}, []]) {
      expect(thrownBy(open({ metrics: { operations } })).name).toBe("InvalidOptionsError");
    }
    for (const registry of [5, {}, "x", { registerMetric: () => {} }]) {
      expect(thrownBy(open({ metrics: { registry } })).name).toBe("InvalidOptionsError");
    }
    for (const shardCount of ["4", 1.5, Number.NaN, Infinity, {}]) {
      expect(thrownBy(open({ memory: { shardCount } })).name).toBe("InvalidOptionsError");
    }
  });

  test("what belongs to another backend is not looked at", async () => {
    const kv = openKv({
      ...memory,
      name: freshName(),
      path: 5 as never,
      disk: { timeout: "soon", readOnly: 1 as never, freelistType: "tree" as never },
    });
    expect(await kv.set("a", 1)).toBe(1);
    await kv.close();
  });

  test("null and undefined stand for absent everywhere", async () => {
    const none = null as never;
    const kv = openKv({
      ...memory,
      name: freshName(),
      serialization: none,
      trackKeys: undefined,
      memory: none,
      disk: undefined,
      metrics: { operations: none },
      env: none,
    });
    expect(await kv.stats()).toMatchObject({ serialization: "json", trackKeys: false });
    await kv.close();
  });

  test("unknown options are ignored", async () => {
    const kv = openKv({ ...memory, name: freshName(), colour: "red" } as Options);
    await kv.close();
  });

  test("any number of shards is accepted and changes nothing", async () => {
    for (const shardCount of [-5, 0, 1, 65_536, 70_000, 2 ** 40]) {
      const kv = openKv({ ...memory, name: freshName(), memory: { shardCount } });
      await kv.setMany({ b: 1, a: 2 });
      expect(await kv.listKeys()).toEqual(["a", "b"]);
      await kv.close();
    }
  });

  test("env decides time and chance", async () => {
    const env = virtualEnv({ seed: 7, now: 1_000_000 });
    const kv = openKv({ ...memory, name: freshName(), env });
    await kv.setMany({ a: 1, b: 2, c: 3 });
    const chosen = seededRandom(7);
    expect(await kv.randomKey()).toBe("abc"[chosen.below(3)]);
    expect((await kv.claimKey("a", { ttl: 5 }))?.expiresAt).toBe(1_000_005);
    await kv.close();
  });

  test("a server that cannot be reached rejects the operations that wait for it", async () => {
    const valkey = { path: "/nonexistent/valkey.sock" };
    const kv = openKv({ backend: "valkey", name: freshName(), valkey });
    await expect(kv.size()).rejects.toMatchObject({
      name: "ServerConnectionError",
      message: expect.stringContaining("/nonexistent/valkey.sock"),
    });
    await kv.close();
  });

  test("options of the disk are checked before the disk is asked for", () => {
    const bad = [
      ...["1", "-1s", "soon", -1, 1.5, Number.NaN, true].map((timeout) => ({ timeout })),
      ...["64XB", "-1", -1, 0.5, {}].map((initialMmapSize) => ({ initialMmapSize })),
      ...["tree", 5, true].map((freelistType) => ({ freelistType })),
      ...["true", 1].flatMap((flag) => [{ readOnly: flag }, { noSync: flag }, { mlock: flag }]),
    ];
    for (const disk of bad as never[]) {
      expect(thrownBy(() => openKv({ disk })).name).toBe("InvalidOptionsError");
    }
  });
});

/** Whether two calls ask for the same store, in the same state of the process. */
const equivalent = (a: unknown, b: unknown): boolean =>
  differingOptions(normalizeOptions(a), normalizeOptions(b)).length === 0;

const disk = (options: object): object => ({ backend: "disk", disk: options });
const shards = (shardCount?: number): object => ({ ...memory, memory: { shardCount } });

describe("equivalence", () => {
  test.each<[string, unknown, unknown]>([
    ["no options and empty ones", undefined, {}],
    ["null and empty ones", null, {}],
    ["defaults left out and spelled out", {}, { backend: "disk", serialization: "json" }],
    ["tracking off and not mentioned", memory, { ...memory, trackKeys: false }],
    ["the default path", {}, { path: "./.anykv" }],
    ["a blank path", {}, { path: "  " }],
    ["a path with blanks and dots", { path: "a/b" }, { path: " ./a/../a//b " }],
    ["a relative and an absolute path", { path: "a/b" }, { path: resolve("a/b") }],
    ["paths of memory", { ...memory, path: "a" }, { ...memory, path: "b" }],
    ["metrics off in three ways", memory, { ...memory, metrics: {} }],
    ["metrics off and left out", memory, { ...memory, metrics: { operations: false } }],
    ["automatic shards", shards(), shards(0)],
    ["negative and no shards", shards(-3), memory],
    ["shards of another backend", { memory: { shardCount: 4 } }, {}],
    ["disk options of another backend", { ...memory, disk: { noSync: true } }, memory],
    ["no disk options and empty ones", {}, disk({})],
    ["durations by value", disk({ timeout: "1s" }), disk({ timeout: 1000 })],
    ["durations in two texts", disk({ timeout: "1h15m" }), disk({ timeout: "75m" })],
    ["sizes by value", disk({ initialMmapSize: "1MiB" }), disk({ initialMmapSize: 1_048_576 })],
    ["sizes in two texts", disk({ initialMmapSize: "64MB" }), disk({ initialMmapSize: "64 mb" })],
    ["free lists in any case", disk({ freelistType: "MAP" }), disk({ freelistType: "map" })],
    [
      "disk options in any order",
      disk({ noSync: true, mlock: true }),
      disk({ mlock: true, noSync: true }),
    ],
  ])("%s are equivalent", (_, a, b) => {
    expect(equivalent(a, b)).toBe(true);
    expect(equivalent(b, a)).toBe(true);
  });

  test.each<[string, unknown, unknown]>([
    ["backends", memory, { backend: "wal" }],
    ["serializations", memory, { ...memory, serialization: "string" }],
    ["tracking", memory, { ...memory, trackKeys: true }],
    ["paths", { path: "a" }, { path: "b" }],
    ["metrics", memory, { ...memory, metrics: { operations: true } }],
    ["shards", shards(2), shards(3)],
    ["shards beyond the cap", shards(70_000), shards(65_536)],
    ["a disk option left out and its default", {}, disk({ readOnly: false })],
    ["a time-out left out and its default", {}, disk({ timeout: 1000 })],
    ["time-outs", disk({ timeout: "1s" }), disk({ timeout: "2s" })],
    ["sizes", disk({ initialMmapSize: "64MB" }), disk({ initialMmapSize: "64MiB" })],
    ["the empty free list and array", disk({ freelistType: "" }), disk({ freelistType: "array" })],
  ])("different %s are not equivalent", (_, a, b) => {
    expect(equivalent(a, b)).toBe(false);
    expect(equivalent(b, a)).toBe(false);
  });
});

describe("the store without a name", () => {
  test("is the same for every call with equivalent options", async () => {
    const open = await freshOpenKv();
    const first = open(memory);
    const second = open({ ...memory, serialization: "json", trackKeys: false, memory: {} });
    await first.set("a", 1);
    expect(await second.get("a")).toBe(1);
  });

  test("is locked by the first call: another one is told with what", async () => {
    const open = await freshOpenKv();
    const first = open({ ...memory, trackKeys: true, metrics: { operations: true } });
    const other = { ...memory, trackKeys: true, serialization: "string" } as const;
    const thrown = thrownBy(() => open(other));
    expect(thrown.name).toBe("KVOptionsConflictError");
    expect(thrown.code).toBe("ANYKV_KV_OPTIONS_CONFLICT");
    for (const fact of ["memory", "path", "json", "trackKeys=true", "metrics.operations=true"]) {
      expect(thrown.message).toContain(fact);
    }
    expect(thrown.message).toMatch(/differ in serialization, metrics\.operations$/);
    expect(thrown.hint).toContain("name");
    expect(await first.set("a", 1)).toBe(1);
  });

  test("stays locked when its last handle has closed, and memory keeps its data and claims", async () => {
    const open = await freshOpenKv();
    const first = open(memory);
    await first.set("a", 1);
    const claim = await first.claimKey("a");
    await first.close();
    expect(thrownBy(() => open({ ...memory, trackKeys: true })).name).toBe(
      "KVOptionsConflictError",
    );
    const again = open(memory);
    expect(await again.get("a")).toBe(1);
    expect(claim && (await again.releaseClaim(claim))).toBe(true);
  });

  test("is not locked by a call that fails", async () => {
    const open = await freshOpenKv();
    thrownBy(() => open({ backend: "tape" as never }));
    thrownBy(() => open({ ...memory, serialization: "xml" as never }));
    thrownBy(() => open({ backend: "valkey", valkey: { port: 0 } }));
    const kv = open({ ...memory, trackKeys: true });
    expect(await kv.size()).toBe(0);
  });

  test("gains no handle by a call that fails", async () => {
    const open = await freshOpenKv();
    const kv = open(memory);
    thrownBy(() => open({ ...memory, trackKeys: true }));
    await kv.close();
    await expect(kv.get("a")).rejects.toMatchObject({ name: "StoreClosedError" });
  });
});

describe("named stores", () => {
  test("are apart from each other, with options of their own", async () => {
    const [a, b] = [freshName(), freshName()];
    const one = openKv({ ...memory, name: a });
    const two = openKv({ ...memory, name: b, serialization: "string", trackKeys: true });
    await one.set("key", 1);
    expect(await two.exists("key")).toBe(false);
    await two.set("key", 2);
    expect(await one.get("key")).toBe(1);
    expect(await two.get("key")).toBe("2");
    await Promise.all([one.close(), two.close()]);
  });

  test("conflict under one name only, and the message says which", async () => {
    const name = freshName();
    const kv = openKv({ ...memory, name });
    const thrown = thrownBy(() => openKv({ ...memory, name, trackKeys: true }));
    expect(thrown.name).toBe("KVOptionsConflictError");
    expect(thrown.message).toContain(`"${name}"`);
    expect(thrown.message).toMatch(/differ in trackKeys$/);
    await kv.close();
  });

  test("are let go with their last handle: options are free again, data in memory are gone", async () => {
    const name = freshName();
    const first = openKv({ ...memory, name });
    const second = openKv({ ...memory, name });
    await first.set("a", 1);
    await first.close();
    await first.close();
    expect(thrownBy(() => openKv({ ...memory, name, trackKeys: true })).name).toBe(
      "KVOptionsConflictError",
    );
    expect(await second.get("a")).toBe(1);
    await second.close();
    const again = openKv({ ...memory, name, trackKeys: true });
    expect(await again.exists("a")).toBe(false);
    expect((await again.stats()).trackKeys).toBe(true);
    await again.close();
  });

  test("different clocks do not share a store", async () => {
    const name = freshName();
    const kv = openKv({ ...memory, name, env: virtualEnv() });
    const thrown = thrownBy(() => openKv({ ...memory, name, env: virtualEnv() }));
    expect(thrown.message).toMatch(/differ in env$/);
    await kv.close();
  });
});

describe("handles", () => {
  test("are usable at once", async () => {
    const kv = openKv({ ...memory, name: freshName() });
    const written = kv.set("a", 1);
    const read = kv.get("a");
    expect([await written, await read]).toEqual([1, 1]);
    await kv.close();
  });

  test("close returns one promise, however often it is called", async () => {
    const kv = openKv({ ...memory, name: freshName() });
    const closing = kv.close();
    expect(kv.close()).toBe(closing);
    expect(await closing).toBeUndefined();
    expect(kv[Symbol.asyncDispose]()).toBe(closing);
  });

  test("close works at once, whether or not somebody waits for it", async () => {
    const kv = openKv({ ...memory, name: freshName() });
    void kv.close();
    await expect(kv.get("a")).rejects.toMatchObject({ name: "StoreClosedError" });
  });

  test("await using closes at the end of the block", async () => {
    const name = freshName();
    let left: Kv;
    {
      await using kv = openKv({ ...memory, name });
      left = kv;
      await kv.set("a", 1);
    }
    await expect(left.get("a")).rejects.toMatchObject({ message: "kv store handle is closed" });
  });

  test("a handle without a store says so", async () => {
    const { Kv: Handle } = await import("anykv");
    const shared = { options: normalizeOptions(memory), store: undefined, metrics: {} };
    const kv = new Handle(shared as never);
    await expect(kv.size()).rejects.toMatchObject({ name: "DatabaseNotOpenError" });
    await expect(kv.exists("")).rejects.toMatchObject({ name: "InvalidOptionsError" });
  });
});
