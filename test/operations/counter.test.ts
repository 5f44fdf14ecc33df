// Counter arithmetic: which stored values are counters, exactness in 64 bits, which deltas pass.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ValueNumberRequiredError, ValueParseError } from "../../src/base/errors.js";
import { addToCounter, assertDelta } from "../../src/operations/counter.js";

const max = "9223372036854775807";
const min = "-9223372036854775808";

describe("addToCounter", () => {
  test.each<[string | Uint8Array | undefined, number, string]>([
    [undefined, 0, "0"],
    [undefined, 5, "5"],
    [undefined, -0, "0"],
    ["41", 1, "42"],
    ["+41", 1, "42"],
    ["-41", 1, "-40"],
    ["007", 1, "8"],
    ["-007", 1, "-6"],
    [`${"0".repeat(40)}1`, 1, "2"],
    ["-0", 0, "0"],
    ["-0", -0, "0"],
    ["-1", 1, "0"],
    ['"41"', 1, "42"],
    ['"-0041"', 1, "-40"],
    ['"+41"', 1, "42"],
    ['"\\u0034\\u0031"', 1, "42"],
    [" 41\n", 1, "42"],
    ['\t"41" ', 1, "42"],
    [Buffer.from("41"), 1, "42"],
    [Buffer.from('"41"'), 1, "42"],
    ["9007199254740991", 1, "9007199254740992"],
    ["9007199254740993", 0, "9007199254740993"],
    ["9007199254740993", 2, "9007199254740995"],
    ["999999999999999", 1, "1000000000000000"],
    ["1", Number.MAX_SAFE_INTEGER, "9007199254740992"],
    ["0", Number.MAX_SAFE_INTEGER, "9007199254740991"],
    ["-999999999999999", 2 ** 53, "8007199254740993"],
    ["1", 2 ** 53, "9007199254740993"],
    ["-1", -(2 ** 53), "-9007199254740993"],
    ["1", 2 ** 60, "1152921504606846977"],
    [max, 0, max],
    [max, -1, "9223372036854775806"],
    [min, 0, min],
    [`"${max}"`, 0, max],
    [`000${max}`, 0, max],
    ["-1", -(2 ** 63) + 1024, "-9223372036854774785"],
    ["0", -(2 ** 63), min],
  ])("%o plus %d is %s", (stored, delta, text) => {
    expect(addToCounter(stored, delta)).toEqual({ text, value: Number(text) });
  });

  test("never answers minus zero", () => {
    expect(Object.is(addToCounter("-0", -0).value, 0)).toBe(true);
  });

  test.each([
    "",
    " ",
    "5.0",
    "1e3",
    '"1.5"',
    '""',
    '" 5"',
    "null",
    "true",
    "{}",
    "[1]",
    "text",
    "--5",
    "+-5",
    "5 5",
    "0x10",
    "1_000",
    "Infinity",
    "NaN",
    "٣",
    '"5',
    '"\\x"',
    '""5""',
    "+ 5",
    " +5",
    " 05",
    "\u00a05",
    "\ufeff5",
    Uint8Array.of(0xff),
    Uint8Array.of(),
  ])("case %#: %o is not a counter", (stored) => {
    expect(() => addToCounter(stored, 1)).toThrow(ValueParseError);
    expect(() => addToCounter(stored, 1)).toThrow(/^value parse failed: the stored value is not/);
  });

  test.each<[string, number]>([
    [max, 1],
    [min, -1],
    ["1024", 2 ** 63 - 1024],
    [`"${max}"`, 1],
    ["9223372036854775808", 0],
    ["9223372036854775808", -1],
    ["-9223372036854775809", 1],
    ["-9223372036854775809", 0],
    ["9".repeat(100_000), 0],
    [`"${"9".repeat(30)}"`, 0],
    ["-1", -(2 ** 63)],
  ])("case %#: leaving 64 bits is an integer overflow", (stored, delta) => {
    expect(() => addToCounter(stored, delta)).toThrow(ValueParseError);
    expect(() => addToCounter(stored, delta)).toThrow(/integer overflow/);
  });

  test("agrees with a model in BigInt, for every spelling", () => {
    const int64 = fc.oneof(
      fc.bigInt({ min: BigInt(min), max: BigInt(max) }),
      fc.bigInt({ min: -1000n, max: 1000n }),
      fc.bigInt({ min: 2n ** 53n - 10n, max: 2n ** 53n + 10n }),
      fc.bigInt({ min: BigInt(max) - 10n, max: BigInt(max) }),
    );
    const delta = fc.oneof(
      fc.maxSafeInteger(),
      fc.integer({ min: -20, max: 20 }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((high) => high * 2 ** 32),
    );
    const spelling = fc.constantFrom<(counter: bigint) => string | Uint8Array>(
      (counter) => `${counter}`,
      (counter) => `"${counter}"`,
      (counter) => (counter < 0n ? `-000${-counter}` : `+000${counter}`),
      (counter) => Buffer.from(`${counter}`),
    );
    fc.assert(
      fc.property(int64, delta, spelling, (counter, step, spell) => {
        const sum = counter + BigInt(step);
        if (sum < BigInt(min) || sum > BigInt(max)) {
          expect(() => addToCounter(spell(counter), step)).toThrow(/integer overflow/);
        } else {
          const answer = addToCounter(spell(counter), step);
          expect(answer).toEqual({ text: `${sum}`, value: Number(sum) });
        }
      }),
      { numRuns: 5000 },
    );
  });

  test("any text is a counter or refused", () => {
    const piece = fc.constantFrom("0", "1", "9", "-", "+", '"', " ", ".", "e", "\\", "null");
    const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, (stored) => {
        const isCounter = /^([+-]?\d+|\s*-?(0|[1-9]\d*)\s*|\s*"[+-]?\d+"\s*)$/.test(stored);
        if (isCounter) expect(addToCounter(stored, 0).text).toMatch(/^(0|-?[1-9]\d*)$/);
        else expect(() => addToCounter(stored, 0)).toThrow(ValueParseError);
      }),
      { numRuns: 5000 },
    );
  });
});

describe("assertDelta", () => {
  test.each([0, -0, 1, -1, 10.0, Number.MAX_SAFE_INTEGER, 2 ** 62, 2 ** 63 - 1024, -(2 ** 63)])(
    "accepts %d",
    (delta) => {
      expect(() => assertDelta(delta)).not.toThrow();
    },
  );

  test.each<[unknown, string]>([
    ["123", "string"],
    [undefined, "undefined"],
    [null, "null"],
    [true, "boolean"],
    [1n, "bigint"],
    [{}, "object"],
    [Object(1), "object"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
    [1.5, "1.5"],
    [1e20, "100000000000000000000"],
    [2 ** 63, "9223372036854776000"],
    [-(2 ** 63) - 2048, "-9223372036854778000"],
  ])("case %#: refuses %o", (delta, got) => {
    expect(() => assertDelta(delta)).toThrow(ValueNumberRequiredError);
    expect(() => assertDelta(delta)).toThrow(
      `delta must be a whole number within 64 bits, got ${got}`,
    );
  });
});
