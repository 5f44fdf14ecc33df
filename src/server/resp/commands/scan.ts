// Scan: all keys of a store, at once or page by page.
//
// Keys lie in three tables. SCAN goes through the filters first, in the order in which they lie, and
// then through values and arrays, merged in the order of their names: so a key that turns from one
// of these two into the other, or from a set into one of them, is not missed on the way.

import { compareByteOrder } from "../../../base/byte-order.js";
import type { ReadTable, View } from "../../../engine/engine.js";
import { bucketsAfter } from "../../../operations/items.js";
import { findKey, liveArray, liveValue } from "../../../operations/keys.js";
import type { Argument } from "../argument.js";
import { CommandError, type CommandContext as Context } from "../command.js";
import type { Encoded } from "../encoder.js";
import { syntaxError } from "../errors.js";
import { globOf, literalPrefix, type Matches } from "../glob.js";
import { integer } from "../numbers.js";
import { typeName } from "./keys.js";
import { wordAt } from "./options.js";

const everything: Matches = () => true;

export interface ScanOptions {
  readonly count: number;
  readonly matches: Matches;
  /** What every match begins with. */
  readonly prefix: string;
  readonly type: string | undefined;
  readonly noValues: boolean;
}

const countDefault = 10;
const types = ["string", "list", "set", "zset", "hash", "stream"];

const noValuesMisplaced = "ERR NOVALUES option can only be used in HSCAN";

const cursorForm = /^\d{1,20}$/;
const cursorEnd = 2n ** 64n;

/** The cursor as it was handed out. */
export function cursorIn(argument: Argument): string {
  if (typeof argument === "string" && cursorForm.test(argument)) {
    const cursor = BigInt(argument);
    if (cursor < cursorEnd) return cursor.toString();
  }
  throw new CommandError("ERR invalid cursor");
}

export function scanOptions(
  args: readonly Argument[],
  first: number,
  command: "SCAN" | "HSCAN" | "SSCAN",
): ScanOptions {
  let count = countDefault;
  let pattern: Argument | undefined;
  let type: string | undefined;
  let noValues = false;
  for (let at = first; at < args.length; at++) {
    const word = wordAt(args, at);
    const next = args[at + 1];
    if (word === "NOVALUES") {
      if (command !== "HSCAN") throw new CommandError(noValuesMisplaced);
      noValues = true;
      continue;
    }
    if (next === undefined) throw syntaxError();
    if (word === "COUNT") count = pageSize(next);
    else if (word === "MATCH") pattern = next;
    else if (word === "TYPE" && command === "SCAN") type = typeIn(next);
    else throw syntaxError();
    at++;
  }
  const matches = pattern === undefined ? everything : globOf(pattern);
  const prefix = pattern === undefined ? "" : literalPrefix(pattern);
  return { count, matches, prefix, type, noValues };
}

function pageSize(argument: Argument): number {
  const count = integer(argument);
  if (count < 1) throw syntaxError();
  return count;
}

function typeIn(argument: Argument): string {
  const type = String(argument).toLowerCase();
  if (types.includes(type)) return type;
  throw new CommandError(`ERR unknown type name '${String(argument)}'`);
}

/** A filter that a value or an array of the same name hides is no key. */
function isHidden(view: View, bucket: string): boolean {
  return liveValue(view, bucket) !== undefined || liveArray(view, bucket) !== undefined;
}

/** Up to `count` keys of a table behind `after`, or from the prefix on. */
function pageOf(
  table: ReadTable,
  prefix: string,
  after: string | undefined,
  count: number,
): string[] {
  const { start, end } = table.prefixRange(prefix);
  const behind = after === undefined ? 0 : table.rank(after) + (table.has(after) ? 1 : 0);
  const first = Math.max(start, behind);
  const last = Math.min(end, first + count);
  return first < last ? table.slice(first, last) : [];
}

// A place is "s" and the name of a filter, or "k" and the name of a value or an array.

export function scan(view: View, args: readonly Argument[], context: Context): Encoded {
  const { encode, cursors } = context;
  const cursor = cursorIn(args[0] as Argument);
  const options = scanOptions(args, 1, "SCAN");
  const place = keyPlace(cursors.placeOf(cursor));
  const keys: string[] = [];
  let left = options.count;
  let next: string | undefined;
  if (place === undefined || place.startsWith("s")) {
    for (const bucket of bucketsAfter(view, place?.slice(1))) {
      if (left === 0) break;
      left--;
      next = `s${bucket}`;
      if (!isHidden(view, bucket)) keys.push(bucket);
    }
  }
  if (left > 0) {
    const after = place?.startsWith("k") === true ? place.slice(1) : undefined;
    const page = mergedPage(view, options.prefix, after, left);
    next = page.length < left ? undefined : `k${page.at(-1)}`;
    keys.push(...page);
  }
  const found = keys.filter((key) => isAskedFor(view, key, options, context));
  return encode.array([
    encode.bulk(next === undefined ? "0" : cursors.toward(next)),
    encode.array(found.map((key) => encode.bulk(key))),
  ]);
}

/** Cursors of sets lead nowhere here. */
function keyPlace(place: string | undefined): string | undefined {
  return place?.startsWith("s") || place?.startsWith("k") ? place : undefined;
}

function mergedPage(
  view: View,
  prefix: string,
  after: string | undefined,
  count: number,
): string[] {
  const values = pageOf(view.values, prefix, after, count);
  if (view.lists.size === 0) return values;
  const arrays = pageOf(view.lists, prefix, after, count);
  if (arrays.length === 0) return values;
  return [...values, ...arrays].sort(compareByteOrder).slice(0, count);
}

function isAskedFor(
  view: View,
  key: string,
  { matches, type }: ScanOptions,
  context: Context,
): boolean {
  if (!matches(key)) return false;
  if (type === undefined) return true;
  const found = findKey(view, key);
  return found !== undefined && typeName(found, context) === type;
}

export function keys(view: View, args: readonly Argument[], { encode }: Context): Encoded {
  const pattern = args[0] as Argument;
  const matches = globOf(pattern);
  const prefix = literalPrefix(pattern);
  const found: Encoded[] = [];
  const take = (key: string): void => {
    if (matches(key)) found.push(encode.bulk(key));
  };
  for (const table of [view.values, view.lists]) {
    if (table.size > 0) pageOf(table, prefix, undefined, table.size).forEach(take);
  }
  for (const bucket of bucketsAfter(view, undefined)) if (!isHidden(view, bucket)) take(bucket);
  return encode.array(found);
}

function visibleBuckets(view: View): string[] {
  return [...bucketsAfter(view, undefined)].filter((bucket) => !isHidden(view, bucket));
}

export function bucketCount(view: View): number {
  return view.members.size === 0 ? 0 : visibleBuckets(view).length;
}

export function dbsize(view: View, _: readonly Argument[], { encode }: Context): Encoded {
  return encode.integer(view.values.size + view.lists.size + bucketCount(view));
}

export function randomkey(view: View, _: readonly Argument[], { encode }: Context): Encoded {
  const buckets = view.members.size === 0 ? [] : visibleBuckets(view);
  const { values, lists } = view;
  const total = values.size + lists.size + buckets.length;
  if (total === 0) return encode.nil;
  const rank = view.random.below(total);
  if (rank < values.size) return encode.bulk(values.select(rank) as string);
  if (rank < values.size + lists.size) {
    return encode.bulk(lists.select(rank - values.size) as string);
  }
  return encode.bulk(buckets[rank - values.size - lists.size] as string);
}
