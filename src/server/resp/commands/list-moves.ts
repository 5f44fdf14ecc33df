// List moves: LPOS, and what takes elements from one list of several, or gives them to another.
//
// Those that may wait are tried in a transaction: they answer undefined while there is nothing.

import type { Transaction, View } from "../../../engine/engine.js";
import type { Stored } from "../../../engine/stored.js";
import { elementAt, lengthOf } from "../../../operations/list-edits.js";
import type { End } from "../../../operations/requests.js";
import type { Argument } from "../argument.js";
import { CommandError, type CommandContext as Context } from "../command.js";
import type { Encoded, Encoder } from "../encoder.js";
import { syntaxError } from "../errors.js";
import { keyIn, keysIn } from "../names.js";
import { parseInt64, signedCount, timeoutMs } from "../numbers.js";
import { findList } from "./find.js";
import { popElement, popElements, pushElement, sameAs } from "./lists.js";
import { wordAt } from "./options.js";

interface Search {
  rank: number;
  count: number | undefined;
  comparisonsMax: number;
}

function searchIn(args: readonly Argument[]): Search {
  const search: Search = { rank: 1, count: undefined, comparisonsMax: 0 };
  for (let at = 2; at < args.length; at += 2) {
    const word = wordAt(args, at);
    const argument = args[at + 1];
    if (argument === undefined) throw syntaxError();
    if (word === "RANK") search.rank = rankOf(argument);
    else if (word === "COUNT") search.count = notNegative(argument, word);
    else if (word === "MAXLEN") search.comparisonsMax = notNegative(argument, word);
    else throw syntaxError();
  }
  return search;
}

function rankOf(argument: Argument): number {
  const rank = signedCount(argument);
  if (rank !== 0) return rank;
  throw new CommandError(
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... " +
      "or use negative to start from the end of the list",
  );
}

function notNegative(argument: Argument, word: string): number {
  const value = parseInt64(argument);
  if (value === undefined || value < 0) throw new CommandError(`ERR ${word} can't be negative`);
  return Number(value);
}

export function lpos(view: View, args: readonly Argument[], context: Context): Encoded {
  const { encode } = context;
  const key = keyIn(args, 0);
  const { rank, count, comparisonsMax } = searchIn(args);
  const row = findList(view, key);
  const found: number[] = [];
  const wanted = count === undefined ? 1 : count === 0 ? Infinity : count;
  const isEqual = sameAs(args[1] as Argument, context);
  const length = row === undefined ? 0 : lengthOf(row);
  const steps = comparisonsMax === 0 ? length : Math.min(length, comparisonsMax);
  let skipped = Math.abs(rank) - 1;
  for (let step = 0; row !== undefined && step < steps && found.length < wanted; step++) {
    const at = rank < 0 ? length - 1 - step : step;
    if (!isEqual(elementAt(view, row, at) as Stored)) continue;
    if (skipped > 0) skipped--;
    else found.push(at);
  }
  if (count !== undefined) return encode.array(found.map((at) => encode.integer(at)));
  const [first] = found;
  return first === undefined ? encode.nil : encode.integer(first);
}

function endIn(args: readonly Argument[], at: number): End {
  const word = wordAt(args, at);
  if (word === "LEFT") return "first";
  if (word === "RIGHT") return "last";
  throw syntaxError();
}

/** Takes an element from one list and gives it to another; undefined when there is none. */
function moveElement(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
  fromEnd: End,
  toEnd: End,
): Encoded | undefined {
  const [from, to] = [keyIn(args, 0), keyIn(args, 1)];
  const source = findList(transaction, from);
  if (source === undefined) return undefined;
  findList(transaction, to);
  const element = elementAt(transaction, source, fromEnd === "first" ? 0 : -1) as Stored;
  if (from === to && lengthOf(source) === 1)
    return context.encode.bulk(context.values.show(element));
  const shown = popElement(transaction, from, source, fromEnd, context);
  pushElement(transaction, to, findList(transaction, to), element, toEnd);
  context.pushed(to);
  return shown;
}

export function lmove(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const [fromEnd, toEnd] = [endIn(args, 2), endIn(args, 3)];
  return moveElement(transaction, args, context, fromEnd, toEnd) ?? context.encode.nil;
}

export function rpoplpush(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  return moveElement(transaction, args, context, "last", "first") ?? context.encode.nil;
}

interface MultiplePop {
  readonly keys: readonly string[];
  readonly end: End;
  readonly count: number;
}

/** `numkeys key [key ...] <LEFT | RIGHT> [COUNT count]` from a position on. */
function multiplePop(args: readonly Argument[], first: number): MultiplePop {
  const numkeys = parseInt64(args[first] as Argument);
  if (numkeys === undefined || numkeys < 1) {
    throw new CommandError("ERR numkeys should be greater than 0");
  }
  const where = first + 1 + Number(numkeys);
  if (where >= args.length) throw syntaxError();
  const end = endIn(args, where);
  let count: number | undefined;
  for (let at = where + 1; at < args.length; at += 2) {
    if (count !== undefined || wordAt(args, at) !== "COUNT" || at + 1 >= args.length) {
      throw syntaxError();
    }
    count = countIn(args[at + 1] as Argument);
  }
  return { keys: keysIn(args, first + 1, where), end, count: count ?? 1 };
}

function countIn(argument: Argument): number {
  const count = parseInt64(argument);
  if (count !== undefined && count > 0) return Number(count);
  throw new CommandError("ERR count should be greater than 0");
}

function popFirstOf(
  transaction: Transaction,
  { keys, end, count }: MultiplePop,
  context: Context,
): Encoded | undefined {
  for (const key of keys) {
    const row = findList(transaction, key);
    if (row === undefined) continue;
    const elements = popElements(transaction, key, row, end, count, context);
    return context.encode.array([context.encode.bulk(key), elements]);
  }
  return undefined;
}

export function lmpop(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  return popFirstOf(transaction, multiplePop(args, 0), context) ?? context.encode.nilArray;
}

export interface Plan {
  readonly keys: readonly string[];
  readonly timeoutMs: number;
}

function timeoutIn(args: readonly Argument[], at: number): number {
  return timeoutMs(args[at] as Argument);
}

export function planPop(args: readonly Argument[]): Plan {
  const ms = timeoutIn(args, args.length - 1);
  return { keys: keysIn(args, 0, args.length - 1), timeoutMs: ms };
}

export function planMove(args: readonly Argument[]): Plan {
  endIn(args, 2);
  endIn(args, 3);
  return planOldMove(args, 4);
}

export function planOldMove(args: readonly Argument[], timeoutAt = 2): Plan {
  const ms = timeoutIn(args, timeoutAt);
  keyIn(args, 1);
  return { keys: [keyIn(args, 0)], timeoutMs: ms };
}

export function planMultiplePop(args: readonly Argument[]): Plan {
  const { keys } = multiplePop(args, 1);
  return { keys, timeoutMs: timeoutIn(args, 0) };
}

function takeFrom(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
  end: End,
): Encoded | undefined {
  for (let at = 0; at < args.length - 1; at++) {
    const key = keyIn(args, at);
    const row = findList(transaction, key);
    if (row === undefined) continue;
    const element = popElement(transaction, key, row, end, context);
    return context.encode.array([context.encode.bulk(key), element]);
  }
  return undefined;
}

type Take = (
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
) => Encoded | undefined;

export const blpop: Take = (transaction, args, context) =>
  takeFrom(transaction, args, context, "first");

export const brpop: Take = (transaction, args, context) =>
  takeFrom(transaction, args, context, "last");

export const blmove: Take = (transaction, args, context) =>
  moveElement(transaction, args, context, endIn(args, 2), endIn(args, 3));

export const brpoplpush: Take = (transaction, args, context) =>
  moveElement(transaction, args, context, "last", "first");

export const blmpop: Take = (transaction, args, context) =>
  popFirstOf(transaction, multiplePop(args, 1), context);

/** Nobody has added an element in time. */
export function noneArray(encode: Encoder): Encoded {
  return encode.nilArray;
}

export function noneBulk(encode: Encoder): Encoded {
  return encode.nil;
}
