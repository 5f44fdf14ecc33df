// Set algebra: intersections, unions and differences of sets, and their storage.

import { never, type Transaction, type View } from "../../../engine/engine.js";
import { insertItem } from "../../../operations/items.js";
import { dropKey } from "../../../operations/keys.js";
import type { Argument } from "../argument.js";
import { CommandError, type CommandContext as Context } from "../command.js";
import type { Encoded } from "../encoder.js";
import { syntaxError } from "../errors.js";
import { checkSetKey, keyIn, keysIn, memberOf } from "../names.js";
import { parseInt64 } from "../numbers.js";
import { wordAt } from "./options.js";
import { itemsOf } from "./sets.js";

type Combine = (sets: readonly (readonly string[])[]) => Set<string>;

const intersection: Combine = ([first = [], ...others]) => {
  const sets = others.map((items) => new Set(items));
  return new Set(first.filter((item) => sets.every((set) => set.has(item))));
};

const union: Combine = (sets) => new Set(sets.flat());

const difference: Combine = ([first = [], ...others]) => {
  const without = new Set(others.flat());
  return new Set(first.filter((item) => !without.has(item)));
};

function combined(view: View, keys: readonly string[], combine: Combine): Set<string> {
  return combine(keys.map((key) => itemsOf(view, key)));
}

type Read = (view: View, args: readonly Argument[], context: Context) => Encoded;
type Write = (transaction: Transaction, args: readonly Argument[], context: Context) => Encoded;

function reading(combine: Combine): Read {
  return (view, args, { encode }) => {
    const items = combined(view, keysIn(args), combine);
    return encode.set([...items].map((item) => encode.bulk(memberOf(item))));
  };
}

function storing(combine: Combine): Write {
  return (transaction, args, { encode }) => {
    const to = keyIn(args, 0);
    const items = combined(transaction, keysIn(args, 1), combine);
    if (items.size > 0) checkSetKey(to);
    dropKey(transaction, to);
    for (const item of items) insertItem(transaction, to, item, never);
    return encode.integer(items.size);
  };
}

export const sinter = reading(intersection);
export const sunion = reading(union);
export const sdiff = reading(difference);
export const sinterstore = storing(intersection);
export const sunionstore = storing(union);
export const sdiffstore = storing(difference);

export function sintercard(view: View, args: readonly Argument[], { encode }: Context): Encoded {
  const numkeys = parseInt64(args[0] as Argument);
  if (numkeys === undefined || numkeys < 1) {
    throw new CommandError("ERR numkeys should be greater than 0");
  }
  const end = 1 + Number(numkeys);
  if (end > args.length) {
    throw new CommandError("ERR Number of keys can't be greater than number of args");
  }
  const limit = limitIn(args, end);
  const { size } = combined(view, keysIn(args, 1, end), intersection);
  return encode.integer(limit === 0 ? size : Math.min(size, limit));
}

/** 0 for none. */
function limitIn(args: readonly Argument[], first: number): number {
  let limit = 0;
  for (let at = first; at < args.length; at += 2) {
    if (wordAt(args, at) !== "LIMIT" || at + 1 >= args.length) throw syntaxError();
    const value = parseInt64(args[at + 1] as Argument);
    if (value === undefined || value < 0) throw new CommandError("ERR LIMIT can't be negative");
    limit = Number(value);
  }
  return limit;
}
