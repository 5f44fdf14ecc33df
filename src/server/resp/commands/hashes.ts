// Hashes: values whose text is a JSON object, by field.
//
// A new field is a JSON string; any other JSON shows as its text. Every command reads the whole
// object, and writes it as a whole: O(its size).

import { never, type Row, type Transaction, type View } from "../../../engine/engine.js";
import { checkTextBytes } from "../../../kv/serialization/stored-text.js";
import { dropKey, liveValue, writeValue } from "../../../operations/keys.js";
import { distinctBelow } from "../../../operations/query.js";
import { type Argument, byteLengthOf } from "../argument.js";
import { CommandError, type CommandContext as Context } from "../command.js";
import type { Encoded } from "../encoder.js";
import { noFloat, overflow, syntaxError, wrongArity, wrongType } from "../errors.js";
import { type Fields, fieldsOf, hashText } from "../hash-text.js";
import { keyIn } from "../names.js";
import { int64, parseInt64, signedCount, sumOf } from "../numbers.js";
import { shownJson } from "../value-codecs.js";
import { floatSum, isInfinity, longDoubleOf } from "./counters.js";
import { findString } from "./find.js";
import { wordAt } from "./options.js";
import { cursorIn, scanOptions } from "./scan.js";

interface Hash {
  readonly row: Row | undefined;
  readonly fields: Fields;
}

const noFields: Fields = new Map();

/** The fields under a key, none if nothing is there. */
function readFields(view: View, key: string, context: Context): Fields {
  const row = findString(view, key);
  if (row === undefined) return noFields;
  const fields = fieldsOf(row.value, context.values);
  if (fields === undefined) throw wrongType();
  return fields;
}

/** As `readFields`, for a command that is going to write: a map of its own. */
function takeHash(transaction: Transaction, key: string, context: Context): Hash {
  const row = findString(transaction, key);
  if (row !== undefined) {
    const fields = fieldsOf(row.value, context.values);
    if (fields === undefined) throw wrongType();
    return { row, fields };
  }
  if (context.values.serialization === "bytes") {
    throw new CommandError(
      "ERR the store keeps bytes: hashes need a store with serialization json or string",
    );
  }
  return { row, fields: new Map() };
}

function write(transaction: Transaction, key: string, { row, fields }: Hash): void {
  if (fields.size === 0) {
    dropKey(transaction, key);
    return;
  }
  const text = hashText(fields);
  checkTextBytes(text);
  writeValue(transaction, key, row, text, row?.deadline ?? never);
}

function textIn(args: readonly Argument[], at: number, what: string): string {
  const text = args[at];
  if (typeof text === "string") return text;
  throw new CommandError(`ERR ${what} must be valid UTF-8`);
}

/** What is no text is the name of no field. */
function jsonOf(fields: Fields, field: Argument | undefined): string | undefined {
  return typeof field === "string" ? fields.get(field) : undefined;
}

function shown(json: string | undefined, { encode }: Context): Encoded {
  return json === undefined ? encode.nil : encode.bulk(shownJson(json));
}

function setFields(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
  name: string,
): number {
  if (args.length % 2 === 0) throw wrongArity(name);
  const key = keyIn(args, 0);
  const hash = takeHash(transaction, key, context);
  const before = hash.fields.size;
  for (let at = 1; at < args.length; at += 2) {
    const value = textIn(args, at + 1, "values of fields");
    hash.fields.set(textIn(args, at, "field"), JSON.stringify(value));
  }
  write(transaction, key, hash);
  return hash.fields.size - before;
}

export function hset(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  return context.encode.integer(setFields(transaction, args, context, "hset"));
}

export function hmset(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  setFields(transaction, args, context, "hmset");
  return context.encode.ok;
}

export function hsetnx(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const key = keyIn(args, 0);
  const hash = takeHash(transaction, key, context);
  const field = textIn(args, 1, "field");
  if (hash.fields.has(field)) return context.encode.integer(0);
  hash.fields.set(field, JSON.stringify(textIn(args, 2, "values of fields")));
  write(transaction, key, hash);
  return context.encode.integer(1);
}

export function hget(view: View, args: readonly Argument[], context: Context): Encoded {
  return shown(jsonOf(readFields(view, keyIn(args, 0), context), args[1]), context);
}

export function hmget(view: View, args: readonly Argument[], context: Context): Encoded {
  const fields = readFields(view, keyIn(args, 0), context);
  const found = args.slice(1).map((field) => shown(jsonOf(fields, field), context));
  return context.encode.array(found);
}

export function hdel(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const key = keyIn(args, 0);
  const row = findString(transaction, key);
  if (row === undefined) return context.encode.integer(0);
  const fields = readFields(transaction, key, context);
  let deleted = 0;
  for (let at = 1; at < args.length; at++) {
    const field = args[at];
    if (typeof field === "string" && fields.delete(field)) deleted++;
  }
  if (deleted > 0) write(transaction, key, { row, fields });
  return context.encode.integer(deleted);
}

export function hgetall(view: View, args: readonly Argument[], context: Context): Encoded {
  const { encode } = context;
  const parts: Encoded[] = [];
  for (const [field, json] of readFields(view, keyIn(args, 0), context)) {
    parts.push(encode.bulk(field), encode.bulk(shownJson(json)));
  }
  return encode.map(parts);
}

export function hkeys(view: View, args: readonly Argument[], context: Context): Encoded {
  const fields = readFields(view, keyIn(args, 0), context);
  return context.encode.array([...fields.keys()].map((field) => context.encode.bulk(field)));
}

export function hvals(view: View, args: readonly Argument[], context: Context): Encoded {
  const fields = readFields(view, keyIn(args, 0), context);
  return context.encode.array([...fields.values()].map((json) => shown(json, context)));
}

export function hlen(view: View, args: readonly Argument[], context: Context): Encoded {
  return context.encode.integer(readFields(view, keyIn(args, 0), context).size);
}

export function hexists(view: View, args: readonly Argument[], context: Context): Encoded {
  const json = jsonOf(readFields(view, keyIn(args, 0), context), args[1]);
  return context.encode.integer(json === undefined ? 0 : 1);
}

export function hstrlen(view: View, args: readonly Argument[], context: Context): Encoded {
  const json = jsonOf(readFields(view, keyIn(args, 0), context), args[1]);
  return context.encode.integer(json === undefined ? 0 : byteLengthOf(shownJson(json)));
}

/** A number stays a number, and what was a string stays one. */
function numberJson(text: string, before: string | undefined): string {
  return before === undefined || before.startsWith('"') ? `"${text}"` : text;
}

export function hincrby(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const delta = int64(args[2] as Argument);
  const key = keyIn(args, 0);
  const hash = takeHash(transaction, key, context);
  const field = textIn(args, 1, "field");
  const json = hash.fields.get(field);
  const before = json === undefined ? 0 : parseInt64(shownJson(json));
  if (before === undefined) throw new CommandError("ERR hash value is not an integer");
  const sum = sumOf(before, delta);
  if (sum === undefined) throw overflow();
  hash.fields.set(field, numberJson(`${sum}`, json));
  write(transaction, key, hash);
  return context.encode.integer(sum);
}

function noHashFloat(): CommandError {
  return new CommandError("ERR hash value is not a float");
}

export function hincrbyfloat(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const delta = args[2] as Argument;
  if (isInfinity(delta)) throw new CommandError("ERR value is NaN or Infinity");
  const added = longDoubleOf(delta, noFloat);
  const key = keyIn(args, 0);
  const hash = takeHash(transaction, key, context);
  const field = textIn(args, 1, "field");
  const json = hash.fields.get(field);
  const before = longDoubleOf(json === undefined ? "0" : shownJson(json), noHashFloat);
  const sum = floatSum(before, added);
  hash.fields.set(field, numberJson(sum, json));
  write(transaction, key, hash);
  return context.encode.bulk(sum);
}

/** All of it in one page, as Valkey does with hashes of a moderate size. */
export function hscan(view: View, args: readonly Argument[], context: Context): Encoded {
  const { encode } = context;
  cursorIn(args[1] as Argument);
  const key = keyIn(args, 0);
  const fields = readFields(view, key, context);
  // Of a hash that is not there nobody looks at the options.
  const isThere = liveValue(view, key) !== undefined;
  const { matches, noValues } = scanOptions(isThere ? args : [], 2, "HSCAN");
  const parts: Encoded[] = [];
  for (const [field, json] of fields) {
    if (!matches(field)) continue;
    parts.push(encode.bulk(field));
    if (!noValues) parts.push(encode.bulk(shownJson(json)));
  }
  return encode.array([encode.bulk("0"), encode.array(parts)]);
}

export function hrandfield(view: View, args: readonly Argument[], context: Context): Encoded {
  const { encode } = context;
  const count = args.length > 1 ? signedCount(args[1] as Argument) : undefined;
  const withValues = args.length > 2;
  if (args.length > 3 || (withValues && wordAt(args, 2) !== "WITHVALUES")) throw syntaxError();
  if (withValues && Math.abs(count ?? 0) >= 2 ** 62) {
    throw new CommandError("ERR value is out of range");
  }
  const entries = [...readFields(view, keyIn(args, 0), context)];
  if (count === undefined) {
    const [field] = entries.length === 0 ? [] : (entries[view.random.below(entries.length)] ?? []);
    return field === undefined ? encode.nil : encode.bulk(field);
  }
  const chosen = randomRanks(view, entries.length, count);
  const parts = chosen.flatMap((rank) => pair(entries[rank], withValues, context));
  return encode.array(parts);
}

function pair(
  entry: readonly [string, string] | undefined,
  withValues: boolean,
  { encode }: Context,
): Encoded[] {
  const [field = "", json = ""] = entry ?? [];
  if (!withValues) return [encode.bulk(field)];
  const parts = [encode.bulk(field), encode.bulk(shownJson(json))];
  return encode.protocol === 3 ? [encode.array(parts)] : parts;
}

/** All ranks below `size` in order, some of them in any order, or as many as asked for with a negative count. */
export function randomRanks(view: View, size: number, count: number): number[] {
  if (size === 0) return [];
  if (count >= size) return Array.from({ length: size }, (_, rank) => rank);
  if (count >= 0) return distinctBelow(view, size, count);
  if (-count > repeatedMax) throw new CommandError("ERR value is out of range");
  return Array.from({ length: -count }, () => view.random.below(size));
}

/** What one reply gives at most of what may come again and again. */
const repeatedMax = 1_000_000;
