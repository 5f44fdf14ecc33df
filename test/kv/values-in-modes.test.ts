// Values in modes: what each serialization does to a value on its way through every operation, and
// what happens to values that were stored in another one.

import { isKvError, type Kv } from "anykv";
import { describe, expect, test } from "vitest";
import type { Serialization } from "../../src/kv/options/options.js";
import { OpenedEngine } from "./kv-over-engine.js";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const shared = { x: 1 };

class Account {
  readonly owner = "Ada";
  #balance = 5;
  get balance(): number {
    return this.#balance;
  }
}

/** What is read after writing a value, by mode. */
type Sample = readonly [title: string, written: unknown, read: unknown];

const samples: Readonly<Record<Serialization, readonly Sample[]>> = {
  json: [
    ["text", "мир \u{1f642}", "мир \u{1f642}"],
    ["text of a number", "456", "456"],
    ["a number", 456, 456],
    ["minus zero", -0, 0],
    ["a double", 0.1 + 0.2, 0.1 + 0.2],
    ["undefined", undefined, null],
    ["an undefined property", { a: undefined, b: 1 }, { b: 1 }],
    ["an undefined element", [undefined, 1], [null, 1]],
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["an invalid date", new Date(Number.NaN), null],
    ["an instance", new Account(), { owner: "Ada" }],
    ["toJSON", { toJSON: () => ({ a: 1 }) }, { a: 1 }],
    ["boxed primitives", [new Number(1), new String("a"), new Boolean(false)], [1, "a", false]],
    ["one part twice", [shared, shared], [{ x: 1 }, { x: 1 }]],
    ["symbol keys", { [Symbol("s")]: 1, a: 2 }, { a: 2 }],
    ["half a surrogate pair", "\ud800", "\ud800"],
  ],
  string: [
    ["text", "мир \u{1f642}", "мир \u{1f642}"],
    ["empty text", "", ""],
    ["whole numbers", 1_000_000, "1000000"],
    ["small fractions", 0.00001, "1e-05"],
    ["large fractions", 1_000_000.5, "1.0000005e+06"],
    ["numbers that are none", Number.NaN, "NaN"],
    ["infinities", [Infinity, -Infinity], "[+Inf -Inf]"],
    ["null", null, "<nil>"],
    ["a BigInt", 2n ** 70n, "1180591620717411303424"],
    ["arrays", [1, "a", null, [true]], "[1 a <nil> [true]]"],
    [
      "objects, in key order",
      { n: { z: 1.25 }, "\uffff": 1, "\u{1f642}": 2, a: "" },
      "map[a: n:map[z:1.25] \uffff:1 \u{1f642}:2]",
    ],
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
  ],
  bytes: [
    ["bytes", bytes(0, 255, 128), bytes(0, 255, 128)],
    ["no bytes", bytes(), bytes()],
    ["a Buffer", Buffer.from("é"), bytes(0xc3, 0xa9)],
    ["an ArrayBuffer", bytes(7, 8).buffer, bytes(7, 8)],
    ["a part of a buffer", bytes(1, 2, 3).subarray(1, 2), bytes(2)],
  ],
};

/** Every way on which a value that was written comes back. */
async function everyWayBack(kv: Kv, value: unknown): Promise<unknown[]> {
  expect(await kv.set("key", value)).toBe(value);
  const back: unknown[] = [await kv.get("key"), await kv.find("key")];
  back.push((await kv.getMany(["key"]))[0]?.value, (await kv.list())[0]?.value);
  back.push((await kv.scan()).entries[0]?.value);
  back.push((await kv.getOrSet("key", value)).value, (await kv.getOrSet("new", value)).value);
  await kv.delete("new");
  back.push((await kv.swap("key", value)).previous);
  back.push((await kv.claimKey("key"))?.entry.value);
  await kv.deleteMany(["key"]);
  await kv.setMany({ key: value });
  back.push((await kv.claimKeys(["key"])).claimed[0]?.entry.value, await kv.fetchRemove("key"));
  expect(await kv.setIfAbsent("key", value)).toBe(true);
  back.push((await kv.claimRandom())?.entry.value);
  await kv.delete("key");
  expect(await kv.compareAndSwap("key", null, value)).toBe(true);
  back.push((await kv.popRandom())?.value);
  for (const element of [value, value, value, value]) await kv.append("array", element);
  back.push(...(await kv.range("array")), await kv.pop("array"), await kv.popFirst("array"));
  back.push(await kv.popWait("array"), await kv.popFirstWait("array"));
  return back;
}

for (const mode of ["json", "string", "bytes"] as const) {
  describe(`in mode ${mode}`, () => {
    test.each(samples[mode])("%s comes back the same on every way", async (_, value, read) => {
      const kv = new OpenedEngine().handle(mode);
      for (const back of await everyWayBack(kv, value)) expect(back).toStrictEqual(read);
    });

    test.each(samples[mode])("%s is equal to itself", async (_, value) => {
      const kv = new OpenedEngine().handle(mode);
      await kv.set("key", value);
      expect(await kv.compareAndDelete("key", value)).toBe(true);
    });
  });
}

const depth = 200_000;
const bottomless: unknown = JSON.parse("[".repeat(depth) + "]".repeat(depth));
const throwing = Object.defineProperty({}, "a", {
  enumerable: true,
  get: () => {
    throw new Error("no access");
  },
});
const cyclic: unknown[] = [];
cyclic.push({ cyclic });

const refused: Readonly<Record<Serialization, readonly Sample[]>> = {
  json: [
    ["a value nested beyond the stack", bottomless, /nested too deeply/],
    ["an accessor that throws", throwing, /no access/],
    ["a cycle", { cyclic }, /contains itself/],
    ["a BigInt", [1n], /BigInt/],
  ],
  string: [
    ["a value nested beyond the stack", bottomless, /nested too deeply/],
    ["an accessor that throws", throwing, /no access/],
    ["a cycle", { cyclic }, /contains itself/],
    ["half a surrogate pair", "a\ud800", /surrogate/],
    ["half a surrogate pair inside", ["\udc00"], /surrogate/],
    ["a function", () => 1, /function/],
  ],
  bytes: [
    ["text", "abc", /Uint8Array/],
    ["a number", 5, /Uint8Array/],
    ["null", null, /Uint8Array/],
    ["an array of numbers", [1, 2], /Uint8Array/],
    ["a view of other elements", new Float64Array(1), /Uint8Array/],
  ],
};

/** Every operation that stores a value or compares with one. */
const writers: Readonly<Record<string, (kv: Kv, value: unknown) => Promise<unknown>>> = {
  set: (kv, value) => kv.set("key", value),
  getOrSet: (kv, value) => kv.getOrSet("key", value),
  swap: (kv, value) => kv.swap("key", value),
  setIfAbsent: (kv, value) => kv.setIfAbsent("key", value),
  compareAndDelete: (kv, value) => kv.compareAndDelete("key", value),
  compareAndDeleteDetailed: (kv, value) => kv.compareAndDeleteDetailed("key", value),
  append: (kv, value) => kv.append("array", value),
  prepend: (kv, value) => kv.prepend("array", value),
};

async function failure(call: Promise<unknown>): Promise<Error> {
  try {
    await call;
  } catch (error) {
    return error as Error;
  }
  throw new Error("the call resolved");
}

for (const mode of ["json", "string", "bytes"] as const) {
  describe(`refused in mode ${mode}`, () => {
    test.each(refused[mode])("%s", async (_, value, message) => {
      const opened = new OpenedEngine();
      const kv = opened.handle(mode);
      const good = mode === "bytes" ? bytes(1) : "good";
      await kv.setMany({ key: good });
      await kv.append("array", good);
      const before = opened.dump();
      for (const [name, write] of Object.entries(writers)) {
        const error = await failure(write(kv, value));
        expect(error.name, name).toBe("SerializerError");
        expect(error.message).toMatch(message as RegExp);
      }
      const batch = await failure(kv.setMany({ a: good, b: value }));
      expect(batch).toMatchObject({
        name: "InvalidOptionsError",
        errors: [{ key: "b", name: "SerializerError" }],
      });
      expect(opened.dump()).toStrictEqual(before);
    });
  });
}

// What is stored here as text, "not JSON", cannot be read as JSON. "a" and "z" can.
async function unreadable(): Promise<{ opened: OpenedEngine; kv: Kv }> {
  const opened = new OpenedEngine();
  const text = opened.handle("string");
  await text.setMany({ a: "1", m: "not JSON", z: "2" });
  for (const element of ["3", "not JSON"]) await text.append("array", element);
  await text.prepend("array", "not JSON");
  return { opened, kv: opened.handle("json") };
}

const readers: Readonly<Record<string, (kv: Kv) => Promise<unknown>>> = {
  get: (kv) => kv.get("m"),
  find: (kv) => kv.find("m"),
  "getMany, for one of many": (kv) => kv.getMany(["a", "m"]),
  scan: (kv) => kv.scan(),
  list: (kv) => kv.list({ prefix: "m" }),
  getOrSet: (kv) => kv.getOrSet("m", 1),
  swap: (kv) => kv.swap("m", 1),
  fetchRemove: (kv) => kv.fetchRemove("m"),
  compareAndSwapDetailed: (kv) =>
    kv.compareAndSwapDetailed("m", 1, 2, { includeCurrentOnMismatch: true }),
  claimKey: (kv) => kv.claimKey("m"),
  claimKeys: (kv) => kv.claimKeys(["a", "m", "z"]),
  "claimKeys, all or nothing": (kv) => kv.claimKeys(["a", "m"], { allOrNothing: true }),
  claimRandom: (kv) => kv.claimRandom({ prefix: "m" }),
  claimRandomMany: (kv) => kv.claimRandomMany({ count: 3 }),
  popRandom: (kv) => kv.popRandom({ prefix: "m" }),
  popRandomMany: (kv) => kv.popRandomMany({ count: 3 }),
  range: (kv) => kv.range("array"),
  pop: (kv) => kv.pop("array"),
  popFirst: (kv) => kv.popFirst("array"),
  popWait: (kv) => kv.popWait("array"),
  popFirstWait: (kv) => kv.popFirstWait("array", { timeout: 0 }),
};

describe("a value that cannot be read", () => {
  test.each(Object.entries(readers))(
    "makes %s reject with SerializerError, and nothing changes",
    async (_, read) => {
      const { opened, kv } = await unreadable();
      const before = opened.dump();
      const error = await failure(read(kv));
      expect(isKvError(error) && error.name).toBe("SerializerError");
      expect(error).toMatchObject({ hint: expect.stringContaining("serialization") });
      expect(opened.dump()).toStrictEqual(before);
      expect((await kv.stats()).claims.live).toBe(0);
    },
  );

  test("is no matter to whoever needs only its key", async () => {
    const { kv } = await unreadable();
    expect(await kv.listKeys()).toEqual(["a", "m", "z"]);
    expect((await kv.scanKeys({ limit: 2 })).keys).toEqual(["a", "m"]);
    expect(await kv.count({ prefix: "m" })).toBe(1);
    expect(await kv.exists("m")).toBe(true);
    expect(await kv.randomKey({ prefix: "m" })).toBe("m");
    expect(await kv.randomKeys({ count: 3 })).toHaveLength(3);
    expect(await kv.length("array")).toBe(3);
    expect(await kv.ttl("m")).toBeNull();
    expect(await kv.expire("m", 1_000)).toBe(true);
  });

  test("is only a mismatch to a comparison", async () => {
    const { kv } = await unreadable();
    expect(await kv.compareAndSwap("m", "not JSON", 1)).toBe(false);
    expect(await kv.compareAndDelete("m", null)).toBe(false);
    const mismatch = { swapped: false, reason: "mismatch", existed: true };
    expect(await kv.compareAndSwapDetailed("m", 1, 2)).toStrictEqual(mismatch);
  });

  test("can be overwritten and deleted", async () => {
    const { kv } = await unreadable();
    await kv.set("m", "good");
    expect(await kv.get("m")).toBe("good");
    const again = await unreadable();
    expect(await again.kv.deleteIfExists("m")).toBe(true);
    expect(await again.kv.deleteArray("array")).toBe(true);
    expect(await again.kv.list()).toHaveLength(2);
  });

  test("spends no token and keeps no claim when a batch of claims meets it", async () => {
    const { kv } = await unreadable();
    await failure(kv.claimKeys(["a", "z", "m"]));
    const { claimed } = await kv.claimKeys(["a", "z"]);
    expect(claimed.map(({ token }) => token)).toEqual([1, 2]);
  });
});

describe("values across modes", () => {
  test("counters are the same in every mode", async () => {
    const opened = new OpenedEngine();
    const [json, text, raw] = [
      opened.handle("json"),
      opened.handle("string"),
      opened.handle("bytes"),
    ];
    expect(await json.incrementBy("key", 5)).toBe(5);
    expect(await text.incrementBy("key", 5)).toBe(10);
    expect(await raw.incrementBy("key", 5)).toBe(15);
    expect(await json.get("key")).toBe(15);
    expect(await text.get("key")).toBe("15");
    expect(await raw.get("key")).toStrictEqual(new TextEncoder().encode("15"));
    expect(await json.compareAndSwap("key", 15, "16")).toBe(true);
    expect(await text.incrementBy("key", 1)).toBe(17);
  });

  test("JSON that was written by hand, in any order and spelling, is equal to the value", async () => {
    const opened = new OpenedEngine();
    const [json, text] = [opened.handle("json"), opened.handle("string")];
    await text.set("key", ' { "b" : [1.0, "\\u0041"], "a" : 1e2 } ');
    expect(await json.get("key")).toStrictEqual({ b: [1, "A"], a: 100 });
    expect(await json.compareAndSwap("key", { a: 100, b: [1, "A"] }, null)).toBe(true);
    await text.set("key", "");
    expect(await json.get("key")).toBeNull();
    expect(await json.compareAndDelete("key", null)).toBe(true);
  });

  test("bytes that are no text are not read as text", async () => {
    const opened = new OpenedEngine();
    await opened.handle("bytes").set("key", bytes(0xff));
    expect((await failure(opened.handle("string").get("key"))).name).toBe("SerializerError");
    expect((await failure(opened.handle("json").get("key"))).name).toBe("SerializerError");
  });
});
