// Arrays: queues and stacks under a key, apart from values.

import type { Kv } from "../../kv/kv.js";
import { atOnce, type Case, casesOf, type Family, refusal } from "./suite-case.js";

async function fill(kv: Kv, key: string, elements: readonly unknown[]): Promise<void> {
  for (const element of elements) await kv.append(key, element);
}

export const arrayFamily: Family = {
  title: "arrays",
  cases: {
    "append adds at the end, prepend at the front, and both resolve with the new length": async ({
      kv,
      expect,
    }) => {
      expect(await kv.append("q", "b")).toBe(1);
      expect(await kv.append("q", "c")).toBe(2);
      expect(await kv.prepend("q", "a")).toBe(3);
      expect(await kv.range("q")).toStrictEqual(["a", "b", "c"]);
      expect(await kv.prepend("other", 1)).toBe(1);
      expect(await kv.length("q")).toBe(3);
    },

    "pop takes the last element and popFirst the first": async ({ kv, expect }) => {
      await fill(kv, "q", [1, { two: 2 }, null, 4]);
      expect(await kv.pop("q")).toBe(4);
      expect(await kv.popFirst("q")).toBe(1);
      expect(await kv.popFirst("q")).toStrictEqual({ two: 2 });
      expect(await kv.length("q")).toBe(1);
      expect(await kv.pop("q")).toBeNull();
      expect(await kv.length("q")).toBe(0);
    },

    "pop and popFirst resolve with null when there is no array": async ({ kv, expect }) => {
      expect(await kv.pop("absent")).toBeNull();
      expect(await kv.popFirst("absent")).toBeNull();
      expect(await kv.listArrays()).toStrictEqual([]);
    },

    "an array vanishes with its last element": async ({ kv, expect }) => {
      for (const take of ["pop", "popFirst"] as const) {
        await fill(kv, "q", [1]);
        expect(await kv.exists("q")).toBe(true);
        await kv[take]("q");
        expect(await kv.exists("q")).toBe(false);
        expect(await kv.listArrays()).toStrictEqual([]);
        expect(await kv.set("q", "a value")).toBe("a value");
        await kv.delete("q");
      }
    },

    "an array serves as a queue and as a stack however its ends move": async ({ kv, expect }) => {
      const model: number[] = [];
      for (let step = 0; step < 300; step++) {
        const action = (step * 7 + Math.floor(step / 11)) % 5;
        if (action < 2) expect(await kv.append("q", step)).toBe(model.push(step));
        else if (action === 2) expect(await kv.prepend("q", step)).toBe(model.unshift(step));
        else if (action === 3) expect(await kv.pop("q")).toBe(model.pop() ?? null);
        else expect(await kv.popFirst("q")).toBe(model.shift() ?? null);
        expect(await kv.range("q")).toStrictEqual(model);
      }
    },

    "range counts positions as Array.prototype.slice does": async ({ kv, expect }) => {
      const elements = ["a", "b", "c", "d", "e"];
      await fill(kv, "q", elements.slice(1));
      await kv.prepend("q", "a");
      const bounds = [undefined, 0, 1, 2, 4, 5, 6, 100, -1, -2, -5, -6, -100];
      for (const start of bounds) {
        for (const end of bounds) {
          expect(await kv.range("q", start, end)).toStrictEqual(elements.slice(start, end));
        }
      }
      expect(await kv.range("absent", 0, 10)).toStrictEqual([]);
      expect(await kv.range("absent", -3)).toStrictEqual([]);
    },

    "elements are copies of what was passed": async ({ kv, expect }) => {
      const element = { list: [1] };
      await kv.append("q", element);
      element.list.push(2);
      const [read] = await kv.range<{ list: number[] }>("q");
      read?.list.push(3);
      expect(await kv.range("q")).toStrictEqual([{ list: [1] }]);
      await refusal(
        kv.append("q", () => 1),
        "SerializerError",
      );
      await refusal(kv.prepend("new", 1n), "SerializerError");
      expect(await kv.length("q")).toBe(1);
      expect(await kv.exists("new")).toBe(false);
    },

    "deleteArray removes an array of any length and tells whether it was there": async ({
      kv,
      expect,
    }) => {
      await fill(kv, "short", [1, 2]);
      await atOnce(300, (index) => kv.append("long", index));
      expect(await kv.deleteArray("short")).toBe(true);
      expect(await kv.deleteArray("short")).toBe(false);
      expect(await kv.deleteArray("long")).toBe(true);
      expect(await kv.exists("long")).toBe(false);
      expect(await kv.append("long", "new")).toBe(1);
      expect(await kv.range("long")).toStrictEqual(["new"]);
    },

    "listArrays names arrays in key order, by prefix and up to a limit": async ({ kv, expect }) => {
      await kv.setMany({ "a:value": 1, z: 2 });
      for (const key of ["a:\u{1f642}", "b", "a:\uffff", "a:1"]) await fill(kv, key, [1]);
      const inA = ["a:1", "a:\uffff", "a:\u{1f642}"];
      expect(await kv.listArrays()).toStrictEqual([...inA, "b"]);
      expect(await kv.listArrays({ prefix: "a:" })).toStrictEqual(inA);
      expect(await kv.listArrays({ prefix: "a:", limit: 2 })).toStrictEqual(inA.slice(0, 2));
      expect(await kv.listArrays({ limit: 0 })).toHaveLength(4);
      expect(await kv.listArrays({ prefix: "c" })).toStrictEqual([]);
    },

    "elements popped by many at once reach one each": async ({ kv, expect }) => {
      await atOnce(20, (index) => kv.append("q", index));
      const popped = await atOnce(30, (index) => (index % 2 ? kv.pop("q") : kv.popFirst("q")));
      const elements = popped.filter((element) => element !== null).map(Number);
      const all = Array.from({ length: 20 }, (_, index) => index);
      expect(elements.toSorted((a, b) => a - b)).toStrictEqual(all);
    },

    "arrays of different keys do not touch each other": async ({ kv, expect }) => {
      await fill(kv, "a", [1, 2]);
      await fill(kv, "b", [3]);
      await kv.deleteArray("a");
      await fill(kv, "c", [4]);
      await fill(kv, "a", [5]);
      expect(await kv.range("b")).toStrictEqual([3]);
      expect(await kv.range("c")).toStrictEqual([4]);
      expect(await kv.range("a")).toStrictEqual([5]);
    },
  },
};

type Operation = (kv: Kv) => Promise<unknown>;

const valueOperations: Readonly<Record<string, Operation>> = {
  get: (kv) => kv.get("key"),
  find: (kv) => kv.find("key"),
  getMany: (kv) => kv.getMany(["other", "key"]),
  set: (kv) => kv.set("key", 1),
  setMany: (kv) => kv.setMany({ other: 1, key: 1 }),
  delete: (kv) => kv.delete("key"),
  deleteIfExists: (kv) => kv.deleteIfExists("key"),
  deleteMany: (kv) => kv.deleteMany(["key"]),
  fetchRemove: (kv) => kv.fetchRemove("key"),
  incrementBy: (kv) => kv.incrementBy("key", 1),
  getOrSet: (kv) => kv.getOrSet("key", 1),
  swap: (kv) => kv.swap("key", 1),
  compareAndSwap: (kv) => kv.compareAndSwap("key", null, 1),
  compareAndSwapDetailed: (kv) => kv.compareAndSwapDetailed("key", 1, 2),
  setIfAbsent: (kv) => kv.setIfAbsent("key", 1),
  compareAndDelete: (kv) => kv.compareAndDelete("key", 1),
  compareAndDeleteDetailed: (kv) => kv.compareAndDeleteDetailed("key", 1),
};

const arrayOperations: Readonly<Record<string, Operation>> = {
  append: (kv) => kv.append("key", 1),
  prepend: (kv) => kv.prepend("key", 1),
  pop: (kv) => kv.pop("key"),
  popFirst: (kv) => kv.popFirst("key"),
  popWait: (kv) => kv.popWait("key"),
  popFirstWait: (kv) => kv.popFirstWait("key", { timeout: 0 }),
  length: (kv) => kv.length("key"),
  range: (kv) => kv.range("key"),
  deleteArray: (kv) => kv.deleteArray("key"),
};

const refusedOfArray =
  (call: Operation): Case =>
  async ({ kv, expect }) => {
    await fill(kv, "key", [1, 2]);
    const error = await refusal(call(kv), "WrongTypeError");
    expect(error.key).toBe("key");
    expect(error.code).toBe("ANYKV_WRONG_TYPE");
    expect(await kv.range("key")).toStrictEqual([1, 2]);
    expect(await kv.size()).toBe(0);
  };

const refusedOfValue =
  (call: Operation): Case =>
  async ({ kv, expect }) => {
    await kv.set("key", [1, 2]);
    const error = await refusal(call(kv), "WrongTypeError");
    expect(error.key).toBe("key");
    expect(await kv.get("key")).toStrictEqual([1, 2]);
    expect(await kv.listArrays()).toStrictEqual([]);
  };

export const typeFamily: Family = {
  title: "values and arrays are different",
  onePartition: ["setMany of an array rejects with WrongTypeError and changes nothing"],
  cases: {
    ...casesOf(
      valueOperations,
      (name) => `${name} of an array rejects with WrongTypeError and changes nothing`,
      refusedOfArray,
    ),
    ...casesOf(
      arrayOperations,
      (name) => `${name} of a value rejects with WrongTypeError and changes nothing`,
      refusedOfValue,
    ),

    "queries over values do not see arrays": async ({ kv, expect }) => {
      await kv.set("a:value", 1);
      await fill(kv, "a:array", [1, 2, 3]);
      expect(await kv.listKeys()).toStrictEqual(["a:value"]);
      expect((await kv.scan({ prefix: "a:" })).entries).toHaveLength(1);
      expect(await kv.size()).toBe(1);
      expect(await kv.count({ prefix: "a:" })).toBe(1);
      expect(await kv.stats()).toMatchObject({ count: 1 });
      expect((await kv.allocationStats()).total).toBe(1);
    },

    "exists, expire, ttl and persist see arrays": async ({ kv, expect }) => {
      await fill(kv, "q", [1]);
      expect(await kv.exists("q")).toBe(true);
      expect(await kv.ttl("q")).toBeNull();
      expect(await kv.persist("q")).toBe(false);
      expect(await kv.expire("q", 60_000)).toBe(true);
      expect(await kv.ttl("q")).toBeGreaterThan(0);
      expect(await kv.persist("q")).toBe(true);
      expect(await kv.ttl("q")).toBeNull();
      expect(await kv.range("q")).toStrictEqual([1]);
    },
  },
};
