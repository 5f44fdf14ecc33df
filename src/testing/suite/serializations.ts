// Serializations: what the modes "string" and "bytes" do otherwise than "json".

import { atOnce, type Family, granted, refusal } from "./suite-case.js";

export const stringModeFamily: Family = {
  title: 'serialization "string"',
  cases: {
    "text is stored as it is and always read as text": async ({ open, expect }) => {
      const kv = await open("string");
      for (const text of ["", "text", '"quoted"', "null", "{}", "мир \u{1f642}\n\u0000\ufeff"]) {
        expect(await kv.set("key", text)).toBe(text);
        expect(await kv.get("key")).toBe(text);
        expect((await kv.list())[0]?.value).toBe(text);
        await kv.append("array", text);
        expect(await kv.pop("array")).toBe(text);
      }
    },

    "anything else is stored as readable text": async ({ open, expect }) => {
      const kv = await open("string");
      const texts: [value: unknown, text: string][] = [
        [5, "5"],
        [1_000_000, "1000000"],
        [1_000_000.5, "1.0000005e+06"],
        [1e20, "1e+20"],
        [1.5, "1.5"],
        [0.00001, "1e-05"],
        [true, "true"],
        [null, "<nil>"],
        [undefined, "<nil>"],
        [[1, "a", null], "[1 a <nil>]"],
        [{ b: 1, a: "x", n: { z: 1.25 } }, "map[a:x b:1 n:map[z:1.25]]"],
        [12n, "12"],
      ];
      for (const [value, text] of texts) {
        await kv.set("key", value);
        expect(await kv.get("key")).toBe(text);
      }
    },

    "values are the same when their texts are": async ({ open, expect }) => {
      const kv = await open("string");
      await kv.set("key", "1");
      expect(await kv.compareAndSwap("key", 1, "two")).toBe(true);
      expect(await kv.compareAndSwap("key", " two", "three")).toBe(false);
      await kv.set("null", null);
      expect(await kv.compareAndDelete("null", null)).toBe(true);
      await kv.set("null", "<nil>");
      expect(await kv.compareAndDelete("null", undefined)).toBe(true);
    },

    "an empty text is a value": async ({ open, expect }) => {
      const kv = await open("string");
      await kv.set("key", "");
      expect(await kv.getMany(["key"])).toStrictEqual([{ key: "key", exists: true, value: "" }]);
      expect(await kv.swap("key", "x")).toStrictEqual({ previous: "", loaded: true });
      await kv.set("key", "");
      expect(await kv.compareAndDelete("key", "")).toBe(true);
    },

    "results hold the stored text, whatever was passed": async ({ open, expect }) => {
      const kv = await open("string");
      expect(await kv.getOrSet("key", 5)).toStrictEqual({ value: "5", loaded: false });
      expect(await kv.swap("key", { a: 1 })).toStrictEqual({ previous: "5", loaded: true });
      expect(granted(await kv.claimKey("key")).entry.value).toBe("map[a:1]");
      const mismatch = await kv.compareAndSwapDetailed("key", "other", "x", {
        includeCurrentOnMismatch: true,
      });
      expect(mismatch).toMatchObject({ current: "map[a:1]" });
    },

    "text that UTF-8 cannot keep is refused": async ({ open, expect }) => {
      const kv = await open("string");
      await refusal(kv.set("key", "\ud800"), "SerializerError");
      expect(await kv.exists("key")).toBe(false);
    },
  },
};

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

export const bytesModeFamily: Family = {
  title: 'serialization "bytes"',
  needs: "bytes",
  cases: {
    "bytes come back as they went in": async ({ open, expect }) => {
      const kv = await open("bytes");
      const every = Uint8Array.from({ length: 256 }, (_, index) => index);
      for (const value of [bytes(), bytes(0), bytes(0xff, 0xfe), every]) {
        expect(await kv.set("key", value)).toBe(value);
        expect(await kv.get("key")).toStrictEqual(value);
        expect((await kv.scan()).entries).toStrictEqual([{ key: "key", value }]);
        await kv.append("array", value);
        expect(await kv.range("array")).toStrictEqual([value]);
        expect(await kv.popFirst("array")).toStrictEqual(value);
      }
    },

    "views and buffers are stored by their bytes and read as plain Uint8Array": async ({
      open,
      expect,
    }) => {
      const kv = await open("bytes");
      const whole = bytes(1, 2, 3, 4);
      for (const value of [whole.subarray(1, 3), Buffer.from([2, 3]), bytes(2, 3).buffer]) {
        await kv.set("key", value);
        const read = await kv.get("key");
        expect(read).toStrictEqual(bytes(2, 3));
        expect(Object.getPrototypeOf(read)).toBe(Uint8Array.prototype);
      }
    },

    "bytes are copied on the way in and out": async ({ open, expect }) => {
      const kv = await open("bytes");
      const value = bytes(1, 2);
      await kv.set("key", value);
      value[0] = 9;
      const read = await kv.get<Uint8Array>("key");
      read[1] = 9;
      const [entry] = await kv.list<Uint8Array>();
      entry?.value.fill(9);
      expect(await kv.get("key")).toStrictEqual(bytes(1, 2));
    },

    "an empty value is neither missing nor null": async ({ open, expect }) => {
      const kv = await open("bytes");
      await kv.set("key", bytes());
      expect(await kv.find("key")).toStrictEqual(bytes());
      expect(await kv.fetchRemove("key")).toStrictEqual(bytes());
      expect(await kv.fetchRemove("key")).toBeNull();
    },

    "compare-and-* compares bytes": async ({ open, expect }) => {
      const kv = await open("bytes");
      await kv.set("key", bytes(1, 2));
      expect(await kv.compareAndSwap("key", bytes(1), bytes(3))).toBe(false);
      expect(await kv.compareAndSwap("key", bytes(1, 2), bytes(3))).toBe(true);
      expect(await kv.compareAndDelete("key", bytes(4))).toBe(false);
      expect(await kv.compareAndDelete("key", bytes(3))).toBe(true);
    },

    "anything but bytes is refused": async ({ open, expect }) => {
      const kv = await open("bytes");
      for (const value of ["text", 5, null, undefined, {}, [1], new Uint16Array(1)]) {
        await refusal(kv.set("key", value), "SerializerError");
        await refusal(kv.append("array", value), "SerializerError");
      }
      expect(await kv.exists("key")).toBe(false);
      expect(await kv.exists("array")).toBe(false);
    },

    "a counter reads as the bytes of its digits": async ({ open, expect }) => {
      const kv = await open("bytes");
      await atOnce(3, () => kv.incrementBy("key", 4));
      expect(await kv.get("key")).toStrictEqual(new TextEncoder().encode("12"));
      await kv.set("key", new TextEncoder().encode("41"));
      expect(await kv.incrementBy("key", 1)).toBe(42);
      await kv.set("key", bytes(0xff));
      await refusal(kv.incrementBy("key", 1), "ValueParseError");
    },
  },
};
