// Texts whose order in UTF-8 bytes and in UTF-16 units may differ, and their true order.

import fc from "fast-check";

const ordinary = ["\0", "a", "b", "~", "é", "漢", "\ud7ff"];
const aboveSurrogates = ["\ue000", "\ufeff", "\uffff"];
const pairs = ["\u{10000}", "😀", "\u{10ffff}"];

/** The four kinds of collections that the plain comparison tells apart. */
export const alphabets = {
  ordinary,
  withSurrogates: [...ordinary, ...pairs],
  withHighUnits: [...ordinary, ...aboveSurrogates],
  withBoth: [...ordinary, ...aboveSurrogates, ...pairs],
};

/** Short texts of few characters, so that equal ones and prefixes of each other are frequent. */
export function textOf(alphabet: readonly string[]): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 4 });
}

export const anyText: fc.Arbitrary<string> = fc.oneof(
  textOf(alphabets.withBoth),
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
);

export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The distinct `texts`, sorted by their bytes. */
export function inByteOrder(texts: Iterable<string>): string[] {
  return [...new Set(texts)].sort(compareBytes);
}

/** `count` keys in ascending order. */
export function numbered(count: number, prefix = "key:"): string[] {
  return Array.from({ length: count }, (_, index) => prefix + String(index).padStart(7, "0"));
}

/** The same permutation of `items` for the same seed. */
export function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const result = [...items];
  let state = seed | 1;
  for (let last = result.length - 1; last > 0; last -= 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (last + 1));
    [result[last], result[other]] = [result[other] as Item, result[last] as Item];
  }
  return result;
}
