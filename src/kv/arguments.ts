// Arguments: what callers may pass, checked before anything else happens.
//
// Every refusal is an `InvalidOptionsError` that says what was expected and what arrived, without
// repeating long values. Checks on the way of every call (keys, absent options) cost a few tests.

import { byteLengthOf, isWellFormed } from "../base/encodings.js";
import { InvalidOptionsError, withKey } from "../base/errors.js";
import { keyBytesMax } from "../base/limits.js";

export type Fields = Readonly<Record<string, unknown>>;

/** Names what arrived, briefly enough for a message. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string") return describeText(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return "a BigInt";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function describeText(text: string): string {
  // An URL of a server, or what is left of one, may hold a password.
  if (/:\/\/|:.*@/s.test(text)) return "a text like an URL";
  return text.length > 40 ? "a long string" : JSON.stringify(text);
}

export function refuse(what: string, expected: string, value: unknown): never {
  throw new InvalidOptionsError(`${what} must be ${expected}, got ${describe(value)}`);
}

/** UTF-8 never needs more than three bytes for a UTF-16 code unit. */
const codeUnitBytesMax = 3;

/** What is refused stands in `key` of the error, if it is text at all. */
export function checkKey(key: unknown, what = "key"): asserts key is string {
  try {
    checkText(key, what, keyBytesMax);
  } catch (error) {
    throw typeof key === "string" && key !== "" ? withKey(error, key) : error;
  }
}

/** Non-empty, well-formed text of at most `bytesMax` bytes of UTF-8. */
export function checkText(text: unknown, what: string, bytesMax: number): asserts text is string {
  if (typeof text !== "string") refuse(what, "a string", text);
  if (text === "") refuse(what, "a non-empty string", text);
  if (!isWellFormed(text)) refuse(what, "well-formed text (no lone surrogates)", text);
  if (text.length * codeUnitBytesMax > bytesMax) checkBytes(text, what, bytesMax);
}

export function checkBytes(text: string, what: string, bytesMax: number): void {
  const bytes = byteLengthOf(text);
  if (bytes <= bytesMax) return;
  throw new InvalidOptionsError(`${what} must be at most ${bytesMax} bytes of UTF-8, got ${bytes}`);
}

/** An array of keys; `allowEmpty` admits "" as a key that is never there. */
export function checkKeys(keys: unknown, allowEmpty = false): asserts keys is string[] {
  if (!Array.isArray(keys)) refuse("keys", "an array of strings", keys);
  for (let index = 0; index < keys.length; index++) {
    const key: unknown = keys[index];
    if (!(allowEmpty && key === "")) checkKey(key, `keys[${index}]`);
  }
}

/** Objects made by literals, `Object.create(null)` or `JSON.parse`, of this realm or another. */
export function isPlainObject(value: unknown): value is Fields {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

const noFields: Fields = Object.freeze({});

/** The fields of an options argument; null and undefined stand for none. */
export function fieldsOf(options: unknown, what = "options"): Fields {
  if (options === undefined || options === null) return noFields;
  if (!isPlainObject(options)) refuse(what, "a plain object", options);
  return options;
}

/** A field, with null standing for absent. */
export function field(fields: Fields, name: string): unknown {
  return fields[name] ?? undefined;
}

export function textField(fields: Fields, name: string): string | undefined {
  const value = field(fields, name);
  if (value === undefined) return undefined;
  if (typeof value !== "string") refuse(`option "${name}"`, "a string", value);
  if (!isWellFormed(value)) refuse(`option "${name}"`, "well-formed text", value);
  return value;
}

export function prefixField(fields: Fields): string {
  return textField(fields, "prefix") ?? "";
}

/** `option` is the name in messages, where the field lies in a group of options. */
export function booleanField(
  fields: Fields,
  name: string,
  fallback: boolean,
  option = name,
): boolean {
  const value = field(fields, name) ?? fallback;
  if (typeof value !== "boolean") refuse(`option "${option}"`, "a boolean", value);
  return value;
}

const int64Max = 2 ** 63;

export function isInteger(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) < int64Max && (value as number) >= -int64Max;
}

/** An integer from 1 to `max`, or undefined when absent. */
export function countField(fields: Fields, name: string, max: number): number | undefined {
  const value = field(fields, name);
  if (value === undefined) return undefined;
  if (!isInteger(value) || value < 1 || value > max) {
    refuse(`option "${name}"`, `an integer from 1 to ${max}`, value);
  }
  return value;
}

export function requiredCountField(fields: Fields, name: string, max: number): number {
  return countField(fields, name, max) ?? refuse(`option "${name}"`, "given", undefined);
}

/** A limit: 0 stands for none. */
export function limitField(fields: Fields, max: number): number {
  const value = field(fields, "limit") ?? 0;
  if (!isInteger(value) || value > max) {
    refuse('option "limit"', `an integer of at most ${max}`, value);
  }
  return Math.max(0, value);
}

export function signalField(fields: Fields): AbortSignal | undefined {
  const signal = field(fields, "signal");
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  return refuse('option "signal"', "an AbortSignal", signal);
}
