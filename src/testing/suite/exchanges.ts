// Exchanges: getOrSet and swap, alone and in crowds.

import { atOnce, type Family, refusal } from "./suite-case.js";

const counted = (results: readonly boolean[]): number => results.filter(Boolean).length;

export const exchangeFamily: Family = {
  title: "getOrSet and swap",
  cases: {
    "getOrSet writes a missing key and leaves an existing one": async ({ kv, expect }) => {
      const created = await kv.getOrSet("key", { a: 1 });
      expect(created).toStrictEqual({ value: { a: 1 }, loaded: false });
      const loaded = await kv.getOrSet("key", { a: 2 });
      expect(loaded).toStrictEqual({ value: { a: 1 }, loaded: true });
      expect(Object.keys(loaded)).toHaveLength(2);
      expect(await kv.get("key")).toStrictEqual({ a: 1 });
    },

    "getOrSet loads a stored null": async ({ kv, expect }) => {
      await kv.set("key", null);
      expect(await kv.getOrSet("key", 1)).toStrictEqual({ value: null, loaded: true });
    },

    "getOrSet resolves with what is stored, not with what was passed": async ({ kv, expect }) => {
      const value = { a: 1, gone: undefined };
      const created = await kv.getOrSet("key", value);
      expect(created.value).not.toBe(value);
      expect(created.value).toStrictEqual({ a: 1 });
    },

    "getOrSet refuses a value that cannot be stored even when the key exists": async ({
      kv,
      expect,
    }) => {
      await kv.set("key", 1);
      await refusal(
        kv.getOrSet("key", () => 1),
        "SerializerError",
      );
      expect(await kv.get("key")).toBe(1);
    },

    "getOrSet of many at once writes one value that all of them get": async ({ kv, expect }) => {
      const results = await atOnce(24, (index) => kv.getOrSet("key", index));
      expect(counted(results.map(({ loaded }) => !loaded))).toBe(1);
      const winner = results.find(({ loaded }) => !loaded)?.value;
      for (const { value } of results) expect(value).toBe(winner);
    },

    "swap resolves with the previous value": async ({ kv, expect }) => {
      const first = await kv.swap("key", { a: 1 });
      expect(first).toStrictEqual({ previous: null, loaded: false });
      const second = await kv.swap("key", 2);
      expect(second).toStrictEqual({ previous: { a: 1 }, loaded: true });
      expect(Object.keys(second)).toHaveLength(2);
      expect(await kv.get("key")).toBe(2);
    },

    "swap loads a stored null": async ({ kv, expect }) => {
      await kv.set("key", null);
      expect(await kv.swap("key", 1)).toStrictEqual({ previous: null, loaded: true });
    },

    "swap of many at once creates the key once and loses no value": async ({ kv, expect }) => {
      await kv.set("key", "gone");
      await kv.delete("key");
      const results = await atOnce(24, (index) => kv.swap("key", index));
      expect(counted(results.map(({ loaded }) => !loaded))).toBe(1);
      const seen = [...results.map(({ previous }) => previous), await kv.get("key")];
      const values = seen.filter((value) => value !== null).map(Number);
      const all = Array.from({ length: 24 }, (_, index) => index);
      expect(values.toSorted((a, b) => a - b)).toStrictEqual(all);
    },
  },
};
