// Numbers: arguments and values as numbers, as strictly as Valkey reads them.

import type { Argument } from "./argument.js";
import { CommandError } from "./command.js";
import { noInteger, notPositive } from "./errors.js";

const wholeNumber = /^(?:0|-?[1-9]\d{0,18})$/;
/** So many characters are always a safe integer. */
const safeLength = 15;
const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/** A whole number of 64 bits without leading zeros, plus sign or blanks; undefined for all else. */
export function parseInt64(text: Argument): number | bigint | undefined {
  if (typeof text !== "string" || !wholeNumber.test(text)) return undefined;
  if (text.length <= safeLength) return Number(text);
  const value = BigInt(text);
  return value < int64Min || value > int64Max ? undefined : value;
}

/** @throws CommandError unless the argument is a whole number of 64 bits. */
export function int64(argument: Argument): number | bigint {
  const value = parseInt64(argument);
  if (value === undefined) throw noInteger();
  return value;
}

/** As `int64`, rounded to a double: for positions and numbers of things. */
export function integer(argument: Argument): number {
  return Number(int64(argument));
}

/** A count that may be negative, and has a negation. */
export function signedCount(argument: Argument): number {
  const value = int64(argument);
  if (value !== int64Min) return Number(value);
  throw new CommandError(
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
  );
}

export function positiveCount(argument: Argument): number {
  const value = parseInt64(argument);
  if (value === undefined || value < 0) throw notPositive();
  return Number(value);
}

/** @returns undefined when the sum leaves 64 bits */
export function sumOf(a: number | bigint, b: number | bigint): number | bigint | undefined {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum + 0;
  }
  const sum = BigInt(a) + BigInt(b);
  return sum < int64Min || sum > int64Max ? undefined : sum;
}

const float = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity)$/i;
const int64End = 2 ** 63;

/** How long to wait, in milliseconds; 0: without end. */
export function timeoutMs(argument: Argument): number {
  if (typeof argument !== "string" || !float.test(argument)) {
    throw new CommandError("ERR timeout is not a float or out of range");
  }
  const ms = Math.ceil(Number(argument.replace(/inf.*/i, "Infinity")) * 1000);
  if (ms >= int64End) throw new CommandError("ERR timeout is out of range");
  if (ms < 0) throw new CommandError("ERR timeout is negative");
  return ms;
}
