// Counter arithmetic: whole decimal numbers of 64 bits, kept as text.
//
// Accepted as a counter: decimal digits with an optional sign, leading zeros allowed; and JSON of
// such a number or of a string that holds one, whatever the serialization of the store. Anything
// else, empty text included, is refused and stays as it was. A sum is always written as a bare
// decimal. Sums are exact: doubles carry them while they are safe integers, BigInt otherwise.

import { ValueNumberRequiredError, ValueParseError } from "../base/errors.js";
import type { Stored } from "../engine/stored.js";

export interface CounterSum {
  /** What to store: the exact sum, in decimal. */
  readonly text: string;
  /** The sum as a double, which is rounded above 2^53. */
  readonly value: number;
}

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
/** 2^63 as a double: the first delta that is too large. */
const int64End = 2 ** 63;

/** So many digits are always a safe integer. */
const plainDecimal = /^[+-]?\d{1,15}$/;
/** The group holds no more digits than 64 bits can need, so that hostile text stays cheap. */
const decimal = /^([+-]?)0*(\d{1,19})$/;
const longDecimal = /^[+-]?\d+$/;
/** JSON allows blanks around a value. */
const jsonNumberOrString = /^[ \t\r\n]*(-?(?:0|[1-9]\d*)|".*")[ \t\r\n]*$/s;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * `stored` plus `delta`, a missing counter being 0. O(1) for counters of up to 15 digits.
 * @throws ValueParseError when `stored` is not a counter or the sum leaves 64 bits.
 */
export function addToCounter(stored: Stored | undefined, delta: number): CounterSum {
  if (stored === undefined) return addExactly(0n, delta);
  const text = typeof stored === "string" ? stored : decoder.decode(stored);
  if (plainDecimal.test(text)) {
    const sum = Number(text) + delta;
    // A sum that is safe after rounding was exact before it: rounding cannot lower it past 2^53.
    if (Number.isSafeInteger(sum)) return sumOf(sum);
  }
  return addExactly(parseCounter(text), delta);
}

/** @throws ValueNumberRequiredError unless `delta` is a whole number within 64 bits. */
export function assertDelta(delta: unknown, key?: string): asserts delta is number {
  if (typeof delta === "number" && Number.isInteger(delta)) {
    if (delta >= -int64End && delta < int64End) return;
  }
  const got = typeof delta === "number" ? String(delta) : delta === null ? "null" : typeof delta;
  throw new ValueNumberRequiredError(
    `delta must be a whole number within 64 bits, got ${got}`,
    key === undefined ? undefined : { key },
  );
}

function addExactly(counter: bigint, delta: number): CounterSum {
  const sum = counter + BigInt(delta);
  if (sum < int64Min || sum > int64Max) throw overflow("the sum leaves 64 bits");
  return { text: sum.toString(), value: Number(sum) };
}

/** Minus zero, the sum of two of its kind, becomes plain zero. */
function sumOf(sum: number): CounterSum {
  return { text: String(sum), value: sum + 0 };
}

function parseCounter(text: string): bigint {
  const counter = parseDecimal(text) ?? parseDecimal(insideJson(text));
  if (counter !== undefined) return counter;
  throw new ValueParseError("value parse failed: the stored value is not a whole decimal number");
}

function parseDecimal(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const [, sign, digits] = decimal.exec(text) ?? [];
  if (digits === undefined) {
    if (longDecimal.test(text)) throw overflow("the stored value is beyond 64 bits");
    return undefined;
  }
  const counter = sign === "-" ? -BigInt(digits) : BigInt(digits);
  if (counter < int64Min || counter > int64Max)
    throw overflow("the stored value is beyond 64 bits");
  return counter;
}

/** The digits of a JSON number, or the content of a JSON string. */
function insideJson(text: string): string | undefined {
  const json = jsonNumberOrString.exec(text)?.[1];
  if (json === undefined || !json.startsWith('"')) return json;
  try {
    return JSON.parse(json) as string;
  } catch {
    return undefined;
  }
}

function overflow(what: string): ValueParseError {
  return new ValueParseError(`value parse failed: integer overflow, ${what}`);
}
