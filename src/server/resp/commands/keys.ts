// Keys: commands that take a key for one thing, of whichever kind it is.

import type { Transaction, View } from "../../../engine/engine.js";
import { clear } from "../../../operations/entries.js";
import { copyKey, dropKey, findKey, type Kind, kindOf, moveKey } from "../../../operations/keys.js";
import type { Argument } from "../argument.js";
import { CommandError, type CommandContext as Context } from "../command.js";
import type { Encoded } from "../encoder.js";
import { noSuchKey, syntaxError } from "../errors.js";
import { isHash } from "../hash-text.js";
import { checkSetKey, keyIn, keysIn } from "../names.js";
import { integer } from "../numbers.js";
import { wordAt } from "./options.js";

export function del(
  transaction: Transaction,
  args: readonly Argument[],
  { encode }: Context,
): Encoded {
  if (args.length === 1) return encode.integer(dropKey(transaction, keyIn(args, 0)) ? 1 : 0);
  let deleted = 0;
  for (const key of keysIn(args)) if (dropKey(transaction, key)) deleted++;
  return encode.integer(deleted);
}

export function exists(view: View, args: readonly Argument[], { encode }: Context): Encoded {
  let found = 0;
  for (let at = 0; at < args.length; at++) {
    if (kindOf(view, keyIn(args, at)) !== undefined) found++;
  }
  return encode.integer(found);
}

export function type(view: View, args: readonly Argument[], context: Context): Encoded {
  const found = findKey(view, keyIn(args, 0));
  return context.encode.simple(found === undefined ? "none" : typeName(found, context));
}

/** What Valkey calls a key of that kind. */
export function typeName(
  { kind, row }: { readonly kind: Kind; readonly row: { readonly value: string | Uint8Array } },
  { values }: Context,
): "string" | "hash" | "list" | "set" {
  if (kind === "array") return "list";
  if (kind === "filter") return "set";
  return isHash(row.value, values) ? "hash" : "string";
}

function moved(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
  overOthers: boolean,
): boolean {
  const [from, to] = [keyIn(args, 0), keyIn(args, 1)];
  const kind = kindOf(transaction, from);
  if (kind === undefined) throw noSuchKey();
  if (from === to) return overOthers;
  if (!overOthers && kindOf(transaction, to) !== undefined) return false;
  if (kind === "filter") checkSetKey(to);
  moveKey(transaction, from, to);
  if (kind === "array") context.pushed(to);
  return true;
}

export function rename(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  moved(transaction, args, context, true);
  return context.encode.ok;
}

export function renamenx(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  return context.encode.integer(moved(transaction, args, context, false) ? 1 : 0);
}

export function copy(
  transaction: Transaction,
  args: readonly Argument[],
  context: Context,
): Encoded {
  const [from, to] = [keyIn(args, 0), keyIn(args, 1)];
  const replaces = copyOptions(args);
  if (from === to) throw new CommandError("ERR source and destination objects are the same");
  const kind = kindOf(transaction, from);
  if (kind === undefined) return context.encode.integer(0);
  if (!replaces && kindOf(transaction, to) !== undefined) return context.encode.integer(0);
  if (kind === "filter") checkSetKey(to);
  copyKey(transaction, from, to);
  if (kind === "array") context.pushed(to);
  return context.encode.integer(1);
}

/** Whether to replace what is there. */
function copyOptions(args: readonly Argument[]): boolean {
  let replaces = false;
  for (let at = 2; at < args.length; at++) {
    const word = wordAt(args, at);
    if (word === "REPLACE") replaces = true;
    else if (word === "DB" && at + 1 < args.length) checkDatabase(args[++at] as Argument);
    else throw syntaxError();
  }
  return replaces;
}

function checkDatabase(number: Argument): void {
  if (integer(number) !== 0) throw new CommandError("ERR DB index is out of range");
}

export function flush(
  transaction: Transaction,
  args: readonly Argument[],
  { encode }: Context,
): Encoded {
  const word = wordAt(args, 0);
  if (args.length > 1 || (args.length === 1 && word !== "ASYNC" && word !== "SYNC")) {
    throw syntaxError();
  }
  clear(transaction, undefined);
  return encode.ok;
}
