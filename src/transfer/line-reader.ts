// Line reader: the lines of a file one after the other, without a promise for each.
//
//   while (await reader.fill()) while (reader.next()) use(reader.text())
//
// Invariants
// 1. Lines end at "\n"; the last one may end at the end of the file. An empty rest is no line.
// 2. At most one line, of at most `lineBytesMax` bytes with its "\n", and one chunk are held.
// 3. Text is the exact bytes of the line: what is not UTF-8 is refused, never replaced.

import { isAscii, isUtf8 } from "node:buffer";
import { ValueParseError } from "../base/errors.js";
import type { InputFile } from "./input-file.js";
import { chunkBytes } from "./transfer.js";

const newline = 0x0a;
const carriageReturn = 0x0d;

export class LineTooLongError extends Error {}

export class LineReader {
  readonly #file: InputFile;
  readonly #lineBytesMax: number;
  /** The present line, without its end, lies in `buffer` from `start` on; valid until `fill`. */
  buffer: Buffer = Buffer.allocUnsafe(2 * chunkBytes);
  start = 0;
  end = 0;
  /** What has been read, from the beginning of the buffer on. */
  #filled: Buffer = this.buffer.subarray(0, 0);
  #isAscii = true;
  /** Whether all whole lines in the buffer are known to be UTF-8. */
  #isUtf8 = true;
  #isAtEnd = false;
  /** Where the line after the present one begins. */
  #after = 0;
  #searched = 0;
  /** Lines so far, the present one included. */
  lines = 0;
  /** Bytes of the file up to the end of the present line. */
  bytes = 0;
  /** Whether the present line ends in "\n". */
  isTerminated = true;

  constructor(file: InputFile, lineBytesMax: number) {
    this.#file = file;
    this.#lineBytesMax = lineBytesMax;
  }

  /** Reads on; false when all has been read and `next` has given the last line. */
  async fill(): Promise<boolean> {
    if (this.#isAtEnd) return false;
    const rest = this.#filled.length - this.#after;
    this.#makeRoom(rest);
    const count = await this.#file.read(this.buffer, rest);
    this.#isAtEnd = count < chunkBytes;
    this.#filled = this.buffer.subarray(0, rest + count);
    this.#after = 0;
    this.#searched = rest;
    this.#classify(rest);
    return true;
  }

  /** Goes to the next line; false when it has not been read yet, or there is none. */
  next(): boolean {
    const end = this.#filled.indexOf(newline, this.#searched);
    if (end === -1) return this.#last();
    this.#step(end, end + 1);
    this.isTerminated = true;
    return true;
  }

  /** @throws ValueParseError when the line is not UTF-8. */
  text(): string {
    return this.part(this.start, this.end);
  }

  /** A part of the line by its place in the buffer. @throws ValueParseError when it is not UTF-8. */
  part(start: number, end: number): string {
    if (this.#isAscii) return this.buffer.toString("latin1", start, end);
    if (this.#isUtf8 || isUtf8(this.buffer.subarray(start, end))) {
      return this.buffer.toString("utf8", start, end);
    }
    throw new ValueParseError("the line is not UTF-8 text");
  }

  #last(): boolean {
    this.#searched = this.#filled.length;
    const rest = this.#filled.length - this.#after;
    if (rest > this.#lineBytesMax) this.#step(this.#filled.length, this.#filled.length);
    if (!this.#isAtEnd || rest === 0) return false;
    this.#step(this.#filled.length, this.#filled.length);
    this.isTerminated = false;
    return true;
  }

  #step(end: number, after: number): void {
    this.start = this.#after;
    this.lines++;
    if (after - this.start > this.#lineBytesMax) {
      this.bytes += this.#lineBytesMax;
      throw new LineTooLongError(`exceeds maxLineBytes (${this.#lineBytesMax} bytes)`);
    }
    const isCrlf = after > end && end > this.start && this.buffer[end - 1] === carriageReturn;
    this.end = isCrlf ? end - 1 : end;
    this.bytes += after - this.start;
    this.#after = after;
    this.#searched = after;
  }

  /** Moves the rest to the front, into a larger buffer if there is no room for a chunk behind it. */
  #makeRoom(rest: number): void {
    const before = this.buffer;
    if (rest + chunkBytes > before.length) this.buffer = Buffer.allocUnsafe(2 * before.length);
    before.copy(this.buffer, 0, this.#after, this.#after + rest);
  }

  #classify(rest: number): void {
    // Of a long line only what is new is looked at, or reading it would take time in its square.
    const fresh = rest < chunkBytes ? this.#filled : this.#filled.subarray(rest);
    this.#isAscii = isAscii(fresh) && (rest < chunkBytes || this.#isAscii);
    if (this.#isAscii) return;
    // The rest is the beginning of a line, so line ends are among what is new.
    const last = this.#filled.subarray(rest).lastIndexOf(newline);
    const whole = this.#isAtEnd ? this.#filled.length : last === -1 ? 0 : rest + last;
    this.#isUtf8 = isUtf8(this.#filled.subarray(0, whole));
  }
}
