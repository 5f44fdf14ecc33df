// Random keys: what is chosen, not how evenly (see uniformity.ts).

import { type Family, numberedEntries, numberedKeys, refusal } from "./suite-case.js";

export const randomFamily: Family = {
  title: "random keys",
  cases: {
    'randomKey resolves with a key of the prefix, or with "" when there is none': async ({
      kv,
      expect,
    }) => {
      expect(await kv.randomKey()).toBe("");
      await kv.setMany({ "a:1": 1, "a:2": 2, b: 3 });
      for (let round = 0; round < 20; round++) {
        expect(["a:1", "a:2"]).toContain(await kv.randomKey({ prefix: "a:" }));
        expect(["a:1", "a:2", "b"]).toContain(await kv.randomKey());
      }
      expect(await kv.randomKey({ prefix: "c" })).toBe("");
      expect(await kv.randomKey({ prefix: "" })).not.toBe("");
    },

    "randomKeys resolves with distinct keys, as many as there are": async ({ kv, expect }) => {
      await kv.setMany({ ...numberedEntries("a:", 10), b: 1 });
      for (const [count, wanted] of [
        [1, 1],
        [5, 5],
        [10, 10],
        [11, 10],
        [1_000_000, 10],
      ] as const) {
        const keys = await kv.randomKeys({ prefix: "a:", count });
        expect(keys).toHaveLength(wanted);
        expect(new Set(keys).size).toBe(wanted);
        for (const key of keys) expect(numberedKeys("a:", 10)).toContain(key);
      }
      expect(await kv.randomKeys({ count: 20, unique: true })).toHaveLength(11);
    },

    "randomKeys comes in random order": async ({ kv, expect }) => {
      await kv.setMany(numberedEntries("a:", 50));
      const keys = await kv.randomKeys({ count: 50 });
      expect(keys.toSorted()).toStrictEqual(numberedKeys("a:", 50));
      expect(keys).not.toEqual(numberedKeys("a:", 50));
      expect(keys).not.toEqual(await kv.randomKeys({ count: 50 }));
    },

    "randomKeys with repetition resolves with exactly count keys": async ({ kv, expect }) => {
      await kv.setMany({ "a:1": 1, "a:2": 2, b: 3 });
      const keys = await kv.randomKeys({ prefix: "a:", count: 100, unique: false });
      expect(keys).toHaveLength(100);
      expect([...new Set(keys)].toSorted()).toStrictEqual(["a:1", "a:2"]);
    },

    "randomKeys without a match is an empty array": async ({ kv, expect }) => {
      expect(await kv.randomKeys({ count: 5 })).toStrictEqual([]);
      expect(await kv.randomKeys({ count: 5, unique: false })).toStrictEqual([]);
      await kv.set("a", 1);
      expect(await kv.randomKeys({ count: 5, prefix: "b", unique: false })).toStrictEqual([]);
    },

    "randomKeys requires a count from 1 to 1,000,000": async ({ kv }) => {
      const counts = [0, -1, 1.5, Number.NaN, 1_000_001, "5", undefined].map((count) => ({
        count,
      }));
      for (const options of [undefined, null, ...counts]) {
        await refusal(kv.randomKeys(options as never), "InvalidOptionsError");
      }
    },

    "random keys choose among claimed keys too, and not among arrays": async ({ kv, expect }) => {
      await kv.set("a:1", 1);
      await kv.append("a:2", 1);
      await kv.claimKey("a:1");
      expect(await kv.randomKey()).toBe("a:1");
      expect(await kv.randomKeys({ count: 5 })).toStrictEqual(["a:1"]);
      expect(await kv.randomKeys({ count: 2, unique: false })).toStrictEqual(["a:1", "a:1"]);
    },

    "random keys follow what is written and deleted": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2 });
      await kv.randomKey();
      await kv.delete("a");
      expect(await kv.randomKey()).toBe("b");
      await kv.deleteByPrefix({ prefix: "b", limit: 1 });
      expect(await kv.randomKey()).toBe("");
      await kv.set("c", 1);
      expect(await kv.randomKey()).toBe("c");
      await kv.clear();
      expect(await kv.randomKey()).toBe("");
    },
  },
};
