// Byte order: strings compared as their UTF-8 encodings would compare, without encoding them.
//
// UTF-8 byte order equals code point order. JavaScript's `<` compares UTF-16 code units, and the
// two differ in exactly one case: where two strings first differ, one has a surrogate
// (0xD800-0xDFFF, half of a code point above U+FFFF) and the other a unit in 0xE000-0xFFFF.
// `<` then says that the surrogate is smaller; in bytes it is larger.
//
// So `<` is wrong only between a text that has surrogates and a text that has units above them,
// and text without any unit from 0xD800 upward compares rightly with every other text.
// `OrderTraits` says which of the two a text has, `plainOrderHolds` applies the rule.
//
// Everything here expects well-formed text: a lone surrogate has no UTF-8 encoding.

const UNIT_FROM_SURROGATES = /[\ud800-\uffff]/;
const SURROGATE = /[\ud800-\udfff]/;
const UNIT_ABOVE_SURROGATES = /[\ue000-\uffff]/;

/** Which units above 0xD7FF a text, or any text of a collection, has: a set of the bits below. */
export type OrderTraits = number;
/** No unit above 0xD7FF. */
export const TRAITS_NONE: OrderTraits = 0;
/** Surrogates, that is, code points above U+FFFF. */
export const TRAIT_SURROGATES: OrderTraits = 1;
/** Units in 0xE000-0xFFFF. */
export const TRAIT_HIGH_UNITS: OrderTraits = 2;
/** Both kinds: texts of such a collection may compare wrongly with each other by `<`. */
export const TRAITS_ALL: OrderTraits = TRAIT_SURROGATES | TRAIT_HIGH_UNITS;

/**
 * Whether `text` has a code point above U+FFFF.
 * One-byte strings cost a constant: the engine knows that the expression cannot match in them.
 */
export function hasSurrogates(text: string): boolean {
  return SURROGATE.test(text);
}

/** The traits of one text: constant time for one-byte strings, else O(length). */
export function orderTraits(text: string): OrderTraits {
  if (!UNIT_FROM_SURROGATES.test(text)) return TRAITS_NONE;
  return (
    (SURROGATE.test(text) ? TRAIT_SURROGATES : TRAITS_NONE) |
    (UNIT_ABOVE_SURROGATES.test(text) ? TRAIT_HIGH_UNITS : TRAITS_NONE)
  );
}

/** Whether `<` gives byte order between any text with traits `a` and any text with traits `b`. */
export function plainOrderHolds(a: OrderTraits, b: OrderTraits): boolean {
  const aBelowB = (a & TRAIT_SURROGATES) !== 0 && (b & TRAIT_HIGH_UNITS) !== 0;
  const bBelowA = (a & TRAIT_HIGH_UNITS) !== 0 && (b & TRAIT_SURROGATES) !== 0;
  return !aBelowB && !bBelowA;
}

/**
 * Compares two well-formed strings as UTF-8 bytes.
 * @returns a negative number, zero or a positive number, as `Buffer.compare` of the encodings does.
 */
export function compareByteOrder(a: string, b: string): number {
  if (UNIT_FROM_SURROGATES.test(a)) return compareCodePoints(a, b);
  return a < b ? -1 : a === b ? 0 : 1;
}

/**
 * The least string above every string that begins with `prefix`, or `undefined` if there is none
 * (`prefix` is empty or consists of U+10FFFF alone).
 */
export function prefixSuccessor(prefix: string): string | undefined {
  let end = prefix.length;
  while (end > 0) {
    const isPair = (prefix.charCodeAt(end - 1) & 0xfc00) === 0xdc00;
    const start = isPair ? end - 2 : end - 1;
    const codePoint = prefix.codePointAt(start) as number;
    if (codePoint < 0x10ffff) {
      const next = codePoint === 0xd7ff ? 0xe000 : codePoint + 1;
      return prefix.slice(0, start) + String.fromCodePoint(next);
    }
    end = start;
  }
  return undefined;
}

function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA !== unitB) return byteWeight(unitA) - byteWeight(unitB);
  }
  return a.length - b.length;
}

/** Moves 0xE000-0xFFFF below the surrogates and keeps every other order between units. */
function byteWeight(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
