// Change codec: rows as bytes, in log records and in blocks of states.
//
//   change = kind 1 | key length varint | key | [deadline varint] | [value length varint | value]
//   kind   = table number | 0x10 put | 0x20 value is bytes | 0x40 has a deadline | 0x80 clear
//
// Text is encoded straight into the growing buffer. Its length in bytes is known only afterwards:
// the space for the varint is guessed from the number of characters, which is right for ASCII, and
// the text is moved by a byte or two where it was not.

import { DiskStoreWriteError } from "../../base/errors.js";
import type { ChangeTarget } from "../../engine/changes.js";
import { never } from "../../engine/engine.js";
import type { Stored } from "../../engine/stored.js";
import { type TableName, tableNames } from "../../engine/tables.js";
import { framePayloadBytesMax } from "./log-format.js";

const putBit = 0x10;
const bytesBit = 0x20;
const deadlineBit = 0x40;
const clearBit = 0x80;
const tableMask = 0x0f;

// Positions in `tableNames` plus one; frozen with the format, so spelled out.
const tableNumbers: { readonly [Name in TableName]: number } = {
  values: 1,
  lists: 2,
  items: 3,
  claims: 4,
  members: 5,
  counters: 6,
  garbage: 7,
};

const tablesByNumber = new Map(tableNames.map((name) => [tableNumbers[name], name]));

const utf8BytesPerUnitMax = 3;
const varintBytesMax = 8;
const recordLengthBytes = 4;
/** Below 0x80, so that the length is one byte. */
const shortTextLengthMax = 24;
const recycledGrowthMax = 32;
/** Node refuses larger buffers with an error that helps nobody. */
const bufferBytesMax = 2 ** 32 - 1;

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** A growing buffer of changes; `reserved` bytes stay free at its start. */
export class ChangeEncoder {
  #buffer: Buffer;
  #length: number;
  #recordStart = 0;
  readonly #reserved: number;
  readonly #initialBytes: number;
  // A buffer that was handed out and has come back.
  #spare: Buffer | undefined;

  constructor(reserved: number, initialBytes: number) {
    this.#reserved = reserved;
    this.#initialBytes = initialBytes;
    this.#buffer = Buffer.allocUnsafeSlow(initialBytes);
    this.#length = reserved;
  }

  /** Bytes put in so far, the reserved ones not counted. */
  get length(): number {
    return this.#length - this.#reserved;
  }

  beginRecord(): void {
    this.#ensure(recordLengthBytes);
    this.#recordStart = this.#length;
    this.#length += recordLengthBytes;
  }

  /**
   * Completes the record; false when nothing was put into it, and then there is none.
   *
   * @throws DiskStoreWriteError when there is too much in the buffer; it is then to be cancelled.
   */
  endRecord(): boolean {
    const length = this.#length - this.#recordStart - recordLengthBytes;
    if (this.length > framePayloadBytesMax) throw tooLong();
    if (length === 0) this.#length = this.#recordStart;
    else this.#buffer.writeUInt32LE(length, this.#recordStart);
    return length > 0;
  }

  /** Takes back what was put in since the record was begun. */
  cancelRecord(): void {
    this.#length = this.#recordStart;
  }

  put(table: TableName, key: string, value: Stored, deadline: number): void {
    const isBytes = typeof value !== "string";
    const kind = tableNumbers[table] | putBit | (isBytes ? bytesBit : 0);
    this.#kind(deadline === never ? kind : kind | deadlineBit);
    this.#text(key);
    if (deadline !== never) this.#varint(deadline);
    if (isBytes) this.#bytes(value);
    else this.#text(value);
  }

  delete(table: TableName, key: string): void {
    this.#kind(tableNumbers[table]);
    this.#text(key);
  }

  clear(table: TableName): void {
    this.#kind(tableNumbers[table] | clearBit);
  }

  /**
   * Hands out what was put in, with the reserved bytes before it, and starts anew. The bytes belong
   * to the caller, who may give them back with `recycle` when nobody reads them any more.
   */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#buffer = this.#spare ?? Buffer.allocUnsafeSlow(this.#initialBytes);
    this.#spare = undefined;
    this.#length = this.#reserved;
    return taken;
  }

  /** Takes the buffer of `taken` for later use, unless it has grown much beyond the usual. */
  recycle(taken: Buffer): void {
    const { buffer } = taken;
    if (buffer.byteLength <= this.#initialBytes * recycledGrowthMax)
      this.#spare = Buffer.from(buffer);
  }

  #kind(kind: number): void {
    this.#ensure(1);
    this.#buffer[this.#length++] = kind;
  }

  #varint(value: number): void {
    this.#ensure(varintBytesMax);
    this.#length = writeVarint(this.#buffer, value, this.#length);
  }

  #text(text: string): void {
    this.#ensure(text.length * utf8BytesPerUnitMax + varintBytesMax);
    if (text.length > shortTextLengthMax || !this.#shortText(text)) this.#anyText(text);
  }

  // For a short text the call into the runtime takes longer than the text.
  #shortText(text: string): boolean {
    const { length } = text;
    const buffer = this.#buffer;
    const start = this.#length + 1;
    for (let at = 0; at < length; at++) {
      const unit = text.charCodeAt(at);
      if (unit >= 0x80) return false;
      buffer[start + at] = unit;
    }
    buffer[this.#length] = length;
    this.#length = start + length;
    return true;
  }

  #anyText(text: string): void {
    const buffer = this.#buffer;
    const guessed = varintSize(text.length);
    const start = this.#length + guessed;
    const bytes = buffer.write(text, start);
    const needed = varintSize(bytes);
    if (needed !== guessed) buffer.copyWithin(this.#length + needed, start, start + bytes);
    writeVarint(buffer, bytes, this.#length);
    this.#length += needed + bytes;
  }

  #bytes(value: Uint8Array): void {
    this.#ensure(value.length + varintBytesMax);
    this.#length = writeVarint(this.#buffer, value.length, this.#length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  #ensure(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#buffer.length) return;
    if (needed > bufferBytesMax) throw tooLong();
    const size = Math.min(Math.max(needed, this.#buffer.length * 2), bufferBytesMax);
    const grown = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

function tooLong(): DiskStoreWriteError {
  return new DiskStoreWriteError(
    `the log cannot take more than ${framePayloadBytesMax} bytes at once`,
    { hint: "await what is being written, and write in several smaller steps" },
  );
}

function writeVarint(buffer: Buffer, value: number, at: number): number {
  let rest = value;
  let position = at;
  while (rest >= 0x80) {
    buffer[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  buffer[position++] = rest;
  return position;
}

/** Bytes that pass their checksum and still make no sense: damage, or a bug of ours. */
export class MalformedChanges extends Error {}

export class ChangeDecoder {
  readonly #bytes: Buffer;
  #position = 0;
  #end = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Applies the changes in `[start, end)`. */
  decode(start: number, end: number, target: ChangeTarget): void {
    this.#position = start;
    this.#end = end;
    while (this.#position < end) this.#change(target);
    if (this.#position !== end) throw new MalformedChanges("a change runs over the end");
  }

  #change(target: ChangeTarget): void {
    const kind = this.#bytes[this.#position++] as number;
    const table = tablesByNumber.get(kind & tableMask);
    if (table === undefined) throw new MalformedChanges(`unknown table ${kind & tableMask}`);
    if (kind & clearBit) {
      target.clear(table);
      return;
    }
    const key = this.#text();
    if ((kind & putBit) === 0) {
      target.delete(table, key);
      return;
    }
    const deadline = kind & deadlineBit ? this.#varint() : never;
    const value = kind & bytesBit ? this.#copy() : this.#text();
    target.put(table, key, value, deadline);
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let size = 0; size < varintBytesMax; size++) {
      if (this.#position >= this.#end) throw new MalformedChanges("a number runs over the end");
      const byte = this.#bytes[this.#position++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new MalformedChanges("a number is too long");
  }

  #span(): number {
    const length = this.#varint();
    const start = this.#position;
    if (length > this.#end - start) throw new MalformedChanges("a text runs over the end");
    this.#position = start + length;
    return start;
  }

  #text(): string {
    const start = this.#span();
    return this.#bytes.toString("utf8", start, this.#position);
  }

  #copy(): Uint8Array {
    const start = this.#span();
    return Uint8Array.from(this.#bytes.subarray(start, this.#position));
  }
}

/** Calls back with the bounds of each record of a frame's payload. */
export function forEachRecord(
  bytes: Buffer,
  start: number,
  end: number,
  visit: (start: number, end: number) => void,
): number {
  let records = 0;
  for (let position = start; position < end; records++) {
    if (end - position < recordLengthBytes) throw new MalformedChanges("a record is cut");
    const from = position + recordLengthBytes;
    const to = from + bytes.readUInt32LE(position);
    if (to > end) throw new MalformedChanges("a record runs over the end");
    visit(from, to);
    position = to;
  }
  return records;
}
