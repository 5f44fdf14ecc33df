// Names: keys, members and fields as clients send them, within the bounds of the library.

import { bucketBytesMax, keyBytesMax } from "../../base/limits.js";
import type { Argument } from "./argument.js";
import { CommandError } from "./command.js";

/** UTF-8 never needs more than three bytes for a UTF-16 code unit. */
const codeUnitBytesMax = 3;
const lengthAlwaysWithin = Math.floor(keyBytesMax / codeUnitBytesMax);

/**
 * The argument at a position as a key.
 * @throws CommandError when no key of the library can be so.
 */
export function keyIn(args: readonly Argument[], at: number): string {
  const key = args[at] as Argument;
  if (typeof key === "string" && key.length - 1 < lengthAlwaysWithin && key !== "") return key;
  return checkedName(key, "key");
}

export function keysIn(args: readonly Argument[], first = 0, end = args.length): string[] {
  const keys: string[] = [];
  for (let at = first; at < end; at++) keys.push(keyIn(args, at));
  return keys;
}

function checkedName(name: Argument, what: string): string {
  if (typeof name !== "string") throw new CommandError(`ERR ${what} must be valid UTF-8`);
  if (name === "") throw new CommandError(`ERR ${what} must not be empty`);
  if (name.length > lengthAlwaysWithin && Buffer.byteLength(name) > keyBytesMax) {
    throw new CommandError(`ERR ${what} must be at most ${keyBytesMax} bytes`);
  }
  return name;
}

/** A key that is to hold a set: the name of a filter. */
export function checkSetKey(key: string): void {
  if (key.length * codeUnitBytesMax <= bucketBytesMax) return;
  if (Buffer.byteLength(key) <= bucketBytesMax) return;
  throw new CommandError(`ERR key of a set must be at most ${bucketBytesMax} bytes`);
}

// Items are tagged as by `kv.filter`: "t" before text, "b" before the base64 of what is no text.

/** The item that a member is, to look for: undefined for what cannot be one. */
export function findableItem(member: Argument): string | undefined {
  const encoded = typeof member === "string" ? member : base64(member);
  if (encoded === "" || Buffer.byteLength(encoded) > keyBytesMax) return undefined;
  return typeof member === "string" ? `t${encoded}` : `b${encoded}`;
}

/** @throws CommandError when no filter of the library can have the item. */
export function itemIn(args: readonly Argument[], at: number): string {
  const member = args[at] as Argument;
  if (typeof member === "string") return `t${checkedName(member, "member")}`;
  return `b${checkedName(base64(member), "member (in base64)")}`;
}

export function memberOf(item: string): Argument {
  const encoded = item.slice(1);
  return item.startsWith("b") ? Buffer.from(encoded, "base64") : encoded;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
