// Compression in k6, which has none for values: stands in the bundle for kv/serialization/compressed.ts.

import { InvalidOptionsError } from "../../base/errors.js";
import { lengthOf, type Stored } from "../../engine/stored.js";

export function compressed(_stored: Stored): Stored {
  throw new InvalidOptionsError('option "compress" cannot be had in k6', {
    hint: "leave it out: values are stored as they are",
  });
}

/** Replies with bytes are refused before they come here (remote/replies.ts). */
export function unwrapped(stored: Uint8Array): Uint8Array {
  return stored;
}

export function unpackedLength(stored: Stored): number {
  return lengthOf(stored);
}

export function wrapped(bytes: Uint8Array): Uint8Array {
  return bytes;
}
