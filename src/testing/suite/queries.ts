// Queries: order, prefixes, limits and counts.

import { type Family, numberedEntries, numberedKeys, refusal, type Setting } from "./suite-case.js";

// Ascending bytes of UTF-8. JavaScript's own order puts the emoji before U+E000.
const ordered = [
  ...["\u0000", " ", "A", "Z", "a", "a\u0000", "a ", "aa", "z", "\u007f"],
  ...["\u0080", "é", "\u07ff", "\u0800", "世", "\ud7ff", "\ue000", "\uff5e", "\ufffd", "\uffff"],
  ...["\u{10000}", "\u{1f642}", "\u{1f642}a", "\u{1f643}", "\u{10ffff}"],
];

async function setAll({ kv }: Setting, keys: readonly string[]): Promise<void> {
  await kv.setMany(Object.fromEntries(keys.map((key, index) => [key, index])));
}

export const orderFamily: Family = {
  title: "order and prefixes",
  cases: {
    "keys come in the byte order of UTF-8 from every query": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ordered.toReversed());
      expect(await kv.listKeys()).toStrictEqual(ordered);
      expect((await kv.list()).map(({ key }) => key)).toStrictEqual(ordered);
      expect((await kv.scanKeys()).keys).toStrictEqual(ordered);
      expect((await kv.scan()).entries.map(({ key }) => key)).toStrictEqual(ordered);
    },

    "pages of one keep the byte order of UTF-8": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ordered);
      const seen: string[] = [];
      for (let cursor: string | undefined; cursor !== ""; ) {
        const page = await kv.scanKeys({ limit: 1, cursor });
        seen.push(...page.keys);
        ({ cursor } = page);
      }
      expect(seen).toStrictEqual(ordered);
    },

    "a prefix selects exactly the keys that begin with it": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ordered);
      for (const prefix of [...ordered, "b", "\u{1f600}", "aaa"]) {
        const wanted = ordered.filter((key) => key.startsWith(prefix));
        expect(await kv.listKeys({ prefix })).toStrictEqual(wanted);
        expect(await kv.count({ prefix })).toBe(wanted.length);
        expect((await kv.scanKeys({ prefix })).keys).toStrictEqual(wanted);
        const chosen = await kv.randomKeys({ prefix, count: 100 });
        expect(chosen.toSorted()).toStrictEqual(wanted.toSorted());
      }
    },

    "an empty or absent prefix selects everything": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ["a", "b"]);
      for (const options of [undefined, {}, { prefix: "" }, { prefix: undefined }]) {
        expect(await kv.listKeys(options)).toStrictEqual(["a", "b"]);
        expect(await kv.count(options)).toBe(2);
        expect((await kv.scan(options)).entries).toHaveLength(2);
      }
      expect(await kv.count({ prefix: null as never })).toBe(2);
    },

    "list and listKeys take a limit, and 0 or less means all": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ["a", "b", "c"]);
      expect(await kv.list({ limit: 2 })).toStrictEqual([
        { key: "a", value: 0 },
        { key: "b", value: 1 },
      ]);
      expect(await kv.listKeys({ limit: 1, prefix: "b" })).toStrictEqual(["b"]);
      for (const limit of [0, -1, 3, 4, 250_000, undefined]) {
        expect(await kv.listKeys({ limit })).toStrictEqual(["a", "b", "c"]);
        expect(await kv.list({ limit })).toHaveLength(3);
      }
    },

    "limits above their caps are refused, never cut": async ({ kv }) => {
      await refusal(kv.list({ limit: 250_001 }), "InvalidOptionsError");
      await refusal(kv.listKeys({ limit: 250_001 }), "InvalidOptionsError");
      await refusal(kv.scan({ limit: 100_001 }), "InvalidOptionsError");
      await refusal(kv.scanKeys({ limit: 100_001 }), "InvalidOptionsError");
      await kv.scan({ limit: 100_000 });
      await kv.list({ limit: 250_000 });
    },

    "count sees what was written and deleted since": async ({ kv, expect }) => {
      await kv.setMany(numberedEntries("a:", 100));
      await kv.setMany(numberedEntries("b:", 50));
      expect(await kv.count({ prefix: "a:" })).toBe(100);
      await kv.deleteMany(numberedKeys("a:", 100).slice(10, 40));
      await kv.set("a:new", 1);
      expect(await kv.count({ prefix: "a:" })).toBe(71);
      expect(await kv.count({ prefix: "b:" })).toBe(50);
      expect(await kv.count({ prefix: "c" })).toBe(0);
      expect(await kv.count()).toBe(await kv.size());
    },

    "results of queries are arrays of their own": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ["a", "b"]);
      const lists = [await kv.list(), await kv.listKeys(), (await kv.scan()).entries];
      for (const list of [...lists, (await kv.scanKeys()).keys]) {
        expect(Array.isArray(list)).toBe(true);
        list.length = 0;
      }
      expect(await kv.listKeys()).toStrictEqual(["a", "b"]);
    },
  },
};
