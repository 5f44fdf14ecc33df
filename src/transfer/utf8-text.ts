// UTF-8 in pieces: where a piece can be cut, and where it goes wrong.

import { isUtf8 } from "node:buffer";

/** Of a character of so many bytes the first one is at least this. */
const leadBytes = [0xc0, 0xe0, 0xf0] as const;
const continuationMask = 0xc0;
const continuationMark = 0x80;

/** How much of `bytes` is left when a character that is cut short at their end is taken away. */
export function wholeLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(leadBytes.length, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if ((byte & continuationMask) === continuationMark) continue;
    // A lead byte `back` bytes before the end announces more than `back` bytes.
    return byte >= (leadBytes[back - 1] as number) ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** How many of the first bytes are whole characters; all of them when nothing is wrong. */
export function validLength(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const start = bytes.subarray(0, middle);
    if (isUtf8(start.subarray(0, wholeLength(start)))) good = middle;
    else bad = middle;
  }
  return wholeLength(bytes.subarray(0, good));
}
