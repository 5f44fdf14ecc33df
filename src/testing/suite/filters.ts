// Filters: exact sets of items, by bucket.

import { atOnce, type Family, numberedKeys, refusal } from "./suite-case.js";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

export const filterFamily: Family = {
  title: "filters",
  cases: {
    "add, contains and delete tell what was there": async ({ kv, expect }) => {
      const filter = kv.filter("seen");
      expect(await filter.contains("a")).toBe(false);
      expect(await filter.add("a")).toBe(true);
      expect(await filter.add("a")).toBe(false);
      expect(await filter.contains("a")).toBe(true);
      expect(await filter.contains("b")).toBe(false);
      expect(await filter.delete("a")).toBe(true);
      expect(await filter.delete("a")).toBe(false);
      expect(await filter.contains("a")).toBe(false);
    },

    "checkThenAdd tells whether the item was there, and adds it": async ({ kv, expect }) => {
      const filter = kv.filter("seen");
      expect(await filter.checkThenAdd("a")).toBe(false);
      expect(await filter.checkThenAdd("a")).toBe(true);
      expect(await filter.contains("a")).toBe(true);
    },

    "checkThenAdd of many at once lets one through": async ({ kv, expect }) => {
      const filter = kv.filter("seen");
      const seen = await atOnce(32, () => filter.checkThenAdd("a"));
      expect(seen.filter((before) => !before)).toHaveLength(1);
      const added = await atOnce(32, () => filter.add("b"));
      expect(added.filter((fresh) => fresh)).toHaveLength(1);
    },

    "size counts the items of the bucket, and clear removes them": async ({ kv, expect }) => {
      const [one, two] = [kv.filter("one"), kv.filter("two")];
      for (const item of numberedKeys("", 1_500)) await one.add(item);
      await two.add("0000");
      expect(await one.size()).toBe(1_500);
      expect(await one.clear()).toBe(true);
      expect(await one.size()).toBe(0);
      expect(await one.contains("0000")).toBe(false);
      expect(await two.size()).toBe(1);
      expect(await one.clear()).toBe(true);
    },

    "buckets are apart from each other, whatever their names and items": async ({ kv, expect }) => {
      const names = ["a", "a:", "a:b", "ab", "1:a", ":", "t", "\u{1f642}", "__proto__"];
      for (const name of names) {
        const filter = kv.filter(name);
        for (const item of names) expect(await filter.contains(item)).toBe(false);
        await filter.add(`${name}:${name}`);
        expect(await filter.size()).toBe(1);
      }
      await kv.filter("a").clear();
      expect(await kv.filter("a").size()).toBe(0);
      for (const name of names.slice(1)) expect(await kv.filter(name).size()).toBe(1);
      expect(await kv.filter("a").contains("b:a:b")).toBe(false);
    },

    "buckets are apart from the keys of the store": async ({ kv, expect }) => {
      await kv.filter("bucket").add("item");
      expect(await kv.size()).toBe(0);
      expect(await kv.listKeys()).toStrictEqual([]);
      expect(await kv.exists("bucket")).toBe(false);
      await kv.set("bucket", 1);
      await kv.delete("bucket");
      expect(await kv.filter("bucket").contains("item")).toBe(true);
    },

    "two filters of one bucket are the same": async ({ kv, store, expect }) => {
      await kv.filter("seen").add("a");
      expect(await kv.filter("seen").contains("a")).toBe(true);
      expect(await store.second().filter("seen").contains("a")).toBe(true);
      expect(kv.filter("seen").bucket).toBe("seen");
    },

    "bytes that are UTF-8 are the same item as their text": async ({ kv, expect }) => {
      const filter = kv.filter("seen");
      await filter.add("мир");
      expect(await filter.contains(new TextEncoder().encode("мир"))).toBe(true);
      await filter.add(bytes(0x41));
      expect(await filter.contains("A")).toBe(true);
      expect(await filter.size()).toBe(2);
    },

    "bytes that are no UTF-8 are items of their own": async ({ kv, expect }) => {
      const filter = kv.filter("seen");
      await filter.add(bytes(0xff));
      expect(await filter.contains(bytes(0xff))).toBe(true);
      expect(await filter.contains(bytes(0xfe))).toBe(false);
      expect(await filter.contains("\ufffd")).toBe(false);
      expect(await filter.contains("/w==")).toBe(false);
      expect(await filter.contains("b/w==")).toBe(false);
      await filter.add("/w==");
      expect(await filter.size()).toBe(2);
      expect(await filter.delete(bytes(0xff))).toBe(true);
      expect(await filter.size()).toBe(1);
    },

    "items and buckets that are empty, too long or no text are refused": async ({ kv, expect }) => {
      const filter = kv.filter("seen");
      const bad = ["", "x".repeat(1025), "é".repeat(513), "\ud800", 5, null, undefined, {}];
      for (const item of bad as never[]) {
        await refusal(filter.add(item), "InvalidOptionsError");
        await refusal(filter.checkThenAdd(item), "InvalidOptionsError");
        await refusal(filter.contains(item), "InvalidOptionsError");
        await refusal(filter.delete(item), "InvalidOptionsError");
      }
      await refusal(filter.add(bytes()), "InvalidOptionsError");
      expect(await filter.add("x".repeat(1024))).toBe(true);
      for (const ttl of [0, -1, 1.5, Number.NaN, "5"]) {
        await refusal(filter.add("a", { ttl: ttl as number }), "InvalidOptionsError");
      }
      expect(await filter.size()).toBe(1);
      expect(await kv.filter("b".repeat(256)).add("x".repeat(1024))).toBe(true);
      for (const bucket of ["", "b".repeat(257), "\ud800", 5, null] as never[]) {
        await refusal((async () => kv.filter(bucket))(), "InvalidOptionsError");
      }
    },
  },
};
