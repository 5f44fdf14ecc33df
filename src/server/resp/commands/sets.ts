// Sets: filters as sets of members.
//
// The members of a set have one deadline, that of the first one. Whatever counts or chooses by rank
// runs on reaped tables.

import { never, type Transaction, type View } from "../../../engine/engine.js";
import {
  hasItem,
  insertItem,
  itemAt,
  itemRange,
  itemsBetween,
  rankBehind,
  removeItem,
} from "../../../operations/items.js";
import type { Argument } from "../argument.js";
import type { CommandContext as Context } from "../command.js";
import type { Encoded } from "../encoder.js";
import { syntaxError } from "../errors.js";
import { checkSetKey, findableItem, itemIn, keyIn, memberOf } from "../names.js";
import { positiveCount, signedCount } from "../numbers.js";
import { findSet } from "./find.js";
import { randomRanks } from "./hashes.js";
import { cursorIn, scanOptions } from "./scan.js";

export function sizeOf(view: View, key: string): number {
  const { start, end } = itemRange(view, key);
  return end - start;
}

/** All items of a set. */
export function itemsOf(view: View, key: string): string[] {
  return findSet(view, key) === undefined ? [] : itemsBetween(view, key, 0, Infinity);
}

function member(item: string, { encode }: Context): Encoded {
  return encode.bulk(memberOf(item));
}

export function sadd(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const key = keyIn(args, 0);
  checkSetKey(key);
  const items: string[] = [];
  for (let at = 1; at < args.length; at++) items.push(itemIn(args, at));
  const deadline = findSet(transaction, key)?.deadline ?? never;
  let added = 0;
  for (const item of items) if (insertItem(transaction, key, item, deadline)) added++;
  return context.encode.integer(added);
}

export function srem(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const key = keyIn(args, 0);
  let removed = 0;
  if (findSet(transaction, key) !== undefined) {
    for (let at = 1; at < args.length; at++) {
      const item = findableItem(args[at] as Argument);
      if (item !== undefined && removeItem(transaction, key, item)) removed++;
    }
  }
  return context.encode.integer(removed);
}

function contains(view: View, key: string, argument: Argument | undefined): boolean {
  const item = findableItem(argument as Argument);
  return item !== undefined && hasItem(view, key, item);
}

export function sismember(view: View, args: readonly Argument[], { encode }: Context): Encoded {
  const key = keyIn(args, 0);
  const isThere = findSet(view, key) !== undefined && contains(view, key, args[1]);
  return encode.integer(isThere ? 1 : 0);
}

export function smismember(view: View, args: readonly Argument[], { encode }: Context): Encoded {
  const key = keyIn(args, 0);
  const isSet = findSet(view, key) !== undefined;
  return encode.array(
    args.slice(1).map((name) => encode.integer(isSet && contains(view, key, name) ? 1 : 0)),
  );
}

export function smembers(view: View, args: readonly Argument[], context: Context): Encoded {
  const items = itemsOf(view, keyIn(args, 0));
  return context.encode.set(items.map((item) => member(item, context)));
}

export function scard(view: View, args: readonly Argument[], { encode }: Context): Encoded {
  const key = keyIn(args, 0);
  return encode.integer(findSet(view, key) === undefined ? 0 : sizeOf(view, key));
}

export function srandmember(view: View, args: readonly Argument[], context: Context): Encoded {
  const { encode } = context;
  const key = keyIn(args, 0);
  const count = args.length > 1 ? signedCount(args[1] as Argument) : undefined;
  if (args.length > 2) throw syntaxError();
  const size = findSet(view, key) === undefined ? 0 : sizeOf(view, key);
  if (count === undefined) {
    if (size === 0) return encode.nil;
    return member(itemAt(view, key, view.random.below(size)), context);
  }
  const ranks = randomRanks(view, size, count);
  return encode.array(ranks.map((rank) => member(itemAt(view, key, rank), context)));
}

export function spop(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const { encode } = context;
  const key = keyIn(args, 0);
  if (args.length > 2) throw syntaxError();
  const count = args.length > 1 ? positiveCount(args[1] as Argument) : undefined;
  const size = findSet(transaction, key) === undefined ? 0 : sizeOf(transaction, key);
  const ranks = randomRanks(transaction, size, count ?? 1);
  const items = ranks.map((rank) => itemAt(transaction, key, rank));
  for (const item of items) removeItem(transaction, key, item);
  if (count !== undefined) return encode.set(items.map((item) => member(item, context)));
  const [item] = items;
  return item === undefined ? encode.nil : member(item, context);
}

export function smove(
  transaction: Transaction,
  args: readonly Argument[],
  { encode }: Context,
): Encoded {
  const [from, to] = [keyIn(args, 0), keyIn(args, 1)];
  const source = findSet(transaction, from);
  if (source === undefined) return encode.integer(0);
  const target = findSet(transaction, to);
  const item = findableItem(args[2] as Argument);
  if (item === undefined || !hasItem(transaction, from, item)) return encode.integer(0);
  if (from === to) return encode.integer(1);
  checkSetKey(to);
  removeItem(transaction, from, item);
  insertItem(transaction, to, item, target?.deadline ?? never);
  return encode.integer(1);
}

/** Sets up to this size come as one page, as small ones do in Valkey. */
const wholePageMax = 128;

// A place is "m", the name of the set and its last item, the lengths keeping them apart.

export function sscan(view: View, args: readonly Argument[], context: Context): Encoded {
  const { encode, cursors } = context;
  const cursor = cursorIn(args[1] as Argument);
  const key = keyIn(args, 0);
  // Of a set that is not there nobody looks at the options.
  if (findSet(view, key) === undefined) return encode.array([encode.bulk("0"), encode.array([])]);
  const { count, matches } = scanOptions(args, 2, "SSCAN");
  const size = sizeOf(view, key);
  const head = `m${key.length}:${key}`;
  const place = cursors.placeOf(cursor);
  const after = place?.startsWith(head) ? place.slice(head.length) : undefined;
  const first = after === undefined ? 0 : rankBehind(view, key, after);
  const end = size <= wholePageMax ? size : Math.min(size, first + count);
  const items = itemsBetween(view, key, first, end);
  const last = items.at(-1);
  const next = end < size && last !== undefined ? cursors.toward(head + last) : "0";
  const found = items.map(memberOf).filter(matches);
  return encode.array([encode.bulk(next), encode.array(found.map(encode.bulk))]);
}
