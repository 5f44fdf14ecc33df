// Encoding of values as callers write them: in the store's format, compressed if that was asked for.

import type { Stored } from "../engine/stored.js";
import { booleanField, fieldsOf } from "./arguments.js";
import { compressed } from "./serialization/compressed.js";
import type { ValueFormat } from "./serialization/format.js";

/** @throws InvalidOptionsError when the option `compress` is not a boolean. */
export function isCompressed(options: unknown): boolean {
  return options !== undefined && booleanField(fieldsOf(options), "compress", false);
}

/** @throws InvalidOptionsError, and SerializerError as `format.encode` does. */
export function encodeValue(format: ValueFormat, value: unknown, options: unknown): Stored {
  const stored = format.encode(value);
  return isCompressed(options) ? compressed(stored) : stored;
}
