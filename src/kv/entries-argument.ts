// Entries argument of `setMany`: every entry is checked and encoded before anything is written,
// and every bad one is reported, not only the first.

import { compareByteOrder } from "../base/byte-order.js";
import { type ErrorDetail, InvalidOptionsError, isKvError } from "../base/errors.js";
import type { Entry } from "../operations/requests.js";
import { checkKey, describe, isPlainObject } from "./arguments.js";
import { compressed } from "./serialization/compressed.js";
import type { ValueFormat } from "./serialization/format.js";

function refuseEntries(errors: ErrorDetail[]): never {
  const noun = errors.length === 1 ? "entry" : "entries";
  const [first] = errors;
  const where = first?.key === undefined ? "" : `${JSON.stringify(first.key)}: `;
  // The message is the seeds', to the letter; what is wrong stands beside it.
  throw new InvalidOptionsError(`setMany validation failed: ${errors.length} invalid ${noun}`, {
    errors,
    hint: `${where}${first?.message}`,
  });
}

function kindOf(entries: unknown): string {
  if (entries instanceof Map) return "a Map: pass `Object.fromEntries(map)`";
  const name: unknown = (entries as object | null | undefined)?.constructor?.name;
  const isInstance = typeof entries === "object" && entries !== null && !Array.isArray(entries);
  return isInstance && typeof name === "string" ? `an instance of ${name}` : describe(entries);
}

function detail(key: string, error: unknown): ErrorDetail {
  if (!isKvError(error)) throw error;
  return { key, name: error.name, message: error.message };
}

/** The encoded entries in the order of the object; rejects them all if one is bad. */
export function encodeEntries(
  entries: unknown,
  format: ValueFormat,
  isCompressed: boolean,
): Entry[] {
  if (!isPlainObject(entries)) {
    const message = `entries must be a plain object, got ${kindOf(entries)}`;
    refuseEntries([{ name: "InvalidEntries", message }]);
  }
  const keys = Object.keys(entries);
  checkEntryKeys(keys);
  const encoded: Entry[] = [];
  const errors: ErrorDetail[] = [];
  for (const key of keys) {
    try {
      const value = format.encode(entries[key]);
      encoded.push({ key, value: isCompressed ? compressed(value) : value });
    } catch (error) {
      errors.push(detail(key, error));
    }
  }
  if (errors.length > 0) {
    refuseEntries(errors.sort((a, b) => compareByteOrder(a.key ?? "", b.key ?? "")));
  }
  return encoded;
}

// Bad keys are reported alone, before any value is looked at.
function checkEntryKeys(keys: readonly string[]): void {
  const errors: ErrorDetail[] = [];
  for (const key of keys) {
    try {
      if (key === "") errors.push({ key, name: "EmptyKey", message: "key must be non-empty" });
      else checkKey(key);
    } catch (error) {
      errors.push(detail(key, error));
    }
  }
  if (errors.length > 0) refuseEntries(errors);
}
