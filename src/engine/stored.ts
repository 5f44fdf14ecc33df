// What an engine keeps as a value, and what every layer below serialization passes on untouched.

/**
 * A stored value: text (the modes `json` and `string`, and every counter) or bytes (the mode
 * `bytes`). Text is well-formed, so that it has an encoding in UTF-8. Bytes that reached an engine,
 * or came from one, are never changed by anyone afterwards: whoever needs to write copies.
 */
export type Stored = string | Uint8Array;

/** What a page is charged for a value; of text the number of its UTF-16 units. */
export function lengthOf(stored: Stored): number {
  return typeof stored === "string" ? stored.length : stored.byteLength;
}
