// CSV reader: the records of a file, in the dialect of Go's `encoding/csv`.
//
//   delimiter     one character
//   record end    "\n" or "\r\n"; a "\r" right before the end of the file is dropped, any other one
//                 is data; empty lines are skipped and not counted
//   quoting       `"` opens a field as its first character alone, `""` stands for one; quoted fields
//                 may hold delimiters and line ends, of which "\r\n" becomes "\n". A quote inside an
//                 unquoted field, text behind a closing one and a field that is never closed are errors
//   neither       comments, trimming, removal of a byte order mark, a fixed number of fields
//
// `csv-parse` does the work, on bytes. Where it reads differently, the bytes are prepared for it:
// a NUL behind a closing quote passes with it for the end of the file, so NUL goes through as byte FF,
// which UTF-8 does not have. Its fields are bytes as latin1, so that this can be undone.
//
// It is loaded by the first file that is read.

import { isAscii, isUtf8 } from "node:buffer";
import type { Parser } from "csv-parse";
import { ValueParseError } from "../base/errors.js";
import type { InputFile } from "./input-file.js";
import { chunkBytes } from "./transfer.js";
import { validLength, wholeLength } from "./utf8-text.js";

/** A record in UTF-8, with its quotes; memory is bounded by it. */
const recordBytesMax = 67_108_864;

const nul = 0x00;
const carriageReturn = 0x0d;
const nulMark = 0xff;
const marks = /\xff/g;
const beyondAscii = /[\x80-\xff]/;

/** The file is no CSV; the message says why, and nothing of where. */
export class CsvSyntaxError extends Error {}

const syntaxErrors: Readonly<Record<string, string>> = {
  INVALID_OPENING_QUOTE: 'a bare " in a field that is not quoted',
  CSV_INVALID_CLOSING_QUOTE: 'text behind the closing " of a field',
  CSV_QUOTE_NOT_CLOSED: 'a field that begins with " is never closed',
  CSV_MAX_RECORD_SIZE: `the record exceeds ${recordBytesMax} bytes`,
};

/** Completes what comes before it, and ends nothing itself. */
const filler = Buffer.from("xxxxxxxx");

export class CsvReader {
  readonly #file: InputFile;
  readonly #parser: Parser;
  #records: string[][] = [];
  /** Bytes read that the parser has not been given: the beginning of a character, or a "\r". */
  #rest: Buffer = Buffer.alloc(0);
  #isAtEnd = false;
  #failure: Error | undefined;
  /** Bytes since the last record that was complete. */
  #recordBytes = 0;
  /** Whether fields may have to be changed after the parser. */
  #isPlain = true;
  /** Bytes read from the file. */
  bytes = 0;

  private constructor(file: InputFile, parser: Parser) {
    this.#file = file;
    this.#parser = parser;
    // Failures are told to whoever wrote; without a listener they would end the process.
    parser.on("error", () => {});
  }

  static async of(file: InputFile, delimiter: string): Promise<CsvReader> {
    const { parse } = await import("csv-parse");
    const parser = parse({
      delimiter: Buffer.from(delimiter).toString("latin1"),
      record_delimiter: ["\r\n", "\n"],
      encoding: "latin1",
      bom: false,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: recordBytesMax,
      on_record: (record: string[]) => {
        reader.#take(record);
        return null;
      },
    });
    const reader = new CsvReader(file, parser);
    return reader;
  }

  /**
   * The records of the next piece of the file, or undefined at its end. Errors come after the
   * records before them.
   *
   * @throws CsvSyntaxError, and ValueParseError for what is not UTF-8: both concern the record after
   * those that were given; SnapshotReadError when the file cannot be read.
   */
  async read(): Promise<string[][] | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isAtEnd) return undefined;
    const piece = await this.#nextPiece();
    this.#isPlain &&= isAscii(piece) && !piece.includes(carriageReturn) && !piece.includes(nul);
    if (isUtf8(piece)) await this.#feed(piece);
    else await this.#feedUpTo(piece, validLength(piece));
    const records = this.#records;
    this.#records = [];
    this.#recordBytes = records.length === 0 ? this.#recordBytes + piece.length : piece.length;
    if (this.#recordBytes > recordBytesMax + chunkBytes) {
      this.#failure ??= new CsvSyntaxError(`the record exceeds ${recordBytesMax} bytes`);
    }
    return records;
  }

  /** Bytes of their own, because the parser keeps parts of what it is given. */
  async #nextPiece(): Promise<Buffer> {
    const rest = this.#rest;
    const buffer = Buffer.allocUnsafe(rest.length + chunkBytes);
    rest.copy(buffer);
    const count = await this.#file.read(buffer, rest.length);
    this.bytes += count;
    this.#isAtEnd = count < chunkBytes;
    const read = buffer.subarray(0, rest.length + count);
    const isCut = read.at(-1) === carriageReturn;
    const length = isCut ? read.length - 1 : this.#isAtEnd ? read.length : wholeLength(read);
    this.#rest = read.subarray(length);
    return read.subarray(0, length);
  }

  async #feed(piece: Buffer): Promise<void> {
    mapNul(piece);
    try {
      if (piece.length > 0) await written(this.#parser, piece);
      if (this.#isAtEnd) await ended(this.#parser);
    } catch (cause) {
      this.#failure = syntaxError(cause);
    }
  }

  /** The bytes before one that is wrong: what is complete there counts. */
  async #feedUpTo(piece: Buffer, length: number): Promise<void> {
    this.#isAtEnd = false;
    await this.#feed(piece.subarray(0, length));
    if (this.#failure !== undefined) return;
    this.#failure = new ValueParseError("the file is not UTF-8 text here");
    // Whatever the parser has to say of the filler is about bytes that are not there.
    await written(this.#parser, filler).catch(() => {});
  }

  #take(record: string[]): void {
    if (!this.#isPlain) {
      for (let index = 0; index < record.length; index++) {
        record[index] = restored(record[index] as string);
      }
    }
    this.#records.push(record);
  }
}

function mapNul(piece: Buffer): void {
  for (let at = piece.indexOf(nul); at !== -1; at = piece.indexOf(nul, at + 1)) piece[at] = nulMark;
}

/** The text of a field from its bytes. */
function restored(field: string): string {
  const text = beyondAscii.test(field)
    ? Buffer.from(field.replace(marks, "\0"), "latin1").toString()
    : field;
  return text.includes("\r\n") ? text.replaceAll("\r\n", "\n") : text;
}

function written(parser: Parser, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

function ended(parser: Parser): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.once("error", reject);
    parser.end((error?: Error | null) => (error ? reject(error) : resolve()));
  });
}

function syntaxError(cause: unknown): CsvSyntaxError {
  const { code, message } = cause as Error & { code?: string };
  return new CsvSyntaxError(syntaxErrors[code ?? ""] ?? message, { cause });
}
