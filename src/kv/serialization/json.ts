// JSON mode: the stored form is what `JSON.stringify` writes, in the value's own property order.
//
// `JSON.stringify` loses some values without a word: it writes `null` for NaN, `{}` for a Map, and
// leaves functions out. Those are refused here, and looking for them must cost little:
//   1. A walk over the value knows at sight whatever is surely kept: plain objects, arrays, dates
//      and instances of ordinary classes, with harmless contents (about a fifth of the time of
//      `JSON.stringify` itself).
//   2. Whatever else it meets is left to `stringifyChecked`, which decides exactly and names what it
//      refuses. The walk may give up for no good reason, but must not pass what loses content.
// Two things pass unchecked: an accessor that answers differently when it is read again, and the
// result of a `toJSON` that a plain object hides from enumeration.
// Kept as in `JSON.stringify`: undefined properties are left out, undefined elements are null,
// `toJSON` is honoured, -0 becomes 0. An undefined value is null, and so is an empty stored text.

import { SerializerError } from "../../base/errors.js";
import type { Stored } from "../../engine/stored.js";
import { stringifyChecked } from "./checked-json.js";
import type { ValueFormat } from "./format.js";
import { encodingError, tagOf } from "./refusal.js";
import { checkTextBytes, sameBytes, textOf } from "./stored-text.js";

/** Deeper values, and cycles, go the exact way: the walk must not exhaust the stack. */
const walkDepthMax = 64;

export const jsonFormat: ValueFormat = { name: "json", encode, decode, equal, check: decode };

function encode(value: unknown): string {
  const text = stringify(value) ?? "null";
  checkTextBytes(text);
  return text;
}

function stringify(value: unknown): string | undefined {
  try {
    return isKept(value, walkDepthMax) ? JSON.stringify(value) : stringifyChecked(value);
  } catch (cause) {
    throw encodingError(cause);
  }
}

function decode(stored: Stored): unknown {
  const text = textOf(stored);
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SerializerError("stored value is not JSON", {
      cause,
      hint: 'It was probably written with serialization "string": open the store with that.',
    });
  }
}

/** Equal bytes, or else equal JSON: the order of properties and the spelling do not count. */
function equal(a: Stored, b: Stored): boolean {
  if (sameBytes(a, b)) return true;
  let valueA: unknown;
  let valueB: unknown;
  try {
    valueA = decode(a);
    valueB = decode(b);
  } catch {
    return false;
  }
  return sameJson(valueA, valueB);
}

/** Without recursion: what `JSON.parse` reads may be nested deeper than the stack is. */
function sameJson(a: unknown, b: unknown): boolean {
  const pending: [unknown, unknown][] = [[a, b]];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [x, y] = pair;
    if (x === y) continue;
    if (!isObject(x) || !isObject(y) || Array.isArray(x) !== Array.isArray(y)) return false;
    const keys = Object.keys(x);
    if (keys.length !== Object.keys(y).length) return false;
    for (const key of keys) {
      if (!Object.hasOwn(y, key)) return false;
      pending.push([x[key], y[key]]);
    }
  }
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Whether `JSON.stringify` surely keeps the whole value; false: look closer. */
function isKept(value: unknown, depthLeft: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return true;
    case "number":
      return Number.isFinite(value);
    case "object":
      return value === null || isKeptObject(value, depthLeft);
    default:
      return false;
  }
}

function isKeptObject(value: object, depthLeft: number): boolean {
  if (depthLeft === 0) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) {
    if (prototype !== Array.prototype || "toJSON" in value) return false;
    for (let index = 0; index < value.length; index++) {
      if (!isKept(value[index], depthLeft - 1)) return false;
    }
    return true;
  }
  if (prototype !== Object.prototype && prototype !== null) {
    if (prototype === Date.prototype) return !Object.hasOwn(value, "toJSON");
    if ("toJSON" in value || tagOf(value) !== "Object") return false;
  }
  // Inherited properties are seen too. They can only make the walk give up, or cost it time. What
  // most values consist of is decided here, without a call for each property.
  for (const key in value) {
    const property = (value as Record<string, unknown>)[key];
    const type = typeof property;
    if (type === "string" || type === "boolean") continue;
    if (type === "number" && Number.isFinite(property)) continue;
    if (!isKept(property, depthLeft - 1)) return false;
  }
  return true;
}
