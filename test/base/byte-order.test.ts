// Byte order against the only definition there is: comparing the UTF-8 encodings.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compareByteOrder,
  hasSurrogates,
  orderTraits,
  plainOrderHolds,
  prefixSuccessor,
  TRAIT_HIGH_UNITS,
  TRAIT_SURROGATES,
  TRAITS_ALL,
  TRAITS_NONE,
} from "../../src/base/byte-order.js";
import { alphabets, anyText, compareBytes, textOf } from "./texts.js";

const text = textOf(alphabets.withBoth);

/** One text on each side of every border between lengths and planes of UTF-8. */
const borders = [
  "",
  "\0",
  "\x7f",
  "\x80",
  "\u07ff",
  "\u0800",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{10000}",
  "\u{1f600}",
  "\u{fffff}",
  "\u{100000}",
  "\u{10ffff}",
];

describe("compareByteOrder", () => {
  test("orders every pair of border texts as their bytes are ordered", () => {
    for (const a of borders) {
      for (const b of borders) {
        expect(Math.sign(compareByteOrder(a, b)), JSON.stringify([a, b])).toBe(compareBytes(a, b));
      }
    }
  });

  test("differs from JavaScript's order exactly where that differs from bytes", () => {
    expect("\u{1f600}" < "\uffff").toBe(true);
    expect(compareByteOrder("\u{1f600}", "\uffff")).toBeGreaterThan(0);
    expect(compareByteOrder("\uffff", "\u{1f600}")).toBeLessThan(0);
  });

  test("orders any two texts, with and without a common start, as their bytes are ordered", () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (start, a, b) => {
        expect(Math.sign(compareByteOrder(a, b))).toBe(compareBytes(a, b));
        expect(Math.sign(compareByteOrder(start + a, start + b))).toBe(compareBytes(a, b));
      }),
      { numRuns: 2000 },
    );
  });

  test("sorts as the bytes are sorted", () => {
    fc.assert(
      fc.property(fc.array(text), (texts) => {
        expect([...texts].sort(compareByteOrder)).toEqual([...texts].sort(compareBytes));
      }),
    );
  });
});

describe("traits", () => {
  test.each([
    ["", false, TRAITS_NONE],
    ["ordinary é 漢 \ud7ff", false, TRAITS_NONE],
    ["\ue000", false, TRAIT_HIGH_UNITS],
    ["a\uffff", false, TRAIT_HIGH_UNITS],
    ["a\u{10000}", true, TRAIT_SURROGATES],
    ["\u{10ffff}z", true, TRAIT_SURROGATES],
    ["😀\ufeff", true, TRAITS_ALL],
    ["\ufeff😀", true, TRAITS_ALL],
  ])("of %j", (text, surrogates, traits) => {
    expect(hasSurrogates(text)).toBe(surrogates);
    expect(orderTraits(text)).toBe(traits);
  });

  test("permit the plain comparison of two texts only where it is right", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        if (!plainOrderHolds(orderTraits(a), orderTraits(b))) return;
        expect(a < b ? -1 : a > b ? 1 : 0).toBe(compareBytes(a, b));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    [TRAITS_NONE, TRAITS_NONE, true],
    [TRAITS_NONE, TRAITS_ALL, true],
    [TRAIT_SURROGATES, TRAIT_SURROGATES, true],
    [TRAIT_HIGH_UNITS, TRAIT_HIGH_UNITS, true],
    [TRAIT_SURROGATES, TRAIT_HIGH_UNITS, false],
    [TRAITS_ALL, TRAIT_SURROGATES, false],
    [TRAITS_ALL, TRAIT_HIGH_UNITS, false],
    [TRAITS_ALL, TRAITS_ALL, false],
  ])("%j with %j compare plainly: %j", (a, b, holds) => {
    expect(plainOrderHolds(a, b)).toBe(holds);
    expect(plainOrderHolds(b, a)).toBe(holds);
  });
});

describe("prefixSuccessor", () => {
  test.each([
    ["", undefined],
    ["a", "b"],
    ["user:", "user;"],
    ["\x7f", "\x80"],
    ["a\ud7ff", "a\ue000"],
    ["\uffff", "\u{10000}"],
    ["a😀", "a😁"],
    ["\u{103ff}", "\u{10400}"],
    ["a\u{10ffff}", "b"],
    ["\uffff\u{10ffff}\u{10ffff}", "\u{10000}"],
    ["\u{10ffff}", undefined],
    ["\u{10ffff}\u{10ffff}", undefined],
  ])("of %j is %j", (prefix, successor) => {
    expect(prefixSuccessor(prefix)).toBe(successor);
  });

  test("bounds the texts that begin with the prefix, and no others", () => {
    fc.assert(
      fc.property(text, text, text, (prefix, rest, other) => {
        const successor = prefixSuccessor(prefix);
        const isBelow = (key: string) =>
          successor === undefined || compareBytes(key, successor) < 0;
        expect(isBelow(prefix + rest)).toBe(true);
        const inRange = compareBytes(other, prefix) >= 0 && isBelow(other);
        expect(inRange).toBe(other.startsWith(prefix));
      }),
      { numRuns: 2000 },
    );
  });
});
