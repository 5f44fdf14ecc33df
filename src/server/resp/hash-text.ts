// Hash text: a hash is a value whose text is a JSON object.
//
// The object is taken apart into its fields and the JSON of each, and put together again from them,
// so that whatever is not written stays as it was, to the last digit and in its order. `JSON.parse`
// and `stringify` would put fields that look like numbers first, round large numbers, and take
// `__proto__` for something else.

import type { Stored } from "../../engine/stored.js";
import { textOf } from "../../kv/serialization/stored-text.js";
import type { ValueCodec } from "./value-codec.js";

/** The JSON of each field. */
export type Fields = Map<string, string>;

const brace = 0x7b;

export function isHash(stored: Stored, codec: ValueCodec): boolean {
  return objectText(stored, codec) !== undefined;
}

/** The text of a value that is a JSON object. */
function objectText(stored: Stored, { serialization }: ValueCodec): string | undefined {
  if (serialization === "bytes") return undefined;
  const text = textOf(stored);
  if (text.charCodeAt(0) !== brace) return undefined;
  // All text of such a store is JSON.
  if (serialization === "json") return text;
  return isJson(text) ? text : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The fields of a hash; undefined when the value is none. O(length). */
export function fieldsOf(stored: Stored, codec: ValueCodec): Fields | undefined {
  const text = objectText(stored, codec);
  return text === undefined ? undefined : new FieldReader(text).read();
}

export function hashText(fields: Fields): string {
  const parts: string[] = [];
  for (const [field, json] of fields) parts.push(`${JSON.stringify(field)}:${json}`);
  return `{${parts.join(",")}}`;
}

const blanks = " \t\r\n";
const plainEnd = /[,}\]\s]/g;

/** Reads an object that is known to be JSON. */
class FieldReader {
  readonly #text: string;
  #at = 1;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Fields {
    const fields: Fields = new Map();
    this.#skipBlanks();
    while (this.#at < this.#text.length && this.#text[this.#at] !== "}") {
      const field = JSON.parse(this.#upTo(this.#stringEnd(this.#at))) as string;
      this.#skipBlanks();
      this.#at++; // The colon.
      this.#skipBlanks();
      fields.set(field, this.#upTo(this.#valueEnd()));
      this.#skipBlanks();
      if (this.#text[this.#at] === ",") this.#at++;
      this.#skipBlanks();
    }
    return fields;
  }

  #skipBlanks(): void {
    while (blanks.includes(this.#text[this.#at] ?? "end")) this.#at++;
  }

  #upTo(end: number): string {
    const part = this.#text.slice(this.#at, end);
    this.#at = end;
    return part;
  }

  /** The position behind the string that begins at `start`. */
  #stringEnd(start: number): number {
    const text = this.#text;
    for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
      let before = end;
      while (text[before - 1] === "\\") before--;
      if ((end - before) % 2 === 0) return end + 1;
    }
    throw new Error("a stored string does not end");
  }

  #valueEnd(): number {
    const first = this.#text[this.#at];
    if (first === '"') return this.#stringEnd(this.#at);
    if (first === "{" || first === "[") return this.#nestedEnd();
    plainEnd.lastIndex = this.#at;
    return plainEnd.exec(this.#text)?.index ?? this.#text.length;
  }

  #nestedEnd(): number {
    const text = this.#text;
    let depth = 0;
    for (let at = this.#at; at < text.length; ) {
      const sign = text[at];
      if (sign === '"') {
        at = this.#stringEnd(at);
        continue;
      }
      at++;
      if (sign === "{" || sign === "[") depth++;
      else if ((sign === "}" || sign === "]") && --depth === 0) return at;
    }
    throw new Error("a stored object does not end");
  }
}
