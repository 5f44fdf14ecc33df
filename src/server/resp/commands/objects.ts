// Objects: what OBJECT tells. Nothing here is stored as Valkey stores it, so encodings are those that
// a key of its kind and size has there, told without looking at more than a part of it.

import type { View } from "../../../engine/engine.js";
import { itemRange, itemsBetween } from "../../../operations/items.js";
import { findKey } from "../../../operations/keys.js";
import { lengthOf } from "../../../operations/list-edits.js";
import { type Argument, argumentOf, byteLengthOf } from "../argument.js";
import { CommandError, type CommandContext as Context } from "../command.js";
import type { Encoded } from "../encoder.js";
import { fieldsOf } from "../hash-text.js";
import { keyIn, memberOf } from "../names.js";
import { parseInt64 } from "../numbers.js";
import { typeName } from "./keys.js";

/** Limits of Valkey's small encodings as it comes. */
const embeddedBytesMax = 44;
const listpackEntriesMax = 128;
const hashEntriesMax = 512;
const intsetEntriesMax = 512;
const entryBytesMax = 64;

type Found = NonNullable<ReturnType<typeof findKey>>;

function stringEncoding(shown: Argument): string {
  if (parseInt64(typeof shown === "string" ? shown : argumentOf(shown)) !== undefined) return "int";
  return byteLengthOf(shown) <= embeddedBytesMax ? "embstr" : "raw";
}

function hashEncoding({ row }: Found, { values }: Context): string {
  const fields = fieldsOf(row.value, values) ?? new Map<string, string>();
  if (fields.size > hashEntriesMax) return "hashtable";
  const isLong = [...fields].some((pair) => pair.some((part) => part.length > entryBytesMax));
  return isLong ? "hashtable" : "listpack";
}

function setEncoding(view: View, key: string): string {
  const { start, end } = itemRange(view, key);
  if (end - start > intsetEntriesMax) return "hashtable";
  const members = itemsBetween(view, key, 0, intsetEntriesMax).map(memberOf);
  if (members.every((member) => parseInt64(member) !== undefined)) return "intset";
  const isLong = members.some((member) => byteLengthOf(member) > entryBytesMax);
  return isLong || members.length > listpackEntriesMax ? "hashtable" : "listpack";
}

function encodingOf(view: View, key: string, found: Found, context: Context): string {
  switch (typeName(found, context)) {
    case "string":
      return stringEncoding(context.values.show(found.row.value));
    case "hash":
      return hashEncoding(found, context);
    case "list":
      return lengthOf(found.row) > listpackEntriesMax ? "quicklist" : "listpack";
    case "set":
      return setEncoding(view, key);
  }
}

export function encoding(view: View, args: readonly Argument[], context: Context): Encoded {
  const key = keyIn(args, 0);
  const found = findKey(view, key);
  if (found === undefined) return context.encode.nil;
  return context.encode.bulk(encodingOf(view, key, found, context));
}

export function refcount(view: View, args: readonly Argument[], { encode }: Context): Encoded {
  return findKey(view, keyIn(args, 0)) === undefined ? encode.nil : encode.integer(1);
}

/** Nobody writes down when a key was read. */
export function idletime(view: View, args: readonly Argument[], { encode }: Context): Encoded {
  return findKey(view, keyIn(args, 0)) === undefined ? encode.nil : encode.integer(0);
}

export function freq(view: View, args: readonly Argument[], { encode }: Context): Encoded {
  if (findKey(view, keyIn(args, 0)) === undefined) return encode.nil;
  throw new CommandError(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that " +
      "when switching between policies at runtime LRU and LFU data will take some time to adjust.",
  );
}

const helpLines = [
  "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "ENCODING <key>",
  "    Return the kind of internal representation used in order to store the value",
  "    associated with a <key>.",
  "FREQ <key>",
  "    Return the access frequency index of the <key>. The returned integer is",
  "    proportional to the logarithm of the recent access frequency of the key.",
  "IDLETIME <key>",
  "    Return the idle time of the <key>, that is the approximated number of",
  "    seconds elapsed since the last access to the key.",
  "REFCOUNT <key>",
  "    Return the number of references of the value associated with the specified",
  "    <key>.",
  "HELP",
  "    Print this help.",
];

export function help(_view: View, _args: readonly Argument[], { encode }: Context): Encoded {
  return encode.array(helpLines.map(encode.simple));
}
