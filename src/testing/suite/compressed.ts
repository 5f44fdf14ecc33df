// Compressed values: written with `compress: true`, the same as all others to everyone.

import type { Kv } from "../../kv/kv.js";
import { type Family, refusal } from "./suite-case.js";

const large = { title: "a value that repeats itself ".repeat(100), tags: ["a", "b", "😀"] };
const other = { ...large, tags: [] };
const compress = { compress: true } as const;

const writes: Readonly<Record<string, (kv: Kv) => Promise<unknown>>> = {
  set: (kv) => kv.set("key", large, compress),
  setMany: (kv) => kv.setMany({ key: large, tiny: 1 }, compress),
  getOrSet: (kv) => kv.getOrSet("key", large, compress),
  swap: (kv) => kv.swap("key", large, compress),
  setIfAbsent: (kv) => kv.setIfAbsent("key", large, compress),
  compareAndSwap: (kv) => kv.compareAndSwap("key", null, large, compress),
};

export const compressedFamily: Family = {
  title: "compressed values",
  cases: {
    "every operation that writes a value can compress it, and every one reads it": async ({
      kv,
      expect,
    }) => {
      for (const write of Object.values(writes)) {
        await kv.clear();
        await write(kv);
        expect(await kv.get("key")).toStrictEqual(large);
        expect((await kv.getMany(["key"]))[0]).toMatchObject({ value: large });
        expect((await kv.scan({ prefix: "k" })).entries).toStrictEqual([
          { key: "key", value: large },
        ]);
        expect(await kv.fetchRemove("key")).toStrictEqual(large);
      }
    },

    "elements of arrays can be compressed": async ({ kv, expect }) => {
      await kv.append("array", large, compress);
      await kv.prepend("array", other, compress);
      expect(await kv.range("array")).toStrictEqual([other, large]);
      expect(await kv.pop("array")).toStrictEqual(large);
      expect(await kv.popFirst("array")).toStrictEqual(other);
    },

    "comparisons see the value, not how it is kept": async ({ kv, expect }) => {
      await kv.set("key", large, compress);
      expect(await kv.compareAndSwap("key", other, 1)).toBe(false);
      expect(await kv.compareAndSwap("key", large, other)).toBe(true);
      expect(await kv.compareAndDelete("key", large)).toBe(false);
      await kv.set("key", other, compress);
      expect(await kv.compareAndDelete("key", other)).toBe(true);
    },

    "writing a value anew decides anew": async ({ kv, expect }) => {
      await kv.set("key", large, compress);
      expect(await kv.swap("key", other)).toStrictEqual({ previous: large, loaded: true });
      expect(await kv.get("key")).toStrictEqual(other);
    },

    "what compression does not shorten is kept as it is": async ({ kv, expect }) => {
      await kv.set("counter", 41, compress);
      expect(await kv.incrementBy("counter", 1)).toBe(42);
      await kv.set("empty", "", compress);
      expect(await kv.get("empty")).toBe("");
    },

    "a compressed value is no counter": async ({ kv, expect }) => {
      await kv.set("key", large, compress);
      await refusal(kv.incrementBy("key", 1), "ValueParseError");
      expect(await kv.get("key")).toStrictEqual(large);
    },

    "compress has to be a boolean": async ({ kv, expect }) => {
      const wrong = { compress: "yes" } as unknown as typeof compress;
      await refusal(kv.set("key", large, wrong), "InvalidOptionsError");
      await refusal(kv.setMany({ key: large }, wrong), "InvalidOptionsError");
      await refusal(kv.append("array", large, wrong), "InvalidOptionsError");
      expect(await kv.size()).toBe(0);
    },

    "text can be compressed": async ({ open, expect }) => {
      const kv = await open("string");
      await kv.set("key", large.title, compress);
      expect(await kv.get("key")).toBe(large.title);
    },
  },
};

export const compressedBytesFamily: Family = {
  title: 'compressed values with serialization "bytes"',
  needs: "bytes",
  cases: {
    "bytes can be compressed, whatever they look like": async ({ open, expect }) => {
      const kv = await open("bytes");
      // What a compressed value begins with, in case somebody keeps those as values.
      const marks = [0xff, 0x41, 0x4b, 0x5a, 1, 0, 0];
      for (const head of [[], marks.slice(0, 4), marks.slice(0, 5), marks]) {
        for (const options of [undefined, compress]) {
          for (const length of [0, 3, 5_000]) {
            const value = Uint8Array.from([...head, ...new Array<number>(length).fill(7)]);
            await kv.set("key", value, options);
            expect(await kv.get("key")).toStrictEqual(value);
            expect(await kv.compareAndSwap("key", value, value, compress)).toBe(true);
            expect(await kv.get("key")).toStrictEqual(value);
          }
        }
      }
    },
  },
};
