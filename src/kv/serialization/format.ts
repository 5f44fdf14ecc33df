// Value formats: how values become what a store keeps, and back.
//
// Invariants
// 1. What `encode` returns, `decode` reads; what cannot be kept is refused, never stored as
//    something else. Every refusal is a `SerializerError`.
// 2. What `encode` returns belongs to the store, what `decode` returns belongs to the caller:
//    neither shares memory with the other side.
// 3. The functions need no `this`: they travel inside requests.

import type { Stored } from "../../engine/stored.js";
import { bytesFormat } from "./bytes.js";
import { jsonFormat } from "./json.js";
import { textFormat } from "./text.js";

export interface ValueFormat {
  readonly name: "json" | "string" | "bytes";
  /** @throws SerializerError when the value cannot be kept, or is larger than `valueBytesMax`. */
  readonly encode: (value: unknown) => Stored;
  /** @throws SerializerError when the stored value was not written in this format. */
  readonly decode: (stored: Stored) => unknown;
  /** Whether compare-and-* operations take the two for the same value; never throws. */
  readonly equal: (a: Stored, b: Stored) => boolean;
  /** @throws SerializerError exactly when `decode` would. */
  readonly check: (stored: Stored) => void;
}

const formats: Readonly<Record<ValueFormat["name"], ValueFormat>> = {
  json: jsonFormat,
  string: textFormat,
  bytes: bytesFormat,
};

export function formatOf(name: ValueFormat["name"]): ValueFormat {
  return formats[name];
}
