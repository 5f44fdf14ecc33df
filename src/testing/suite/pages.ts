// Pages: scan and scanKeys step by step, and the cursors between the steps.

import { type Family, numberedKeys, refusal, type Setting } from "./suite-case.js";

async function setAll({ kv }: Setting, keys: readonly string[]): Promise<void> {
  await kv.setMany(Object.fromEntries(keys.map((key, index) => [key, index])));
}

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
