// Lists: arrays from their ends, and by position.

import { never, type Row, type Transaction, type View } from "../../../engine/engine.js";
import type { Stored } from "../../../engine/stored.js";
import { vacate } from "../../../operations/keys.js";
import {
  elementAt,
  elementsBetween,
  insertElement,
  lengthOf,
  removeElements,
  replaceElement,
  trimArray,
} from "../../../operations/list-edits.js";
import { popFrom, pushOnto } from "../../../operations/lists.js";
import type { End } from "../../../operations/requests.js";
import { type Argument, bytesOf } from "../argument.js";
import { CommandError, type CommandContext as Context } from "../command.js";
import type { Encoded } from "../encoder.js";
import { noSuchKey, syntaxError } from "../errors.js";
import { keyIn } from "../names.js";
import { integer, positiveCount } from "../numbers.js";
import { findList } from "./find.js";
import { wordAt } from "./options.js";

/** Adds an element to the list of a row, or with undefined begins one. */
export function pushElement(
  transaction: Transaction,
  key: string,
  row: Row | undefined,
  value: Stored,
  end: End,
): number {
  if (row === undefined) vacate(transaction, key);
  return pushOnto(transaction, key, row, value, end, row === undefined ? never : row.deadline);
}

function push(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
  end: End,
): Encoded {
  const { encode, values } = context;
  const key = keyIn(args, 0);
  let row = findList(transaction, key);
  let length = 0;
  if (args.length === 2) {
    length = pushElement(transaction, key, row, values.store(args[1] as Argument), end);
  } else {
    // All of them are checked before the first one is written.
    const stored = args.slice(1).map(values.store);
    for (const value of stored) {
      length = pushElement(transaction, key, row, value, end);
      row = transaction.lists.get(key);
    }
  }
  context.pushed(key);
  return encode.integer(length);
}

export function lpush(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  return push(transaction, args, context, "first");
}

export function rpush(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  return push(transaction, args, context, "last");
}

export function lpushx(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const isThere = findList(transaction, keyIn(args, 0)) !== undefined;
  return isThere ? push(transaction, args, context, "first") : context.encode.integer(0);
}

export function rpushx(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const isThere = findList(transaction, keyIn(args, 0)) !== undefined;
  return isThere ? push(transaction, args, context, "last") : context.encode.integer(0);
}

/** Removes the element at one end, encoded. What cannot be shown stays. */
export function popElement(
  transaction: Transaction,
  key: string,
  row: Row,
  end: End,
  { encode, values }: Context,
): Encoded {
  return encode.bulk(values.show(popFrom(transaction, key, row, end, values)));
}

/** Removes up to `count` elements at one end. */
export function popElements(
  transaction: Transaction,
  key: string,
  row: Row,
  end: End,
  count: number,
  { encode, values }: Context,
): Encoded {
  const length = lengthOf(row);
  const taken = Math.min(count, length);
  const start = end === "first" ? 0 : length - taken;
  const elements = elementsBetween(transaction, row, start, start + taken);
  if (end === "last") elements.reverse();
  const shown = elements.map((element) => encode.bulk(values.show(element)));
  if (end === "first") trimArray(transaction, key, row, taken, length);
  else trimArray(transaction, key, row, 0, length - taken);
  return encode.array(shown);
}

function pop(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
  end: End,
): Encoded {
  const { encode } = context;
  const key = keyIn(args, 0);
  if (args.length > 2) {
    const name = end === "first" ? "lpop" : "rpop";
    throw new CommandError(`ERR wrong number of arguments for '${name}' command`);
  }
  const count = args.length === 2 ? positiveCount(args[1] as Argument) : undefined;
  const row = findList(transaction, key);
  if (count === undefined) {
    return row === undefined ? encode.nil : popElement(transaction, key, row, end, context);
  }
  if (row === undefined) return encode.nilArray;
  if (count === 0) return encode.array([]);
  return popElements(transaction, key, row, end, count, context);
}

export function lpop(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  return pop(transaction, args, context, "first");
}

export function rpop(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  return pop(transaction, args, context, "last");
}

export function llen(view: View, args: readonly Argument[], { encode }: Context): Encoded {
  const row = findList(view, keyIn(args, 0));
  return encode.integer(row === undefined ? 0 : lengthOf(row));
}

/** Positions as LRANGE counts them: the last one is included. */
function spanOf(start: number, stop: number, length: number): [start: number, end: number] {
  const first = Math.max(0, start < 0 ? length + start : start);
  const last = Math.min(length - 1, stop < 0 ? length + stop : stop);
  return first > last ? [0, 0] : [first, last + 1];
}

export function lrange(
  view: View,
  args: readonly Argument[],
  { encode, values }: Context,
): Encoded {
  const key = keyIn(args, 0);
  const [start, stop] = [integer(args[1] as Argument), integer(args[2] as Argument)];
  const row = findList(view, key);
  if (row === undefined) return encode.array([]);
  const elements = elementsBetween(view, row, ...spanOf(start, stop, lengthOf(row)));
  return encode.array(elements.map((element) => encode.bulk(values.show(element))));
}

export function ltrim(
  transaction: Transaction,
  args: readonly Argument[],
  { encode }: Context,
): Encoded {
  const key = keyIn(args, 0);
  const [start, stop] = [integer(args[1] as Argument), integer(args[2] as Argument)];
  const row = findList(transaction, key);
  if (row !== undefined) {
    trimArray(transaction, key, row, ...spanOf(start, stop, lengthOf(row)));
  }
  return encode.ok;
}

export function lindex(
  view: View,
  args: readonly Argument[],
  { encode, values }: Context,
): Encoded {
  const row = findList(view, keyIn(args, 0));
  const position = row === undefined ? 0 : integer(args[1] as Argument);
  const element = row === undefined ? undefined : elementAt(view, row, position);
  return element === undefined ? encode.nil : encode.bulk(values.show(element));
}

export function lset(
  transaction: Transaction,
  args: readonly Argument[],
  { encode, values }: Context,
): Encoded {
  const row = findList(transaction, keyIn(args, 0));
  if (row === undefined) throw noSuchKey();
  const position = integer(args[1] as Argument);
  const value = values.store(args[2] as Argument);
  if (replaceElement(transaction, row, position, value)) return encode.ok;
  throw new CommandError("ERR index out of range");
}

/** Tells the elements that show as an argument does. */
export function sameAs(argument: Argument, { values }: Context): (element: Stored) => boolean {
  const bytes = bytesOf(argument);
  return (element) => {
    const shown = values.show(element);
    if (typeof shown === "string" && typeof argument === "string") return shown === argument;
    return Buffer.compare(bytesOf(shown), bytes) === 0;
  };
}

export function linsert(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const key = keyIn(args, 0);
  const where = wordAt(args, 1);
  if (where !== "BEFORE" && where !== "AFTER") throw syntaxError();
  const value = context.values.store(args[3] as Argument);
  const row = findList(transaction, key);
  if (row === undefined) return context.encode.integer(0);
  const isPivot = sameAs(args[2] as Argument, context);
  const length = lengthOf(row);
  for (let at = 0; at < length; at++) {
    if (!isPivot(elementAt(transaction, row, at) as Stored)) continue;
    const position = where === "BEFORE" ? at : at + 1;
    return context.encode.integer(insertElement(transaction, key, row, position, value));
  }
  return context.encode.integer(-1);
}

export function lrem(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const key = keyIn(args, 0);
  const count = integer(args[1] as Argument);
  const row = findList(transaction, key);
  if (row === undefined) return context.encode.integer(0);
  const isEqual = sameAs(args[2] as Argument, context);
  const length = lengthOf(row);
  const removedMax = count === 0 ? length : Math.abs(count);
  const positions: number[] = [];
  for (let step = 0; step < length && positions.length < removedMax; step++) {
    const at = count < 0 ? length - 1 - step : step;
    if (isEqual(elementAt(transaction, row, at) as Stored)) positions.push(at);
  }
  if (count < 0) positions.reverse();
  removeElements(transaction, key, row, positions);
  return context.encode.integer(positions.length);
}
