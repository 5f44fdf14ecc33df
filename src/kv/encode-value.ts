// Values between callers and the store: in the store's format, compressed if that was asked for. An
// error names the key.

import { withKey } from "../base/errors.js";
import type { Stored } from "../engine/stored.js";
import { booleanField, fieldsOf } from "./arguments.js";
import { compressed } from "./serialization/compressed.js";
import type { ValueFormat } from "./serialization/format.js";

/** @throws InvalidOptionsError when the option `compress` is not a boolean. */
export function isCompressed(options: unknown): boolean {
  return options !== undefined && booleanField(fieldsOf(options), "compress", false);
}

/** @throws InvalidOptionsError, and SerializerError with the key, as `format.encode` does. */
export function encodeValue(
  format: ValueFormat,
  key: string,
  value: unknown,
  options?: unknown,
): Stored {
  let stored: Stored;
  try {
    stored = format.encode(value);
  } catch (error) {
    throw withKey(error, key);
  }
  return isCompressed(options) ? compressed(stored) : stored;
}

/** @throws SerializerError with the key, as `format.decode` does. */
export function decodeValue(format: ValueFormat, key: string, stored: Stored): unknown {
  try {
    return format.decode(stored);
  } catch (error) {
    throw withKey(error, key);
  }
}
