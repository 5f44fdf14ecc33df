// Parser: the requests in the bytes of a client, in whatever pieces they arrive.
//
//   *2\r\n $3\r\nGET\r\n $1\r\nk\r\n        a list of words, each with its length
//   GET k\r\n                             or a line
//
// Invariants
// 1. The same bytes give the same requests however they are divided into chunks, and each byte is
//    looked at a bounded number of times: what is incomplete is not begun again.
// 2. What is kept between chunks is bounded by the limits, and by what the client has really sent.
// 3. Requests keep no reference to a chunk. A chunk belongs to the parser until `retain` has copied
//    what is left of it.
// 4. After a `ProtocolError` the bytes have no meaning any more: the connection ends.

import { type Argument, argumentIn } from "./argument.js";
import { splitInline } from "./inline.js";

export interface ParserLimits {
  /** A line: of a request or of a length. */
  readonly lineBytesMax: number;
  readonly argumentsMax: number;
  readonly argumentBytesMax: number;
  /** All arguments of a request together. */
  readonly requestBytesMax: number;
}

/** What a client is told before its connection ends, without the code `ERR`. */
export class ProtocolError extends Error {}

// What who has not said who he is may send.
const strangersArgumentsMax = 10;
const strangersArgumentBytesMax = 16_384;

const carriageReturn = 13;
const lineFeed = 10;
const asterisk = 42;
const dollar = 36;
const zero = 48;
// Lengths of so many digits are read without further checks.
const plainDigitsMax = 9;
// Words for which there is room before they come.
const roomAtOnceMax = 64;
const strictInteger = /^(?:0|-?[1-9]\d{0,17})$/;
const none = Buffer.alloc(0);

export class RequestParser {
  readonly #limits: ParserLimits;
  /** Holds clients that have not been authenticated to narrow limits. */
  isStranger = false;
  #chunk: Buffer = none;
  #at = 0;
  // Pieces behind `#chunk`, put together when there are enough bytes to go on with.
  #pieces: Buffer[] = [];
  #piecesBytes = 0;
  // How many bytes from `#at` on have to be there before anything can happen.
  #neededBytes = 0;
  // The request under way: its words so far, their number, and the length of the next one.
  #words: Argument[] = [];
  #filled = 0;
  #count = 0;
  #length = -1;
  #requestBytes = 0;
  // How much of the line under way has been searched for its end.
  #searched = 0;

  constructor(limits: ParserLimits) {
    this.#limits = limits;
  }

  /** Bytes that have been received and are in no request yet. */
  get pendingBytes(): number {
    return this.#chunk.length - this.#at + this.#piecesBytes + this.#requestBytes;
  }

  /** Takes a chunk, which has to stay as it is until `retain`. */
  push(chunk: Buffer): void {
    const left = this.#chunk.length - this.#at;
    if (left === 0 && this.#piecesBytes === 0) {
      this.#chunk = chunk;
      this.#at = 0;
      return;
    }
    this.#pieces.push(chunk);
    this.#piecesBytes += chunk.length;
    if (left + this.#piecesBytes >= this.#neededBytes) this.#join();
  }

  #join(): void {
    this.#chunk = Buffer.concat([this.#chunk.subarray(this.#at), ...this.#pieces]);
    this.#at = 0;
    this.#pieces = [];
    this.#piecesBytes = 0;
  }

  /** Copies what is left of the last chunk, whose memory is used for something else from here on. */
  retain(): void {
    const last = this.#pieces.length - 1;
    if (last >= 0) this.#pieces[last] = Buffer.from(this.#pieces[last] as Buffer);
    else if (this.#at >= this.#chunk.length) this.#chunk = none;
    else this.#chunk = Buffer.from(this.#chunk.subarray(this.#at));
    if (last < 0) this.#at = 0;
  }

  /**
   * The words of the next request, at least one; undefined when it has not arrived yet.
   * @throws ProtocolError
   */
  next(): Argument[] | undefined {
    while (this.#at < this.#chunk.length && this.#piecesBytes === 0) {
      if (this.#count === 0 && this.#chunk[this.#at] !== asterisk) {
        const words = this.#line();
        if (words === undefined) return undefined;
        if (words.length > 0) return words;
      } else {
        if (this.#count === 0 && !this.#begin()) return undefined;
        if (this.#count > 0) return this.#list();
      }
    }
    return undefined;
  }

  /** An inline request; empty for an empty line, undefined when its end is missing. */
  #line(): Argument[] | undefined {
    const end = this.#endOfLine(lineFeed, "too big inline request");
    if (end < 0) return undefined;
    const isWithReturn = end > this.#at && this.#chunk[end - 1] === carriageReturn;
    const words = splitInline(this.#chunk.subarray(this.#at, isWithReturn ? end - 1 : end));
    if (words === undefined) throw new ProtocolError("unbalanced quotes in request");
    this.#at = end + 1;
    return words;
  }

  /** Where the line under way ends; negative when that is missing. */
  #endOfLine(ending: number, fault: string): number {
    const end = this.#chunk.indexOf(ending, this.#at + this.#searched);
    const bytes = (end < 0 ? this.#chunk.length : end) - this.#at;
    if (bytes > this.#limits.lineBytesMax) throw new ProtocolError(fault);
    this.#searched = end < 0 ? bytes : 0;
    this.#neededBytes = bytes + 1;
    return end;
  }

  /** The number of words of a request. False when it has not arrived. */
  #begin(): boolean {
    const count = this.#integer("too big mbulk count string");
    if (count === undefined) return false;
    if (!(count <= this.#limits.argumentsMax)) throw new ProtocolError("invalid multibulk length");
    if (this.isStranger && count > strangersArgumentsMax) {
      throw new ProtocolError("unauthenticated multibulk length");
    }
    this.#count = Math.max(0, count);
    // Of the right size at once; what is announced beyond that has to come first.
    this.#words = count > 0 ? new Array<Argument>(Math.min(count, roomAtOnceMax)) : [];
    this.#filled = 0;
    return true;
  }

  /** The words of a list. */
  #list(): Argument[] | undefined {
    const words = this.#words;
    const chunk = this.#chunk;
    let filled = this.#filled;
    while (filled < this.#count) {
      this.#filled = filled;
      if (this.#length < 0 && !this.#beginWord()) return undefined;
      const start = this.#at;
      const end = start + this.#length;
      if (end + 2 > chunk.length) {
        this.#neededBytes = this.#length + 2;
        return undefined;
      }
      words[filled] = filled === 0 ? nameIn(chunk, start, end) : argumentIn(chunk, start, end);
      filled++;
      this.#requestBytes += this.#length;
      this.#length = -1;
      // Whatever stands in the place of the line end.
      this.#at = end + 2;
    }
    this.#words = [];
    this.#count = 0;
    this.#requestBytes = 0;
    return words;
  }

  /** The length of a word. False when it has not arrived. */
  #beginWord(): boolean {
    if (this.#at >= this.#chunk.length) {
      this.#neededBytes = 1;
      return false;
    }
    const sign = this.#chunk[this.#at] as number;
    const length = this.#integer("too big bulk count string");
    if (length === undefined) return false;
    if (sign !== dollar) {
      throw new ProtocolError(`expected '$', got '${String.fromCharCode(sign)}'`);
    }
    if (!(length >= 0 && length <= this.#limits.argumentBytesMax)) {
      throw new ProtocolError("invalid bulk length");
    }
    if (this.isStranger && length > strangersArgumentBytesMax) {
      throw new ProtocolError("unauthenticated bulk length");
    }
    if (this.#requestBytes + length > this.#limits.requestBytesMax) {
      throw new ProtocolError("too big request");
    }
    this.#length = length;
    return true;
  }

  /** The integer of a line behind its first character: NaN when it is none, undefined when it has not arrived. */
  #integer(fault: string): number | undefined {
    const chunk = this.#chunk;
    const start = this.#at + 1;
    let at = start;
    let value = 0;
    for (; at < chunk.length; at++) {
      const digit = (chunk[at] as number) - zero;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const digits = at - start;
    const isPlain = digits === 1 || (digits <= plainDigitsMax && chunk[start] !== zero);
    if (digits > 0 && isPlain && at + 1 < chunk.length && chunk[at] === carriageReturn) {
      this.#at = at + 2;
      this.#searched = 0;
      return value;
    }
    return this.#unusualInteger(fault);
  }

  #unusualInteger(fault: string): number | undefined {
    const end = this.#endOfLine(carriageReturn, fault);
    if (end < 0) return undefined;
    if (end + 1 >= this.#chunk.length) {
      this.#neededBytes = end + 2 - this.#at;
      return undefined;
    }
    const text = this.#chunk.toString("latin1", this.#at + 1, end);
    this.#at = end + 2;
    return strictInteger.test(text) ? Number(text) : Number.NaN;
  }
}

// Names of commands come again and again: the last ones are kept, each in the place that its bytes
// point to.
const keptNames: (string | undefined)[] = new Array(256).fill(undefined);
const keptNameBytesMax = 24;

function nameIn(chunk: Buffer, start: number, end: number): Argument {
  if (end - start > keptNameBytesMax) return argumentIn(chunk, start, end);
  let place = 0;
  for (let at = start; at < end; at++) place = (place * 31 + (chunk[at] as number)) & 0xff;
  const kept = keptNames[place];
  if (kept !== undefined && isAt(chunk, start, end, kept)) return kept;
  const name = argumentIn(chunk, start, end);
  if (typeof name === "string" && name.length === end - start) keptNames[place] = name;
  return name;
}

function isAt(chunk: Buffer, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let at = start; at < end; at++) {
    if (chunk[at] !== text.charCodeAt(at - start)) return false;
  }
  return true;
}
