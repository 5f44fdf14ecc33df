// Comparisons: writes and deletions that happen only to the expected value, alone and in crowds.

import { atOnce, type Family, refusal } from "./suite-case.js";

const counted = (results: readonly boolean[]): number => results.filter(Boolean).length;

export const compareAndSwapFamily: Family = {
  title: "compareAndSwap and setIfAbsent",
  cases: {
    "compareAndSwap writes when the value is the expected one, and only then": async ({
      kv,
      expect,
    }) => {
      await kv.set("key", { a: [1] });
      expect(await kv.compareAndSwap("key", { a: [2] }, "wrong")).toBe(false);
      expect(await kv.get("key")).toStrictEqual({ a: [1] });
      expect(await kv.compareAndSwap("key", { a: [1] }, "right")).toBe(true);
      expect(await kv.get("key")).toBe("right");
    },

    "compareAndSwap does not care for the order of properties at any depth": async ({
      kv,
      expect,
    }) => {
      await kv.set("key", { a: 1, b: { c: 2, d: [{ e: 3, f: 4 }] } });
      const same = { b: { d: [{ f: 4, e: 3 }], c: 2 }, a: 1 };
      expect(await kv.compareAndSwap("key", same, 1)).toBe(true);
    },

    "a value that was read and spread is the expected one in the next round": async ({
      kv,
      expect,
    }) => {
      await kv.set("key", { round: 0, name: "x", tags: { b: 1, a: 2 } });
      for (let round = 1; round <= 20; round++) {
        const read = await kv.get<{ round: number }>("key");
        expect(await kv.compareAndSwap("key", read, { ...read, round })).toBe(true);
      }
      expect(await kv.get("key")).toStrictEqual({ round: 20, name: "x", tags: { b: 1, a: 2 } });
    },

    "compareAndSwap tells apart what only looks alike": async ({ kv, expect }) => {
      const pairs: [stored: unknown, expected: unknown][] = [
        [1, "1"],
        [
          [1, 2],
          [2, 1],
        ],
        [[1], [1, 2]],
        [[], {}],
        [{ a: 1 }, { a: 1, b: 2 }],
        [{ a: null }, {}],
        [{ a: 1 }, { b: 1 }],
        ["", 0],
        [0, false],
        ["null", { null: null }],
        [JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":2}')],
        [JSON.parse('{"__proto__":{}}'), {}],
      ];
      for (const [stored, expected] of pairs) {
        await kv.set("key", stored);
        expect(await kv.compareAndSwap("key", expected, "wrong")).toBe(false);
        await kv.set("key", expected);
        expect(await kv.compareAndSwap("key", stored, "wrong")).toBe(false);
      }
    },

    "compareAndSwap that expects null or undefined wants the key to be absent": async ({
      kv,
      expect,
    }) => {
      expect(await kv.compareAndSwap("a", null, 1)).toBe(true);
      expect(await kv.compareAndSwap("b", undefined, 1)).toBe(true);
      expect(await kv.compareAndSwap("a", null, 2)).toBe(false);
      expect(await kv.get("a")).toBe(1);
      expect(await kv.compareAndSwap("absent", 1, 2)).toBe(false);
      expect(await kv.exists("absent")).toBe(false);
    },

    "compareAndSwap never matches a stored null": async ({ kv, expect }) => {
      await kv.set("key", null);
      expect(await kv.compareAndSwap("key", null, 1)).toBe(false);
      const result = await kv.compareAndSwapDetailed("key", undefined, 1);
      expect(result).toStrictEqual({ swapped: false, reason: "mismatch", existed: true });
      expect(await kv.get("key")).toBeNull();
    },

    "compareAndSwap with a new value of null stores null": async ({ kv, expect }) => {
      await kv.set("key", 1);
      expect(await kv.compareAndSwap("key", 1, null)).toBe(true);
      expect(await kv.exists("key")).toBe(true);
      expect(await kv.get("key")).toBeNull();
    },

    "compareAndSwap refuses a cyclic value on either side": async ({ kv, expect }) => {
      const cyclic: Record<string, unknown> = {};
      cyclic.self = cyclic;
      await kv.set("key", 1);
      await refusal(kv.compareAndSwap("key", 1, cyclic), "SerializerError");
      await refusal(kv.compareAndSwap("key", cyclic, 1), "SerializerError");
      expect(await kv.get("key")).toBe(1);
    },

    "compareAndSwap finds a counter by its number": async ({ kv, expect }) => {
      await kv.incrementBy("key", 5);
      expect(await kv.compareAndSwap("key", 5, 6)).toBe(true);
      expect(await kv.incrementBy("key", 1)).toBe(7);
    },

    "compareAndSwap of many at once has one winner": async ({ kv, expect }) => {
      await kv.set("key", "start");
      const won = await atOnce(32, (index) => kv.compareAndSwap("key", "start", index));
      expect(counted(won)).toBe(1);
      expect(await kv.get("key")).toBe(won.indexOf(true));
    },

    "setIfAbsent writes a missing key only": async ({ kv, expect }) => {
      expect(await kv.setIfAbsent("key", 1)).toBe(true);
      expect(await kv.setIfAbsent("key", 2)).toBe(false);
      expect(await kv.get("key")).toBe(1);
      await kv.set("null", null);
      expect(await kv.setIfAbsent("null", 1)).toBe(false);
    },

    "setIfAbsent of many at once has one winner": async ({ kv, expect }) => {
      const won = await atOnce(32, (index) => kv.setIfAbsent("key", index));
      expect(counted(won)).toBe(1);
      expect(await kv.get("key")).toBe(won.indexOf(true));
    },
  },
};

const withCurrent = { includeCurrentOnMismatch: true };

export const detailedFamily: Family = {
  title: "compareAndSwapDetailed and compareAndDeleteDetailed",
  cases: {
    "compareAndSwapDetailed that swaps resolves with exactly two fields": async ({
      kv,
      expect,
    }) => {
      const created = await kv.compareAndSwapDetailed("key", null, 1, withCurrent);
      expect(created).toStrictEqual({ swapped: true, reason: "swapped" });
      const swapped = await kv.compareAndSwapDetailed("key", 1, 2, withCurrent);
      expect(swapped).toStrictEqual({ swapped: true, reason: "swapped" });
      expect(Object.keys(swapped)).toHaveLength(2);
      expect(await kv.get("key")).toBe(2);
    },

    "compareAndSwapDetailed that does not swap tells whether the key existed": async ({
      kv,
      expect,
    }) => {
      await kv.set("key", 1);
      const mismatch = await kv.compareAndSwapDetailed("key", 2, 3);
      expect(mismatch).toStrictEqual({ swapped: false, reason: "mismatch", existed: true });
      expect(Object.keys(mismatch)).toHaveLength(3);
      const absent = await kv.compareAndSwapDetailed("absent", 2, 3, withCurrent);
      expect(absent).toStrictEqual({ swapped: false, reason: "mismatch", existed: false });
      expect(await kv.listKeys()).toStrictEqual(["key"]);
    },

    "compareAndSwapDetailed adds the current value when asked, a stored null too": async ({
      kv,
      expect,
    }) => {
      await kv.setMany({ key: { a: 1 }, null: null });
      const mismatch = await kv.compareAndSwapDetailed("key", 2, 3, withCurrent);
      const { swapped, reason, existed, current } = mismatch as Record<string, unknown>;
      expect({ swapped, reason, existed }).toStrictEqual({
        swapped: false,
        reason: "mismatch",
        existed: true,
      });
      expect(current).toStrictEqual({ a: 1 });
      expect(Object.keys(mismatch)).toHaveLength(4);
      const ofNull = await kv.compareAndSwapDetailed("null", 2, 3, withCurrent);
      expect(Object.keys(ofNull)).toHaveLength(4);
      expect(ofNull).toMatchObject({ existed: true, current: null });
      const without = await kv.compareAndSwapDetailed("key", 2, 3, {});
      expect(Object.keys(without)).toHaveLength(3);
    },

    "compareAndDeleteDetailed that deletes resolves with exactly two fields": async ({
      kv,
      expect,
    }) => {
      await kv.set("key", { a: 1 });
      const deleted = await kv.compareAndDeleteDetailed("key", { a: 1 }, withCurrent);
      expect(deleted).toStrictEqual({ deleted: true, reason: "deleted" });
      expect(Object.keys(deleted)).toHaveLength(2);
      expect(await kv.exists("key")).toBe(false);
    },

    "compareAndDeleteDetailed that does not delete has the shape of a mismatch": async ({
      kv,
      expect,
    }) => {
      await kv.set("key", 1);
      const mismatch = { deleted: false, reason: "mismatch", existed: true };
      expect(await kv.compareAndDeleteDetailed("key", 2)).toStrictEqual(mismatch);
      const current = await kv.compareAndDeleteDetailed("key", 2, withCurrent);
      expect(current).toStrictEqual({ ...mismatch, current: 1 });
      expect(await kv.compareAndDeleteDetailed("absent", 2, withCurrent)).toStrictEqual({
        ...mismatch,
        existed: false,
      });
      expect(await kv.get("key")).toBe(1);
    },
  },
};

export const compareAndDeleteFamily: Family = {
  title: "compareAndDelete and deleteIfExists",
  cases: {
    "compareAndDelete deletes when the value is the expected one, and only then": async ({
      kv,
      expect,
    }) => {
      await kv.set("key", { a: 1, b: 2 });
      expect(await kv.compareAndDelete("key", { a: 1 })).toBe(false);
      expect(await kv.exists("key")).toBe(true);
      expect(await kv.compareAndDelete("key", { b: 2, a: 1 })).toBe(true);
      expect(await kv.exists("key")).toBe(false);
      expect(await kv.compareAndDelete("key", { b: 2, a: 1 })).toBe(false);
    },

    "compareAndDelete that expects null or undefined deletes a stored null": async ({
      kv,
      expect,
    }) => {
      await kv.setMany({ a: null, b: null, c: 1 });
      expect(await kv.compareAndDelete("a", null)).toBe(true);
      expect(await kv.compareAndDelete("b", undefined)).toBe(true);
      expect(await kv.compareAndDelete("c", null)).toBe(false);
      expect(await kv.compareAndDelete("absent", null)).toBe(false);
      const absent = await kv.compareAndDeleteDetailed("absent", null);
      expect(absent).toMatchObject({ existed: false });
      expect(await kv.listKeys()).toStrictEqual(["c"]);
    },

    "compareAndDelete refuses an expectation that cannot be stored": async ({ kv, expect }) => {
      await kv.set("key", 1);
      await refusal(
        kv.compareAndDelete("key", () => 1),
        "SerializerError",
      );
      expect(await kv.exists("key")).toBe(true);
    },

    "compareAndDelete of many at once has one winner": async ({ kv, expect }) => {
      await kv.set("key", 1);
      expect(counted(await atOnce(32, () => kv.compareAndDelete("key", 1)))).toBe(1);
    },

    "deleteIfExists of twelve at once has one winner": async ({ kv, expect }) => {
      await kv.set("key", 1);
      expect(counted(await atOnce(12, () => kv.deleteIfExists("key")))).toBe(1);
    },

    "fetchRemove of many at once hands the value to one": async ({ kv, expect }) => {
      await kv.set("key", "value");
      const fetched = await atOnce(12, () => kv.fetchRemove("key"));
      expect(fetched.filter((value) => value === "value")).toHaveLength(1);
      expect(fetched.filter((value) => value === null)).toHaveLength(11);
    },
  },
};
