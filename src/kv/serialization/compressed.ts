// Compressed values: the stored form of values that were written with `compress: true`.
//
//   | FF "AKZ" | codec 1 | content |     codec 0: the value as it is
//                                       codec 1: rawLength 4 | raw DEFLATE (RFC 1951) of the value
//
// Invariants
// 1. Every value reads the same whether or not it is compressed, and no operation sees the
//    difference: conversion and comparison of stored values come here first.
// 2. No text begins with byte FF in UTF-8, so the mark is never text. Bytes of a caller that happen
//    to begin with the mark are wrapped with codec 0, and thereby never taken for ours.

import { deflateRawSync, inflateRawSync } from "node:zlib";
import { SerializerError } from "../../base/errors.js";
import { valueBytesMax } from "../../base/limits.js";
import { lengthOf, type Stored } from "../../engine/stored.js";

const mark = Buffer.from([0xff, 0x41, 0x4b, 0x5a]);
const codecs = { none: 0, deflate: 1 } as const;
const headBytes = mark.length + 1;
const deflatedHeadBytes = headBytes + 4;

function isMarked(bytes: Uint8Array): boolean {
  // The first byte tells nearly all others apart.
  return bytes[0] === mark[0] && mark.compare(bytes, 0, Math.min(mark.length, bytes.length)) === 0;
}

/** Bytes of a caller as they are stored. */
export function wrapped(bytes: Uint8Array): Uint8Array {
  if (!isMarked(bytes)) return bytes;
  const result = new Uint8Array(headBytes + bytes.length);
  result.set(mark);
  result[mark.length] = codecs.none;
  result.set(bytes, headBytes);
  return result;
}

/** The compressed form of an encoded value, or the value itself when that is no longer. O(length). */
export function compressed(stored: Stored): Stored {
  const raw = typeof stored === "string" ? Buffer.from(stored) : unwrapped(stored);
  const content = deflateRawSync(raw);
  if (deflatedHeadBytes + content.length >= raw.length) return stored;
  const result = new Uint8Array(deflatedHeadBytes + content.length);
  result.set(mark);
  result[mark.length] = codecs.deflate;
  new DataView(result.buffer).setUint32(headBytes, raw.length, true);
  result.set(content, deflatedHeadBytes);
  return result;
}

/**
 * The bytes of a value behind their stored form; a view of `stored` where that is possible.
 *
 * @throws SerializerError when a compressed value is damaged.
 */
export function unwrapped(stored: Uint8Array): Uint8Array {
  if (!isMarked(stored)) return stored;
  const codec = stored[mark.length];
  if (codec === codecs.none) return stored.subarray(headBytes);
  if (codec === codecs.deflate && stored.length >= deflatedHeadBytes) return inflated(stored);
  throw new SerializerError("stored value is compressed in a way that this version does not know");
}

/** What a page is charged for a value: its length when it has been unpacked. O(1). */
export function unpackedLength(stored: Stored): number {
  if (typeof stored === "string" || !isMarked(stored)) return lengthOf(stored);
  if (stored[mark.length] !== codecs.deflate || stored.length < deflatedHeadBytes) {
    return stored.length;
  }
  return rawLengthOf(stored);
}

function rawLengthOf(stored: Uint8Array): number {
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  return Math.min(view.getUint32(headBytes, true), valueBytesMax);
}

function inflated(stored: Uint8Array): Uint8Array {
  const rawLength = rawLengthOf(stored);
  try {
    const raw = inflateRawSync(stored.subarray(deflatedHeadBytes), {
      maxOutputLength: Math.max(1, rawLength),
    });
    if (raw.length === rawLength) return raw;
  } catch (cause) {
    throw damaged(cause);
  }
  throw damaged(undefined);
}

function damaged(cause: unknown): SerializerError {
  return new SerializerError("stored value is compressed and cannot be unpacked", { cause });
}
