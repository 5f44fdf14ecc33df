// Strings: values as text or bytes.
//
// What is JSON but no string in a store of JSON shows as its text, and is a string again once one of
// these commands has written it.

import { never, type Row, type Transaction, type View } from "../../../engine/engine.js";
import { dropKey, kindOf, liveValue, overwrite, writeValue } from "../../../operations/keys.js";
import { type Argument, argumentOf, byteLengthOf, bytesOf } from "../argument.js";
import { CommandError, type CommandContext as Context } from "../command.js";
import type { Encoded } from "../encoder.js";
import { tooLong, wrongArity } from "../errors.js";
import { keyIn } from "../names.js";
import { integer } from "../numbers.js";
import { deadlineIn, milliseconds, seconds, type TimeUnit } from "./expiries.js";
import { findString } from "./find.js";

export function get(view: View, args: readonly Argument[], context: Context): Encoded {
  const row = findString(view, keyIn(args, 0));
  return row === undefined
    ? context.encode.nil
    : context.encode.bulk(context.values.show(row.value));
}

function shown(row: Row | undefined, { encode, values }: Context): Encoded {
  return row === undefined ? encode.nil : encode.bulk(values.show(row.value));
}

export function getset(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const key = keyIn(args, 0);
  const value = context.values.store(args[1] as Argument);
  const row = findString(transaction, key);
  const reply = shown(row, context);
  writeValue(transaction, key, row, value, never);
  return reply;
}

export function getdel(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const key = keyIn(args, 0);
  const row = findString(transaction, key);
  const reply = shown(row, context);
  if (row !== undefined) dropKey(transaction, key);
  return reply;
}

export function mget(view: View, args: readonly Argument[], context: Context): Encoded {
  const replies: Encoded[] = [];
  for (let at = 0; at < args.length; at++) {
    replies.push(shown(liveValue(view, keyIn(args, at)), context));
  }
  return context.encode.array(replies);
}

/** All of them are checked before the first one is written. */
function pairsOf(args: readonly Argument[], { values }: Context, name: string) {
  if (args.length % 2 !== 0) throw wrongArity(name);
  const pairs = [];
  for (let at = 0; at < args.length; at += 2) {
    pairs.push({ key: keyIn(args, at), value: values.store(args[at + 1] as Argument) });
  }
  return pairs;
}

export function mset(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const pairs = pairsOf(args, context, "mset");
  for (const { key, value } of pairs) overwrite(transaction, key, value, never);
  return context.encode.ok;
}

export function msetnx(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const pairs = pairsOf(args, context, "msetnx");
  for (const { key } of pairs) {
    if (kindOf(transaction, key) !== undefined) return context.encode.integer(0);
  }
  for (const { key, value } of pairs) overwrite(transaction, key, value, never);
  return context.encode.integer(1);
}

export function setnx(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const key = keyIn(args, 0);
  const value = context.values.store(args[1] as Argument);
  if (kindOf(transaction, key) !== undefined) return context.encode.integer(0);
  overwrite(transaction, key, value, never);
  return context.encode.integer(1);
}

function setFor(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
  unit: TimeUnit,
  name: string,
): Encoded {
  const key = keyIn(args, 0);
  const deadline = deadlineIn(args[1] as Argument, unit, transaction.now, name);
  const value = context.values.store(args[2] as Argument);
  overwrite(transaction, key, value, deadline);
  return context.encode.ok;
}

export function setex(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  return setFor(transaction, args, context, seconds, "setex");
}

export function psetex(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  return setFor(transaction, args, context, milliseconds, "psetex");
}

export function strlen(view: View, args: readonly Argument[], context: Context): Encoded {
  const row = findString(view, keyIn(args, 0));
  const length = row === undefined ? 0 : byteLengthOf(context.values.show(row.value));
  return context.encode.integer(length);
}

export function append(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const key = keyIn(args, 0);
  const added = args[1] as Argument;
  const row = findString(transaction, key);
  const whole = row === undefined ? added : joined(context.values.show(row.value), added);
  writeValue(transaction, key, row, context.values.store(whole), row?.deadline ?? never);
  return context.encode.integer(byteLengthOf(whole));
}

function joined(first: Argument, second: Argument): Argument {
  checkLength(byteLengthOf(first) + byteLengthOf(second));
  if (typeof first === "string" && typeof second === "string") return first + second;
  return argumentOf(Buffer.concat([bytesOf(first), bytesOf(second)]));
}

/** As large as a client may send it; longer values come from other doors. */
const grownBytesMax = 64 * 1024 * 1024;

function checkLength(bytes: number): void {
  if (bytes > grownBytesMax) throw tooLong();
}

export function getrange(view: View, args: readonly Argument[], context: Context): Encoded {
  const key = keyIn(args, 0);
  const start = integer(args[1] as Argument);
  const end = integer(args[2] as Argument);
  const row = findString(view, key);
  if (row === undefined || (start < 0 && end < 0 && start > end)) return context.encode.bulk("");
  const bytes = bytesOf(context.values.show(row.value));
  const first = Math.max(0, start < 0 ? bytes.length + start : start);
  const last = Math.min(bytes.length - 1, Math.max(0, end < 0 ? bytes.length + end : end));
  return context.encode.bulk(first > last ? "" : bytes.subarray(first, last + 1));
}

export function setrange(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const key = keyIn(args, 0);
  const offset = integer(args[1] as Argument);
  if (offset < 0) throw new CommandError("ERR offset is out of range");
  const patch = bytesOf(args[2] as Argument);
  const row = findString(transaction, key);
  const before = row === undefined ? new Uint8Array() : bytesOf(context.values.show(row.value));
  if (patch.length === 0) return context.encode.integer(before.length);
  checkLength(offset + patch.length);
  const after = Buffer.alloc(Math.max(before.length, offset + patch.length));
  after.set(before);
  after.set(patch, offset);
  const value = context.values.store(argumentOf(after));
  writeValue(transaction, key, row, value, row?.deadline ?? never);
  return context.encode.integer(after.length);
}
