// Durations among the options: which spellings mean how many milliseconds, and which are refused.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidOptionsError } from "../../../src/base/errors.js";
import { durationMsMax } from "../../../src/base/limits.js";
import { parseDuration } from "../../../src/kv/options/duration.js";

const parse = (value: unknown) => parseDuration(value, "disk.timeout");

test.each<[number | string, number]>([
  [0, 0],
  [-0, 0],
  [1, 1],
  [1500, 1500],
  [10.0, 10],
  [durationMsMax, durationMsMax],
  ["0", 0],
  ["+0", 0],
  ["0s", 0],
  ["500ms", 500],
  ["+500ms", 500],
  ["1s", 1000],
  ["1.5s", 1500],
  [".5s", 500],
  ["5.s", 5000],
  ["1.1s", 1100],
  ["0.07s", 70],
  ["1.001s", 1001],
  ["2m", 120_000],
  ["1h", 3_600_000],
  ["1h15m", 4_500_000],
  ["1h15m30.918s", 4_530_918],
  ["1m1m", 120_000],
  ["3000us", 3],
  ["3000\u00b5s", 3],
  ["3000\u03bcs", 3],
  ["2000000ns", 2],
  ["1ns", 1],
  ["1500us", 2],
  ["0.0000000001s", 0],
  ["0.3333333333333333333h", 1_200_000],
  ["2562047h47m16.854s", durationMsMax],
])("%s is %d ms", (value, ms) => {
  expect(Object.is(parse(value), ms)).toBe(true);
});

describe("refused with the option's name and both sides", () => {
  test.each<unknown>([
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    durationMsMax + 1,
    1e300,
    "",
    " ",
    "1",
    "1.5",
    "-1s",
    "-0",
    "s",
    ".s",
    ".",
    "1.2.3s",
    "1 s",
    " 1s",
    "1s ",
    "1S",
    "1d",
    "1sec",
    "1s5",
    "1e3s",
    "1_000s",
    "Infinitys",
    "2562047h47m17s",
    `${"9".repeat(199)}h`,
    `${"0".repeat(200)}1s`,
    true,
    null,
    undefined,
    1n,
    [],
    {},
    new Date(0),
  ])("case %#: %o", (value) => {
    expect(() => parse(value)).toThrow(InvalidOptionsError);
    expect(() => parse(value)).toThrow(
      /^option "disk\.timeout" must be whole milliseconds .* or a duration like .*, got ./,
    );
  });
});

test("a text means the sum of its terms, without rounding errors", () => {
  const unitMs = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  const amounts = fc.record({
    h: fc.nat(1000),
    m: fc.nat(1000),
    s: fc.nat(100_000),
    ms: fc.nat(1_000_000),
  });
  fc.assert(
    fc.property(amounts, ({ h, m, s, ms }) => {
      const sum = h * unitMs.h + m * unitMs.m + s * unitMs.s + ms * unitMs.ms;
      expect(parse(`${h}h${m}m${s}s${ms}ms`)).toBe(sum);
      expect(parse(`${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, "0")}s`)).toBe(ms);
    }),
  );
});
