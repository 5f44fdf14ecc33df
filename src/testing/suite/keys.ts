// Keys: which there may be, and how they come and go.

import { atOnce, type Family, numberedEntries, refusal } from "./suite-case.js";

export const deletionFamily: Family = {
  title: "deletion and presence",
  cases: {
    "delete resolves with true whether or not the key was there": async ({ kv, expect }) => {
      await kv.set("key", 1);
      expect(await kv.delete("key")).toBe(true);
      expect(await kv.delete("key")).toBe(true);
      expect(await kv.exists("key")).toBe(false);
      await refusal(kv.get("key"), "KeyNotFoundError");
    },

    "delete removes its key and no other": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, ab: 2, b: 3 });
      await kv.delete("a");
      expect(await kv.listKeys()).toStrictEqual(["ab", "b"]);
    },

    "deleteIfExists tells whether the key was there": async ({ kv, expect }) => {
      await kv.set("key", null);
      expect(await kv.deleteIfExists("key")).toBe(true);
      expect(await kv.deleteIfExists("key")).toBe(false);
    },

    "fetchRemove resolves with the value and removes it, and with null when there is none": async ({
      kv,
      expect,
    }) => {
      await kv.set("key", { a: 1 });
      expect(await kv.fetchRemove("key")).toStrictEqual({ a: 1 });
      expect(await kv.exists("key")).toBe(false);
      expect(await kv.fetchRemove("key")).toBeNull();
    },

    "exists tells apart what is there and what is not": async ({ kv, expect }) => {
      await kv.set("key", false);
      expect(await kv.exists("key")).toBe(true);
      expect(await kv.exists("ke")).toBe(false);
      expect(await kv.exists("key2")).toBe(false);
    },

    "size counts the values": async ({ kv, expect }) => {
      expect(await kv.size()).toBe(0);
      await kv.setMany({ a: 1, b: 2 });
      await kv.set("a", 3);
      expect(await kv.size()).toBe(2);
      await kv.delete("a");
      expect(await kv.size()).toBe(1);
    },

    "clear resolves with true and removes values, arrays, claims and filter items": async ({
      kv,
      expect,
    }) => {
      await kv.setMany({ a: 1, b: 2 });
      const claim = await kv.claimKey("a");
      await kv.append("array", 1);
      await kv.filter("bucket").add("item");
      expect(await kv.clear()).toBe(true);
      expect(await kv.size()).toBe(0);
      expect(await kv.list()).toStrictEqual([]);
      expect(await kv.listArrays()).toStrictEqual([]);
      expect(await kv.length("array")).toBe(0);
      expect(await kv.filter("bucket").size()).toBe(0);
      expect((await kv.stats()).claims).toStrictEqual({ live: 0, expired: 0 });
      await kv.setMany({ a: 1, array: 2 });
      expect(claim && (await kv.releaseClaim(claim))).toBe(false);
      expect((await kv.claimKey("a"))?.key).toBe("a");
    },

    "clear among writers leaves a store that agrees with itself": async ({ kv, expect }) => {
      await atOnce(30, async (index) => {
        await kv.set(`key:${index}`, index);
        if (index % 10 === 5) await kv.clear();
        await kv.claimRandom();
      });
      const keys = await kv.listKeys();
      expect(await kv.size()).toBe(keys.length);
      const { total, claimable, claimedLive } = await kv.allocationStats();
      expect([total, claimable + claimedLive]).toStrictEqual([keys.length, keys.length]);
      expect(await kv.claimRandomMany({ count: 100 })).toHaveLength(claimable);
    },

    "after clear only what was written since is chosen, claimed and counted": async ({
      kv,
      expect,
    }) => {
      await kv.setMany(numberedEntries("k:", 10));
      expect(await kv.claimRandomMany({ prefix: "k:", count: 5 })).toHaveLength(5);
      expect(await kv.count({ prefix: "k:" })).toBe(10);
      await kv.clear();
      expect(await kv.claimRandom({ prefix: "k:" })).toBeNull();
      await kv.setMany({ "k:5": 1, "k:7": 2 });
      expect(await kv.count({ prefix: "k:" })).toBe(2);
      const claims = await kv.claimRandomMany({ prefix: "k:", count: 5 });
      expect(claims.map(({ key }) => key).toSorted()).toStrictEqual(["k:5", "k:7"]);
    },

    "tokens of claims go on rising after clear": async ({ kv, expect }) => {
      await kv.set("a", 1);
      const before = await kv.claimKey("a");
      await kv.clear();
      await kv.set("a", 1);
      const after = await kv.claimKey("a");
      expect(after?.token).toBeGreaterThan(before?.token ?? Infinity);
      expect(after?.id).not.toBe(before?.id);
    },
  },
};

const unusualKeys = [
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "length", "0", "-1"],
  ...[
    " ",
    "  ",
    "\n",
    "\u0000",
    "a\u0000b",
    "\ufeff",
    "null",
    "undefined",
    "a b",
    "{}",
    "*",
    "[a]",
  ],
  ...[
    "é",
    "e\u0301",
    "мир",
    "世界",
    "\u{1f642}",
    "\ufffd",
    "\uffff",
    "\u{10ffff}",
    "%",
    "a/b",
    "a:b",
  ],
];

export const keyFamily: Family = {
  title: "keys",
  cases: {
    "any well-formed text is a key of its own, whatever it means elsewhere": async ({
      kv,
      expect,
    }) => {
      for (const key of unusualKeys) expect(await kv.exists(key)).toBe(false);
      for (const key of unusualKeys) await kv.set(key, { of: key });
      expect(await kv.size()).toBe(unusualKeys.length);
      for (const key of unusualKeys) expect(await kv.get(key)).toStrictEqual({ of: key });
      for (const key of unusualKeys) expect(await kv.deleteIfExists(key)).toBe(true);
      expect(await kv.size()).toBe(0);
    },

    "unusual keys can be claimed, counted, scanned and paged": async ({ kv, expect }) => {
      for (const key of unusualKeys) await kv.set(key, 1);
      const seen: string[] = [];
      let cursor = "";
      do {
        const page = await kv.scanKeys({ limit: 3, cursor });
        seen.push(...page.keys);
        ({ cursor } = page);
      } while (cursor !== "");
      expect(seen.toSorted()).toStrictEqual(unusualKeys.toSorted());
      const claims = await kv.claimRandomMany({ count: 100 });
      expect(claims.map(({ key }) => key).toSorted()).toStrictEqual(unusualKeys.toSorted());
      for (const key of unusualKeys) {
        expect(await kv.count({ prefix: key })).toBeGreaterThanOrEqual(1);
      }
    },

    "a key may have 1,024 bytes of UTF-8 and no more": async ({ kv, expect }) => {
      for (const longest of ["x".repeat(1024), "é".repeat(512), "\u{1f642}".repeat(256)]) {
        await kv.set(longest, longest.length);
        expect(await kv.get(longest)).toBe(longest.length);
        expect((await kv.claimKey(longest))?.key).toBe(longest);
        const error = await refusal(kv.set(`${longest}x`, 1), "InvalidOptionsError");
        expect(error.message).toMatch(/1024 bytes/);
      }
      expect(await kv.size()).toBe(3);
      expect((await kv.scanKeys({ limit: 1 })).done).toBe(false);
    },

    "a key must be text that is not empty": async ({ kv, expect }) => {
      const error = await refusal(kv.get(""), "InvalidOptionsError");
      expect(error.message).toMatch(/non-empty/);
      await refusal(kv.set("", 1), "InvalidOptionsError");
      await refusal(kv.get(5 as never), "InvalidOptionsError");
      await refusal(kv.set("\ud800", 1), "InvalidOptionsError");
    },
  },
};
