// Bytes mode: values are byte sequences. Written are `Uint8Array` (`Buffer` is one) and
// `ArrayBuffer`, read is always a plain `Uint8Array` of the caller's own.
//
// A counter is stored as decimal text in every mode; it reads as the bytes of that text, and equals
// them.

import { SerializerError } from "../../base/errors.js";
import type { Stored } from "../../engine/stored.js";
import { wrapped } from "./compressed.js";
import type { ValueFormat } from "./format.js";
import { encodingError, tagOf } from "./refusal.js";
import { bytesOf, checkBytes, sameBytes } from "./stored-text.js";

export const bytesFormat: ValueFormat = {
  name: "bytes",
  encode,
  decode: bytesOf,
  equal: sameBytes,
  check: acceptAll,
};

function encode(value: unknown): Stored {
  if (!isBytes(value)) {
    throw new SerializerError(
      `value must be a Uint8Array or an ArrayBuffer, got ${kindOf(value)}`,
      {
        hint: 'Use serialization "json" or "string" for other values.',
      },
    );
  }
  checkBytes(value.byteLength);
  try {
    // Of a view the constructor makes a copy, of a buffer a view.
    return wrapped(new Uint8Array(ArrayBuffer.isView(value) ? value : new Uint8Array(value)));
  } catch (cause) {
    throw encodingError(cause); // The buffer was transferred away.
  }
}

function acceptAll(): void {}

/** Told by their tags, which also holds for values of another realm. */
function isBytes(value: unknown): value is Uint8Array | ArrayBuffer {
  if (typeof value !== "object" || value === null) return false;
  const tag = tagOf(value);
  return tag === "Uint8Array" || tag === "ArrayBuffer";
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? `an object (${tagOf(value)})` : typeof value;
}
