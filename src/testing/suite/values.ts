// Values by key, one at a time.

import { type Family, refusal } from "./suite-case.js";

/** Values that JSON keeps: whatever the path, they come back equal. */
export const jsonValues: readonly unknown[] = [
  ...[true, false, null, 0, 1, -1, 0.5, -2.25, 1e21, 1e-7, Number.MAX_SAFE_INTEGER],
  ...["", "text", "456", "true", "null", '"quoted"', "\u0000\u001f\u2028\ufeff"],
  ...["Grüße, мир, 世界, \u{1f642}", "line\nline\r\n", "a\tb\\c/d"],
  ...[[], {}, [[], {}], [1, "a", null, true, [2]], { a: { b: [{ c: null }] }, "": 0 }],
];

export const valueFamily: Family = {
  title: "values",
  cases: {
    "get and find resolve with what set was given, for every kind of JSON value": async ({
      kv,
      expect,
    }) => {
      for (const [index, value] of jsonValues.entries()) {
        await kv.set(`value:${index}`, value);
        expect(await kv.get(`value:${index}`)).toStrictEqual(value);
        expect(await kv.find(`value:${index}`)).toStrictEqual(value);
      }
      expect(await kv.size()).toBe(jsonValues.length);
    },

    "every kind of JSON value comes back from list, scan, getMany, claims and pops": async ({
      kv,
      expect,
    }) => {
      for (const value of jsonValues) {
        await kv.set("key", value);
        const entry = { key: "key", value };
        expect(await kv.list()).toStrictEqual([entry]);
        expect((await kv.scan()).entries).toStrictEqual([entry]);
        expect(await kv.getMany(["key"])).toStrictEqual([{ ...entry, exists: true }]);
        const claim = await kv.claimKey("key");
        expect(claim?.entry).toStrictEqual(entry);
        expect(claim && (await kv.releaseClaim(claim))).toBe(true);
        expect(await kv.popRandom()).toStrictEqual(entry);
        await kv.append("array", value);
        expect(await kv.range("array")).toStrictEqual([value]);
        expect(await kv.pop("array")).toStrictEqual(value);
      }
    },

    "set resolves with the very value that was passed": async ({ kv, expect }) => {
      const value = { a: 1 };
      expect(await kv.set("key", value)).toBe(value);
      expect(await kv.get("key")).not.toBe(value);
    },

    "set overwrites": async ({ kv, expect }) => {
      await kv.set("key", "old");
      await kv.set("key", { new: true });
      expect(await kv.get("key")).toStrictEqual({ new: true });
      expect(await kv.size()).toBe(1);
    },

    "get of a missing key rejects with KeyNotFoundError that names the key": async ({
      kv,
      expect,
    }) => {
      const error = await refusal(kv.get("absent"), "KeyNotFoundError");
      expect(error).toBeInstanceOf(Error);
      expect(error.code).toBe("ANYKV_KEY_NOT_FOUND");
      expect(error.key).toBe("absent");
    },

    "find of a missing key resolves with undefined": async ({ kv, expect }) => {
      expect(await kv.find("absent")).toBeUndefined();
    },

    "a stored null is a value, not a missing key": async ({ kv, expect }) => {
      await kv.set("null", null);
      expect(await kv.get("null")).toBeNull();
      expect(await kv.find("null")).toBeNull();
      expect(await kv.exists("null")).toBe(true);
      expect(await kv.size()).toBe(1);
    },

    "undefined is stored as null": async ({ kv, expect }) => {
      expect(await kv.set("key", undefined)).toBeUndefined();
      expect(await kv.get("key")).toBeNull();
    },

    "values keep their types: the text of a number stays text": async ({ kv, expect }) => {
      await kv.setMany({ text: "456", number: 456, truth: "true" });
      expect(await kv.get("text")).toBe("456");
      expect(await kv.get("number")).toBe(456);
      expect(await kv.get("truth")).toBe("true");
    },

    "JSON conventions hold: properties keep their order, undefined ones are left out, toJSON is honoured":
      async ({ kv, expect }) => {
        const at = new Date(Date.UTC(2024, 1, 3));
        await kv.set("key", { b: 1, a: undefined, at, list: [undefined, 2] });
        const read = await kv.get("key");
        expect(JSON.stringify(read)).toBe(
          '{"b":1,"at":"2024-02-03T00:00:00.000Z","list":[null,2]}',
        );
      },

    "a value that JSON cannot keep rejects with SerializerError and leaves the key as it was":
      async ({ kv, expect }) => {
        await kv.set("key", "old");
        const cyclic: Record<string, unknown> = {};
        cyclic.self = cyclic;
        const unkept = [Number.NaN, Infinity, () => 1, Symbol("s"), 1n, cyclic];
        for (const value of [...unkept, ...unkept.map((part) => ({ list: [part] }))]) {
          await refusal(kv.set("key", value), "SerializerError");
          await refusal(kv.set("new", value), "SerializerError");
        }
        expect(await kv.list()).toStrictEqual([{ key: "key", value: "old" }]);
      },

    "what a caller changes later never changes the store": async ({ kv, expect }) => {
      const value = { list: [1] };
      await kv.set("key", value);
      value.list.push(2);
      const [entry] = await kv.list<{ list: number[] }>();
      entry?.value.list.push(3);
      const read = await kv.get<{ list: number[] }>("key");
      read.list.push(4);
      const claim = await kv.claimKey<{ list: number[] }>("key");
      claim?.entry.value.list.push(5);
      const page = await kv.scan<{ list: number[] }>();
      page.entries[0]?.value.list.push(6);
      page.entries.pop();
      expect(await kv.get("key")).toStrictEqual({ list: [1] });
      expect((await kv.scan()).entries).toHaveLength(1);
    },
  },
};
