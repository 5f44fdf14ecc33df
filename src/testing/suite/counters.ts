// Counters: `incrementBy`, exact in 64 bits, the same in json and in string mode.

import type { Kv } from "../../kv/kv.js";
import { atOnce, type Family, refusal, type Serialization, type Setting } from "./suite-case.js";

const textModes: readonly Serialization[] = ["json", "string"];

/** Runs the body on one store of each text mode. */
async function inBothModes(
  { open }: Setting,
  body: (kv: Kv, mode: Serialization) => Promise<void>,
): Promise<void> {
  for (const mode of textModes) await body(await open(mode), mode);
}

const int64Max = "9223372036854775807";
const int64Min = "-9223372036854775808";
const notInteger = [null, undefined, "123", "", true, 1n, Number.NaN, Infinity, -Infinity];
const notInRange = [1.5, -0.5, 1e20, 2 ** 63, -(2 ** 63) - 2048];

export const counterFamily: Family = {
  title: "counters",
  cases: {
    "a counter starts at 0 and adds up": (setting) =>
      inBothModes(setting, async (kv, mode) => {
        const { expect } = setting;
        expect(await kv.incrementBy("key", 5)).toBe(5);
        expect(await kv.incrementBy("key", -7)).toBe(-2);
        expect(await kv.incrementBy("key", 0)).toBe(-2);
        expect(await kv.get("key")).toBe(mode === "json" ? -2 : "-2");
        expect(await kv.incrementBy("zero", 0)).toBe(0);
        expect(await kv.exists("zero")).toBe(true);
      }),

    "32 increments at once give 32 successive numbers": async ({ kv, expect }) => {
      await kv.getOrSet("key", 0);
      const sums = await atOnce(32, () => kv.incrementBy("key", 1));
      const wanted = Array.from({ length: 32 }, (_, index) => index + 1);
      expect(sums.toSorted((a, b) => a - b)).toStrictEqual(wanted);
      expect(await kv.get("key")).toBe(32);
    },

    "the largest safe integer comes back exact": (setting) =>
      inBothModes(setting, async (kv) => {
        const { expect } = setting;
        expect(await kv.incrementBy("key", Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
        expect(await kv.incrementBy("key", -1)).toBe(Number.MAX_SAFE_INTEGER - 1);
      }),

    "decimal text is a counter": (setting) =>
      inBothModes(setting, async (kv, mode) => {
        const { expect } = setting;
        for (const [text, sum] of [
          ["41", 42],
          ["-3", -2],
          ["007", 8],
          ["+4", 5],
          ["0", 1],
        ] as const) {
          await kv.set("key", text);
          expect(await kv.incrementBy("key", 1)).toBe(sum);
          expect(await kv.get("key")).toBe(mode === "json" ? sum : `${sum}`);
        }
      }),

    "a number that was set is a counter": async ({ kv, expect }) => {
      await kv.set("key", 10);
      expect(await kv.incrementBy("key", 1)).toBe(11);
      await kv.set("key", -0);
      expect(await kv.incrementBy("key", 1)).toBe(1);
    },

    "what is not an integer is no counter and stays as it is": async ({ kv, expect, open }) => {
      for (const value of [
        1.5,
        "1.5",
        "1e3",
        "",
        " 1",
        "1 ",
        "x",
        "--1",
        "0x10",
        null,
        true,
        {},
        [1],
      ]) {
        await kv.set("key", value);
        const error = await refusal(kv.incrementBy("key", 1), "ValueParseError");
        expect(error.message).toMatch(/value parse failed/);
        expect(await kv.get("key")).toStrictEqual(value);
      }
      const text = await open("string");
      for (const value of ["1.5", "1e3", "", "x", "<nil>", "true", "5.0", '"x"']) {
        await text.set("key", value);
        await refusal(text.incrementBy("key", 1), "ValueParseError");
        expect(await text.get("key")).toBe(value);
      }
    },

    "a delta that is not an integer of 64 bits is refused": async ({ kv, expect }) => {
      for (const delta of [...notInteger, ...notInRange]) {
        await refusal(kv.incrementBy("key", delta as number), "ValueNumberRequiredError");
      }
      expect(await kv.exists("key")).toBe(false);
      await refusal(kv.incrementBy("", "x" as never), "InvalidOptionsError");
    },

    "a sum at the bounds of 64 bits is exact": (setting) =>
      inBothModes(setting, async (kv) => {
        const { expect } = setting;
        await kv.set("key", int64Max);
        expect(await kv.incrementBy("key", 0)).toBe(Number(int64Max));
        expect(await kv.incrementBy("key", -1)).toBe(Number(int64Max));
        expect(await kv.incrementBy("key", 1)).toBe(Number(int64Max));
        await refusal(kv.incrementBy("key", 1), "ValueParseError");
        await kv.set("low", int64Min);
        expect(await kv.incrementBy("low", 1)).toBe(Number(int64Min));
        expect(await kv.incrementBy("low", -1)).toBe(Number(int64Min));
        await refusal(kv.incrementBy("low", -1), "ValueParseError");
      }),

    "an overflow changes nothing, not even the type of the value": (setting) =>
      inBothModes(setting, async (kv) => {
        const { expect } = setting;
        for (const [text, delta] of [
          [int64Max, 1],
          [int64Min, -1],
          [int64Max, 2 ** 53],
        ] as const) {
          await kv.set("key", text);
          const error = await refusal(kv.incrementBy("key", delta), "ValueParseError");
          expect(error.message).toMatch(/integer overflow/);
          expect(await kv.get("key")).toBe(text);
        }
        await kv.set("key", "9223372036854775808");
        await refusal(kv.incrementBy("key", 0), "ValueParseError");
      }),

    "increments beyond 2^53 lose nothing": (setting) =>
      inBothModes(setting, async (kv) => {
        const { expect } = setting;
        await kv.set("key", "9007199254740993");
        for (let round = 0; round < 4; round++) await kv.incrementBy("key", 1);
        expect(await kv.incrementBy("key", -(2 ** 53))).toBe(5);
      }),
  },
};
