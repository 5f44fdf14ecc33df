// Batches: many keys in one call, all of them or none.

import { atOnce, type Family, numberedEntries, refusal } from "./suite-case.js";

export const getManyFamily: Family = {
  title: "getMany",
  cases: {
    "getMany answers in the order of its keys, repeated ones and all": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: [2] });
      expect(await kv.getMany(["b", "a", "b"])).toStrictEqual([
        { key: "b", exists: true, value: [2] },
        { key: "a", exists: true, value: 1 },
        { key: "b", exists: true, value: [2] },
      ]);
    },

    "getMany tells a missing key from a stored null, and both have a value property": async ({
      kv,
      expect,
    }) => {
      await kv.set("null", null);
      const items = await kv.getMany(["absent", "null", ""]);
      expect(items).toStrictEqual([
        { key: "absent", exists: false, value: null },
        { key: "null", exists: true, value: null },
        { key: "", exists: false, value: null },
      ]);
      for (const item of items) {
        expect(Object.keys(item).toSorted()).toStrictEqual(["exists", "key", "value"]);
      }
    },

    "getMany of no keys is an empty array": async ({ kv, expect }) => {
      expect(await kv.getMany([])).toStrictEqual([]);
    },

    "repeated items of getMany are copies of their own": async ({ kv, expect }) => {
      await kv.set("a", { list: [1] });
      const [first, second] = await kv.getMany<{ list: number[] }>(["a", "a"]);
      first?.value?.list.push(2);
      expect(second?.value).toStrictEqual({ list: [1] });
    },

    "getMany sees a batch entirely or not at all": async ({ kv, expect }) => {
      const keys = ["a", "b", "c", "d"];
      await kv.setMany({ a: -1, b: -1, c: -1, d: -1 });
      const seen = await atOnce(20, async (round) => {
        if (round % 2 === 0) await kv.setMany({ a: round, b: round, c: round, d: round });
        return kv.getMany(keys);
      });
      for (const items of seen) expect(new Set(items.map(({ value }) => value)).size).toBe(1);
    },
  },
};

export const setManyFamily: Family = {
  title: "setMany",
  onePartition: ["setMany that meets an array writes nothing"],
  cases: {
    "setMany writes all entries and resolves with exactly their number": async ({ kv, expect }) => {
      await kv.set("a", "old");
      const result = await kv.setMany({ a: 1, b: null, c: { d: [2] } });
      expect(result).toStrictEqual({ written: 3 });
      expect(Object.keys(result)).toHaveLength(1);
      expect(await kv.list()).toStrictEqual([
        { key: "a", value: 1 },
        { key: "b", value: null },
        { key: "c", value: { d: [2] } },
      ]);
    },

    "setMany of no entries writes nothing": async ({ kv, expect }) => {
      expect(await kv.setMany({})).toStrictEqual({ written: 0 });
      expect(await kv.size()).toBe(0);
    },

    "setMany takes objects without a prototype and a key named __proto__": async ({
      kv,
      expect,
    }) => {
      const entries = JSON.parse('{"__proto__":{"x":1},"b":2}') as Record<string, unknown>;
      expect(await kv.setMany(entries)).toStrictEqual({ written: 2 });
      expect(await kv.get("__proto__")).toStrictEqual({ x: 1 });
      const bare = Object.assign(Object.create(null) as Record<string, unknown>, { c: 3 });
      expect(await kv.setMany(bare)).toStrictEqual({ written: 1 });
      expect(await kv.listKeys()).toStrictEqual(["__proto__", "b", "c"]);
    },

    "setMany with one bad value writes nothing and tells which entry was bad": async ({
      kv,
      expect,
    }) => {
      const error = await refusal(kv.setMany({ good: 1, bad: () => 1 }), "InvalidOptionsError");
      expect(error.message).toBe("setMany validation failed: 1 invalid entry");
      expect(error.errors).toHaveLength(1);
      expect(error.errors?.[0]).toMatchObject({ key: "bad", name: "SerializerError" });
      expect(Object.keys(error.errors?.[0] ?? {}).toSorted()).toStrictEqual([
        "key",
        "message",
        "name",
      ]);
      expect(await kv.size()).toBe(0);
    },

    "setMany lists all bad values in key order": async ({ kv, expect }) => {
      const bad = { "\u{1f642}": 1n, z: Number.NaN, "\uffff": () => 1, good: 1, a: Symbol("s") };
      const error = await refusal(kv.setMany(bad), "InvalidOptionsError");
      expect(error.message).toBe("setMany validation failed: 4 invalid entries");
      expect(error.errors?.map(({ key }) => key)).toStrictEqual(["a", "z", "\uffff", "\u{1f642}"]);
      expect(await kv.size()).toBe(0);
    },

    "setMany reports an empty key alone, before it looks at values": async ({ kv, expect }) => {
      const error = await refusal(kv.setMany({ "": 1, bad: 1n, ok: 2 }), "InvalidOptionsError");
      expect(error.message).toBe("setMany validation failed: 1 invalid entry");
      expect(error.errors).toHaveLength(1);
      expect(error.errors?.[0]).toMatchObject({ key: "", name: "EmptyKey" });
      expect(await kv.size()).toBe(0);
    },

    "setMany of anything but a plain object is one InvalidEntries without a key": async ({
      kv,
      expect,
    }) => {
      for (const entries of [null, undefined, [], [["a", 1]], "a", 5, new Map([["a", 1]])]) {
        const error = await refusal(kv.setMany(entries as never), "InvalidOptionsError");
        expect(error.errors).toHaveLength(1);
        expect(error.errors?.[0]?.name).toBe("InvalidEntries");
        expect("key" in (error.errors?.[0] ?? {})).toBe(false);
      }
      expect(await kv.size()).toBe(0);
    },

    "setMany that meets an array writes nothing": async ({ kv, expect }) => {
      await kv.append("m", 1);
      await kv.set("a", "old");
      await refusal(kv.setMany({ a: 1, m: 2, z: 3 }), "WrongTypeError");
      expect(await kv.list()).toStrictEqual([{ key: "a", value: "old" }]);
      expect(await kv.range("m")).toStrictEqual([1]);
    },

    "setMany takes thousands of entries": async ({ kv, expect }) => {
      expect(await kv.setMany(numberedEntries("key:", 5_000))).toStrictEqual({ written: 5_000 });
      expect(await kv.count({ prefix: "key:" })).toBe(5_000);
      expect(await kv.get("key:4999")).toBe(4_999);
    },
  },
};

export const deleteManyFamily: Family = {
  title: "deleteMany and deleteByPrefix",
  onePartition: ["deleteMany that meets an array deletes nothing"],
  cases: {
    "deleteMany counts a repeated key once as deleted and then as missing": async ({
      kv,
      expect,
    }) => {
      await kv.setMany({ a: 1, b: null, c: 3 });
      const result = await kv.deleteMany(["a", "missing", "b", "a"]);
      expect(result).toStrictEqual({ deleted: 2, missing: 2 });
      expect(await kv.listKeys()).toStrictEqual(["c"]);
    },

    "deleteMany of no keys deletes nothing": async ({ kv, expect }) => {
      expect(await kv.deleteMany([])).toStrictEqual({ deleted: 0, missing: 0 });
    },

    "deleteMany with a bad key deletes nothing": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2 });
      for (const bad of ["", 5, null, undefined, ["a"]]) {
        await refusal(kv.deleteMany(["a", bad as string]), "InvalidOptionsError");
      }
      await refusal(kv.deleteMany("ab" as never), "InvalidOptionsError");
      expect(await kv.size()).toBe(2);
    },

    "deleteMany that meets an array deletes nothing": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, z: 2 });
      await kv.append("m", 1);
      await refusal(kv.deleteMany(["a", "m", "z"]), "WrongTypeError");
      expect(await kv.size()).toBe(2);
      expect(await kv.length("m")).toBe(1);
    },

    "deleteByPrefix deletes the first keys of its prefix and tells whether any are left": async ({
      kv,
      expect,
    }) => {
      await kv.setMany({ "p:1": 1, "p:2": 2, "p:3": 3, "p;": 4, p: 5, o: 6, q: 7 });
      const options = { prefix: "p:", limit: 2 };
      const first = await kv.deleteByPrefix(options);
      expect(first).toStrictEqual({ deleted: 2, done: false });
      expect(await kv.listKeys()).toStrictEqual(["o", "p", "p:3", "p;", "q"]);
      expect(await kv.deleteByPrefix(options)).toStrictEqual({ deleted: 1, done: true });
      expect(await kv.deleteByPrefix(options)).toStrictEqual({ deleted: 0, done: true });
      expect(await kv.listKeys()).toStrictEqual(["o", "p", "p;", "q"]);
    },

    "deleteByPrefix is done when its limit is just enough": async ({ kv, expect }) => {
      await kv.setMany({ "p:1": 1, "p:2": 2 });
      const result = await kv.deleteByPrefix({ prefix: "p:", limit: 2 });
      expect(result).toStrictEqual({ deleted: 2, done: true });
    },

    "deleteByPrefix goes by the byte order of UTF-8": async ({ kv, expect }) => {
      await kv.setMany({ "p\u{1f642}": 1, "p\uffff": 2, "p~": 3 });
      await kv.deleteByPrefix({ prefix: "p", limit: 2 });
      expect(await kv.listKeys()).toStrictEqual(["p\u{1f642}"]);
    },

    "deleteByPrefix leaves arrays alone": async ({ kv, expect }) => {
      await kv.set("p:1", 1);
      await kv.append("p:2", 1);
      const result = await kv.deleteByPrefix({ prefix: "p:", limit: 10 });
      expect(result).toStrictEqual({ deleted: 1, done: true });
      expect(await kv.length("p:2")).toBe(1);
    },

    "deleteByPrefix requires a prefix and a limit": async ({ kv, expect }) => {
      await kv.set("a", 1);
      const bad = [undefined, {}, { prefix: "a" }, { limit: 1 }, { prefix: "", limit: 1 }];
      const badLimits = [0, -1, 1.5, 100_001].map((limit) => ({ prefix: "a", limit }));
      for (const options of [...bad, ...badLimits]) {
        await refusal(kv.deleteByPrefix(options as never), "InvalidOptionsError");
      }
      expect(await kv.size()).toBe(1);
    },
  },
};
