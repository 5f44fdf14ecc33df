// Value text: values as they are written on a command line and printed.
//
// No value changes its type on the way: what a store keeps as JSON is given as JSON, and text without
// quotes is refused there, not taken for a string today and for a number tomorrow.

import { InvalidOptionsError } from "../base/errors.js";
import type { Serialization } from "../kv/options/options.js";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What `set` was given. `isText`: the words are the string itself. @throws InvalidOptionsError */
export function parseValue(
  given: string | Uint8Array,
  serialization: Serialization,
  isText: boolean,
): unknown {
  if (serialization === "bytes") return typeof given === "string" ? Buffer.from(given) : given;
  const text = typeof given === "string" ? given : decode(given);
  if (serialization === "string" || isText) return text;
  try {
    const value = JSON.parse(text);
    refuseInexact(text);
    return value;
  } catch (cause) {
    if (cause instanceof InvalidOptionsError) throw cause;
    throw new InvalidOptionsError("the store keeps JSON, and the value is none", {
      cause,
      hint: "give a string with --text, or in its quotes: '\"Ada\"'",
    });
  }
}

/** Whole numbers that would come back as others. */
function refuseInexact(json: string): void {
  const outsideStrings = json.replaceAll(/"(?:[^"\\]|\\.)*"/gs, "");
  for (const [number] of outsideStrings.matchAll(/-?\d{16,}(?![\d.eE])/g)) {
    if (BigInt(number) === BigInt(Number(number))) continue;
    throw new InvalidOptionsError(`the number ${number} would be stored as ${Number(number)}`, {
      hint: `give it as a string: '"${number}"'`,
    });
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new InvalidOptionsError("the value is no valid UTF-8", { cause });
  }
}

/** A value within JSON; bytes as base64. */
export function jsonValue(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}

/** A value on a line of its own among others. */
export function lineOf(value: unknown): string {
  return JSON.stringify(jsonValue(value));
}

/** No key ends a line, or does anything to a terminal. */
export function shownKey(key: string): string {
  return key.replaceAll(/[\p{Cc}\\\u2028\u2029]/gu, (character) => {
    const text = JSON.stringify(character).slice(1, -1);
    return text === character
      ? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`
      : text;
  });
}
