// Cursor: where a page ended, as opaque text that outlives the process.
//
// It is the last key of the page in padded base64, so it stays good after a restart and after that
// key has been deleted: the next page begins at the first greater key.

import { base64Of, textOfBase64 } from "../base/encodings.js";
import { InvalidCursorError } from "../base/errors.js";
import { keyBytesMax } from "../base/limits.js";

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Base64 of the longest key. */
const cursorLengthMax = Math.ceil(keyBytesMax / 3) * 4;

export function encodeCursor(lastKey: string): string {
  return base64Of(lastKey);
}

/** @throws InvalidCursorError when no page of ours ends in such a cursor. */
export function decodeCursor(cursor: string): string {
  if (cursor.length > cursorLengthMax || !base64.test(cursor))
    throw new InvalidCursorError("cursor is not one that a page returned");
  try {
    return textOfBase64(cursor);
  } catch (cause) {
    throw new InvalidCursorError("cursor is not one that a page returned", { cause });
  }
}
