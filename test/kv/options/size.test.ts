// Sizes among the options: which spellings mean how many bytes, and which are refused.

import { describe, expect, test } from "vitest";
import { InvalidOptionsError } from "../../../src/base/errors.js";
import { parseSize } from "../../../src/kv/options/size.js";

const parse = (value: unknown) => parseSize(value, "disk.initialMmapSize");

test.each<[number | string, number]>([
  [0, 0],
  [-0, 0],
  [4096, 4096],
  [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ["0", 0],
  ["4096", 4096],
  ["4096B", 4096],
  ["4096 b", 4096],
  ["1k", 1000],
  ["1KB", 1000],
  ["1Ki", 1024],
  ["1kib", 1024],
  ["64MB", 64_000_000],
  ["64mb", 64_000_000],
  ["64 MB", 64_000_000],
  [" 64MB ", 64_000_000],
  ["64MiB", 67_108_864],
  ["64 mIb", 67_108_864],
  ["1GB", 1e9],
  ["1GiB", 2 ** 30],
  ["2TB", 2e12],
  ["2TiB", 2 ** 41],
  ["1PB", 1e15],
  ["1PiB", 2 ** 50],
  ["0.007EiB", 8070450532247928],
  ["1.5GiB", 1.5 * 2 ** 30],
  ["1.1MB", 1_100_000],
  [".5k", 500],
  ["0.3KiB", 307],
  ["9007199254740991", Number.MAX_SAFE_INTEGER],
])("%s is %d bytes", (value, bytes) => {
  expect(Object.is(parse(value), bytes)).toBe(true);
});

describe("refused with the option's name and both sides", () => {
  test.each<unknown>([
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    "",
    " ",
    "MB",
    ".",
    ".MB",
    "-1MB",
    "+1MB",
    "1.2.3MB",
    "1  MB",
    "1 M B",
    "1iB",
    "1XB",
    "1MBs",
    "1e3",
    "1,000",
    "0x10",
    "64MB64MB",
    "1EB",
    "9007199254740992",
    "9".repeat(101),
    true,
    null,
    undefined,
    1n,
    [],
    {},
  ])("case %#: %o", (value) => {
    expect(() => parse(value)).toThrow(InvalidOptionsError);
    expect(() => parse(value)).toThrow(
      /^option "disk\.initialMmapSize" must be whole bytes .* or a size like .*, got ./,
    );
  });
});
