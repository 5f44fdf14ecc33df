// Keys in the file: the bytes of their UTF-8 form, so that the order of the file is the order of
// the store.

import type { KeyEncoder } from "./lmdb-module.js";

// Up to here a loop over code units beats the call of an encoder.
const loopUnitsMax = 64;

/** Writes text that is ASCII; returns -1 when it meets something else. */
function writeAscii(text: string, target: Buffer, position: number): number {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return -1;
    target[position + index] = unit;
  }
  return position + text.length;
}

export const textKeys: KeyEncoder = {
  writeKey(key, target, position) {
    const text = key as string;
    if (text.length <= loopUnitsMax) {
      const end = writeAscii(text, target, position);
      if (end >= 0) return end;
    }
    return position + target.write(text, position, "utf8");
  },
  readKey: (source, start, end) => source.toString("utf8", start, end),
};

export const byteKeys: KeyEncoder = {
  writeKey(key, target, position) {
    target.set(key as Uint8Array, position);
    return position + key.length;
  },
  readKey: (source, start, end) => Uint8Array.prototype.slice.call(source, start, end),
};
