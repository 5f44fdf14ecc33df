// Inline commands: a line of words, as people type them.
//
// Words are divided by blanks. In double quotes `\xHH`, `\n`, `\r`, `\t`, `\b`, `\a` and a backslash
// before any other character have a meaning, in single quotes only `\'`. Behind a closing quote the
// word has to end.

import { type Argument, argumentOf } from "./argument.js";

const code = (character: string): number => character.charCodeAt(0);
const backslash = code("\\");
const singleQuote = code("'");
const doubleQuote = code('"');
const blanks: ReadonlySet<number> = new Set([..." \t\n\v\f\r"].map(code));
const escapes: ReadonlyMap<number, number> = new Map([
  [code("n"), 10],
  [code("r"), 13],
  [code("t"), 9],
  [code("b"), 8],
  [code("a"), 7],
]);

/** The words of a line; undefined when its quotes do not match. A NUL ends the line. */
export function splitInline(line: Uint8Array): Argument[] | undefined {
  const nul = line.indexOf(0);
  const reader = new LineReader(nul < 0 ? line : line.subarray(0, nul));
  const words: Argument[] = [];
  for (;;) {
    reader.skipBlanks();
    if (reader.isAtEnd) return words;
    const word = reader.word();
    if (word === undefined) return undefined;
    words.push(argumentOf(word));
  }
}

class LineReader {
  readonly #line: Uint8Array;
  #at = 0;

  constructor(line: Uint8Array) {
    this.#line = line;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#line.length;
  }

  get #isAtBlank(): boolean {
    return blanks.has(this.#line[this.#at] as number);
  }

  skipBlanks(): void {
    while (!this.isAtEnd && this.#isAtBlank) this.#at++;
  }

  word(): Uint8Array | undefined {
    const bytes: number[] = [];
    while (!this.isAtEnd && !this.#isAtBlank) {
      const byte = this.#line[this.#at++] as number;
      if (byte === doubleQuote || byte === singleQuote) {
        if (!this.#quoted(byte, bytes)) return undefined;
        break;
      }
      bytes.push(byte);
    }
    return Uint8Array.from(bytes);
  }

  /** Whether the quotes are closed, and the word with them. */
  #quoted(quote: number, bytes: number[]): boolean {
    while (!this.isAtEnd) {
      const byte = this.#line[this.#at++] as number;
      if (byte === quote) return this.isAtEnd || this.#isAtBlank;
      if (byte !== backslash || this.isAtEnd) bytes.push(byte);
      else if (quote === doubleQuote) bytes.push(this.#escaped());
      else if (this.#line[this.#at] === singleQuote) bytes.push(this.#line[this.#at++] as number);
      else bytes.push(byte);
    }
    return false;
  }

  /** What stands behind a backslash in double quotes. */
  #escaped(): number {
    const byte = this.#line[this.#at++] as number;
    if (byte !== code("x")) return escapes.get(byte) ?? byte;
    const digits = Buffer.from(this.#line.subarray(this.#at, this.#at + 2)).toString("latin1");
    if (!/^[0-9a-f]{2}$/i.test(digits)) return byte;
    this.#at += 2;
    return Number.parseInt(digits, 16);
  }
}
