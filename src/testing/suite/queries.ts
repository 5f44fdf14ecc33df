// Queries: order, prefixes, pages and cursors.

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

export const pageFamily: Family = {
  title: "pages and cursors",
  cases: {
    "pages have exactly their three fields and entries their two": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ["a", "b"]);
      const page = await kv.scan();
      expect(page).toStrictEqual({
        entries: [
          { key: "a", value: 0 },
          { key: "b", value: 1 },
        ],
        cursor: "",
        done: true,
      });
      expect(await kv.scanKeys()).toStrictEqual({ keys: ["a", "b"], cursor: "", done: true });
      expect(Object.keys(page)).toHaveLength(3);
    },

    "paging visits every key once, in order": async (setting) => {
      const { kv, expect } = setting;
      const keys = numberedKeys("k:", 103);
      await setAll(setting, [...keys, "j", "l"]);
      for (const limit of [1, 2, 10, 50, 102, 103, 104]) {
        const seen: string[] = [];
        let pages = 0;
        for (let cursor = "", done = false; !done; pages++) {
          const page = await kv.scan({ prefix: "k:", limit, cursor });
          expect(page.done).toBe(page.cursor === "");
          seen.push(...page.entries.map(({ key }) => key));
          ({ cursor, done } = page);
        }
        expect(seen).toStrictEqual(keys);
        expect(pages).toBe(Math.ceil(keys.length / limit));
      }
    },

    "an exactly full last page is done at once": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ["p1", "p2", "p3", "p4", "q"]);
      const first = await kv.scanKeys({ prefix: "p", limit: 2 });
      expect(first.done).toBe(false);
      expect(first.cursor).not.toBe("");
      const last = await kv.scanKeys({ prefix: "p", limit: 2, cursor: first.cursor });
      expect(last).toStrictEqual({ keys: ["p3", "p4"], cursor: "", done: true });
    },

    "a page of an empty store is empty and done": async ({ kv, expect }) => {
      expect(await kv.scan({ limit: 5 })).toStrictEqual({ entries: [], cursor: "", done: true });
      expect(await kv.scanKeys({ prefix: "x" })).toStrictEqual({
        keys: [],
        cursor: "",
        done: true,
      });
    },

    "a limit of 0 or less takes everything in one page": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ["a", "b", "c"]);
      const { cursor } = await kv.scanKeys({ limit: 1 });
      for (const limit of [0, -5, undefined]) {
        expect(await kv.scanKeys({ limit })).toMatchObject({ keys: ["a", "b", "c"], done: true });
        expect(await kv.scanKeys({ limit, cursor })).toMatchObject({
          keys: ["b", "c"],
          done: true,
        });
      }
    },

    "cursors of scan and scanKeys are interchangeable": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ["a", "b", "c", "d"]);
      const entries = await kv.scan({ limit: 2 });
      const keys = await kv.scanKeys({ limit: 2 });
      expect(entries.cursor).toBe(keys.cursor);
      expect((await kv.scanKeys({ cursor: entries.cursor })).keys).toStrictEqual(["c", "d"]);
      expect((await kv.scan({ cursor: keys.cursor })).entries).toHaveLength(2);
    },

    "a cursor survives the deletion of its key": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ["a", "b", "c", "d"]);
      const { cursor } = await kv.scanKeys({ limit: 2 });
      await kv.delete("b");
      expect((await kv.scanKeys({ cursor })).keys).toStrictEqual(["c", "d"]);
      await kv.deleteMany(["a", "c", "d"]);
      expect(await kv.scanKeys({ cursor })).toStrictEqual({ keys: [], cursor: "", done: true });
    },

    "a page sees keys inserted after its cursor and none before": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ["b", "d"]);
      const { cursor } = await kv.scanKeys({ limit: 1 });
      await setAll(setting, ["a", "b\u0000", "c", "e"]);
      expect((await kv.scanKeys({ cursor })).keys).toStrictEqual(["b\u0000", "c", "d", "e"]);
    },

    "a cursor may be used by many calls at once": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ["a", "b", "c"]);
      const { cursor } = await kv.scanKeys({ limit: 1 });
      const calls = Array.from({ length: 10 }, () => kv.scanKeys({ cursor, limit: 1 }));
      for (const page of await Promise.all(calls)) expect(page.keys).toStrictEqual(["b"]);
    },

    "a cursor goes with another prefix: from before it starts there, from after it is done": async (
      setting,
    ) => {
      const { kv, expect } = setting;
      await setAll(setting, ["a1", "a2", "b1", "b2", "c1", "c2"]);
      const early = await kv.scanKeys({ prefix: "a", limit: 1 });
      const late = await kv.scanKeys({ prefix: "c", limit: 1 });
      const fromEarly = await kv.scanKeys({ prefix: "b", cursor: early.cursor });
      expect(fromEarly).toStrictEqual({ keys: ["b1", "b2"], cursor: "", done: true });
      const fromLate = await kv.scan({ prefix: "b", cursor: late.cursor });
      expect(fromLate).toStrictEqual({ entries: [], cursor: "", done: true });
    },

    "a cursor that no page returned is refused": async ({ kv }) => {
      for (const cursor of ["bad", "%%%not-base64-cursor%%%", "====", "YQ", "/w==", "YQ==\n"]) {
        await refusal(kv.scan({ cursor }), "InvalidCursorError");
        await refusal(kv.scanKeys({ cursor, limit: 2 }), "InvalidCursorError");
      }
      for (const cursor of [5, {}, true, ["YQ=="]]) {
        await refusal(kv.scan({ cursor: cursor as never }), "InvalidOptionsError");
        await refusal(kv.scanKeys({ cursor: cursor as never }), "InvalidOptionsError");
      }
    },

    "an empty or absent cursor starts over": async (setting) => {
      const { kv, expect } = setting;
      await setAll(setting, ["a", "b"]);
      for (const cursor of ["", undefined, null as never]) {
        expect((await kv.scanKeys({ cursor })).keys).toStrictEqual(["a", "b"]);
      }
    },
  },
};

export const cursorReopenFamily: Family = {
  title: "cursors after a restart",
  needs: "reopen",
  cases: {
    "a cursor is good after the store was closed and opened again": async (setting) => {
      const { kv, store, expect } = setting;
      await setAll(setting, ["a", "b", "c"]);
      const { cursor } = await kv.scanKeys({ limit: 1 });
      const again = await store.reopen?.();
      expect((await again?.scanKeys({ cursor }))?.keys).toStrictEqual(["b", "c"]);
    },
  },
};
