// SET and GETEX: the commands of strings that take options.

import { never, type Row, type Transaction } from "../../../engine/engine.js";
import { dropKey, findKey, overwrite } from "../../../operations/keys.js";
import { type Argument, bytesOf } from "../argument.js";
import type { CommandContext as Context } from "../command.js";
import type { Encoded } from "../encoder.js";
import { syntaxError, wrongType } from "../errors.js";
import { keyIn } from "../names.js";
import { deadlineIn, isPast, type TimeUnit, unitOf } from "./expiries.js";
import { findString } from "./find.js";
import { wordAt } from "./options.js";

type Condition = "NX" | "XX" | "IFEQ";

interface Options {
  condition: Condition | undefined;
  expected: Argument | undefined;
  /** What becomes of the deadline; undefined: it goes. */
  expiry: "KEEPTTL" | "PERSIST" | TimeUnit | undefined;
  time: Argument | undefined;
  get: boolean;
}

export function set(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const key = keyIn(args, 0);
  if (args.length > 2) return setWith(transaction, key, args, context);
  overwrite(transaction, key, context.values.store(args[1] as Argument), never);
  return context.encode.ok;
}

function setWith(
  transaction: Transaction,
  key: string,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const options = optionsIn(args, 2, "SET");
  const deadline = deadlineOf(transaction, options, "set");
  const value = context.values.store(args[1] as Argument);
  const found = findKey(transaction, key);
  if (options.get && found !== undefined && found.kind !== "value") throw wrongType();
  const row = found?.kind === "value" ? found.row : undefined;
  const former = options.get ? shown(row, context) : undefined;
  if (!holds(options, row, found !== undefined, context)) return former ?? context.encode.nil;
  const kept = options.expiry === "KEEPTTL" ? (found?.row.deadline ?? never) : deadline;
  if (isPast(kept, transaction.now)) dropKey(transaction, key);
  else overwrite(transaction, key, value, kept);
  return former ?? context.encode.ok;
}

function shown(row: Row | undefined, { encode, values }: Context): Encoded {
  return row === undefined ? encode.nil : encode.bulk(values.show(row.value));
}

function holds(
  { condition, expected }: Options,
  row: Row | undefined,
  isThere: boolean,
  { values }: Context,
): boolean {
  if (condition === undefined) return true;
  if (condition === "NX") return !isThere;
  if (condition === "XX") return isThere;
  if (row === undefined) {
    if (isThere) throw wrongType();
    return false;
  }
  const [a, b] = [values.show(row.value), expected as Argument];
  return a === b || Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
}

export function getex(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const key = keyIn(args, 0);
  const options = optionsIn(args, 1, "GETEX");
  const row = findString(transaction, key);
  if (row === undefined) return context.encode.nil;
  const deadline = deadlineOf(transaction, options, "getex");
  const reply = context.encode.bulk(context.values.show(row.value));
  if (options.expiry === undefined) return reply;
  if (isPast(deadline, transaction.now)) dropKey(transaction, key);
  else transaction.values.put(key, row.value, deadline);
  return reply;
}

function deadlineOf(transaction: Transaction, { time, expiry }: Options, name: string): number {
  if (time === undefined || typeof expiry !== "object") return never;
  return deadlineIn(time, expiry, transaction.now, name);
}

function optionsIn(args: readonly Argument[], first: number, command: "SET" | "GETEX"): Options {
  const options: Options = {
    condition: undefined,
    expected: undefined,
    expiry: undefined,
    time: undefined,
    get: false,
  };
  for (let at = first; at < args.length; at++) {
    const word = wordAt(args, at);
    if (takeWord(options, word, command)) continue;
    // The others are followed by an argument.
    at++;
    if (at >= args.length || !takePair(options, word, args[at] as Argument, command)) {
      throw syntaxError();
    }
  }
  return options;
}

/** An option of one word; false when it is none, or does not go together with the others. */
function takeWord(options: Options, word: string, command: "SET" | "GETEX"): boolean {
  if (command === "GETEX") {
    if (word !== "PERSIST" || options.time !== undefined) return false;
    options.expiry = word;
    return true;
  }
  switch (word) {
    case "NX":
    case "XX":
      if (options.condition !== undefined && options.condition !== word) return false;
      options.condition = word;
      return true;
    case "GET":
      options.get = true;
      return true;
    case "KEEPTTL":
      if (options.time !== undefined) return false;
      options.expiry = word;
      return true;
    default:
      return false;
  }
}

function takePair(
  options: Options,
  word: string,
  argument: Argument,
  command: "SET" | "GETEX",
): boolean {
  if (word === "IFEQ" && command === "SET") {
    if (options.condition !== undefined) return false;
    options.condition = word;
    options.expected = argument;
    return true;
  }
  const unit = unitOf(word);
  if (unit === undefined) return false;
  // The same option may come again.
  if (options.expiry !== undefined && options.expiry !== unit) return false;
  options.expiry = unit;
  options.time = argument;
  return true;
}
