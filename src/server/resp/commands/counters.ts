// Counters: numbers in strings.
//
// What a counter is, Valkey's rules decide: 64 bits, no plus sign, zeros or blanks before it. Sums
// of INCR and its relatives are stored as bare decimals, as those of `kv.incrementBy`.

import { never, type Transaction } from "../../../engine/engine.js";
import { writeValue } from "../../../operations/keys.js";
import type { Argument } from "../argument.js";
import { argumentOf } from "../argument.js";
import { CommandError, type CommandContext as Context } from "../command.js";
import type { Encoded } from "../encoder.js";
import { infiniteSum, noFloat, noInteger, overflow } from "../errors.js";
import {
  addLongDoubles,
  type LongDouble,
  parseLongDouble,
  printLongDouble,
} from "../long-double.js";
import { keyIn } from "../names.js";
import { int64, parseInt64, sumOf } from "../numbers.js";
import { findString } from "./find.js";

function textOf(shown: Argument): string {
  const text = typeof shown === "string" ? shown : argumentOf(shown);
  return typeof text === "string" ? text : "";
}

function add(
  transaction: Transaction,
  args: readonly Argument[],
  { encode, values }: Context,
  delta: number | bigint,
): Encoded {
  const key = keyIn(args, 0);
  const row = findString(transaction, key);
  const before = row === undefined ? 0 : parseInt64(textOf(values.show(row.value)));
  if (before === undefined) throw noInteger();
  const sum = sumOf(before, delta);
  if (sum === undefined) throw overflow();
  writeValue(transaction, key, row, `${sum}`, row === undefined ? never : row.deadline);
  return encode.integer(sum);
}

export function incr(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  return add(transaction, args, context, 1);
}

export function decr(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  return add(transaction, args, context, -1);
}

export function incrby(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  return add(transaction, args, context, int64(args[1] as Argument));
}

export function decrby(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const delta = int64(args[1] as Argument);
  const negated = typeof delta === "bigint" ? -delta : 0 - delta;
  if (negated === 2n ** 63n) throw new CommandError("ERR decrement would overflow");
  return add(transaction, args, context, negated);
}

/** @throws CommandError, as `none`, unless the argument is a finite decimal number */
export function longDoubleOf(argument: Argument, none: () => CommandError): LongDouble {
  const value = parseLongDouble(textOf(argument));
  if (value === undefined) throw none();
  return value;
}

const infinity = /^[+-]?inf(?:inity)?$/i;

export function isInfinity(argument: Argument): boolean {
  return typeof argument === "string" && infinity.test(argument);
}

/** The sum as text. */
export function floatSum(before: LongDouble, delta: LongDouble): string {
  const sum = addLongDoubles(before, delta);
  if (sum === undefined) throw infiniteSum();
  return printLongDouble(sum);
}

const zero = parseLongDouble("0") as LongDouble;

export function incrbyfloat(
  transaction: Transaction,
  args: readonly Argument[],
  { encode, values }: Context,
): Encoded {
  const key = keyIn(args, 0);
  const row = findString(transaction, key);
  const text = row === undefined ? undefined : values.show(row.value);
  const delta = args[1] as Argument;
  const isInfinite = isInfinity(delta) || (text !== undefined && isInfinity(text));
  const before = text === undefined || isInfinity(text) ? zero : longDoubleOf(text, noFloat);
  const added = isInfinity(delta) ? zero : longDoubleOf(delta, noFloat);
  if (isInfinite) throw infiniteSum();
  const sum = floatSum(before, added);
  writeValue(transaction, key, row, values.store(sum), row?.deadline ?? never);
  return encode.bulk(sum);
}
