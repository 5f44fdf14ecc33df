// Text and bytes of stored values: conversion, comparison, bounds.

import { byteLengthOf, equalBytes } from "../../base/encodings.js";
import { isKvError, SerializerError } from "../../base/errors.js";
import { valueBytesMax } from "../../base/limits.js";
import type { Stored } from "../../engine/stored.js";
import { unwrapped } from "./compressed.js";

/** UTF-8 never needs more than three bytes for a UTF-16 code unit. */
const codeUnitBytesMax = 3;
const lengthAlwaysWithin = Math.floor(valueBytesMax / codeUnitBytesMax);

// A byte order mark is content: it must survive, and `JSON.parse` must refuse it.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Free for texts up to a third of the bound: only longer ones are measured. */
export function checkTextBytes(text: string): void {
  if (text.length > lengthAlwaysWithin) checkBytes(byteLengthOf(text));
}

export function checkBytes(bytes: number): void {
  if (bytes <= valueBytesMax) return;
  throw new SerializerError(
    `value is too large: at most ${valueBytesMax} bytes can be stored, got ${bytes}`,
  );
}

/** @throws SerializerError when bytes are not UTF-8. */
export function textOf(stored: Stored): string {
  if (typeof stored === "string") return stored;
  try {
    return decoder.decode(unwrapped(stored));
  } catch (cause) {
    if (isKvError(cause)) throw cause;
    throw new SerializerError("stored value is not UTF-8 text", {
      cause,
      hint: 'It was probably written with serialization "bytes": open the store with that.',
    });
  }
}

/** Always a copy, and never a `Buffer`. */
export function bytesOf(stored: Stored): Uint8Array {
  return typeof stored === "string" ? encoder.encode(stored) : new Uint8Array(unwrapped(stored));
}

/** Whether two stored values are the same bytes in UTF-8. */
export function sameBytes(a: Stored, b: Stored): boolean {
  if (typeof a === "string" && typeof b === "string") return a === b;
  return equalBytes(uncopied(a), uncopied(b));
}

function uncopied(stored: Stored): Uint8Array {
  return typeof stored === "string" ? encoder.encode(stored) : unwrapped(stored);
}
