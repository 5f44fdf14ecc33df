// Rows in the file: a value and its deadline in one run of bytes.
//
//   text without a deadline      the text, unless it is empty or begins with a unit below 5
//   0  text                      any other text without a deadline
//   1  deadline  text            deadline: 11 digits in base 36, Unix milliseconds
//   2  bytes                     bytes without a deadline
//   3  deadline  bytes
//
// The first form is what JSON text always has: a row of the common kind is its value and nothing
// else, and is read by one native call. All forms of text are UTF-8 as a whole.

import { isUtf8 } from "node:buffer";
import { never, type Row } from "../../engine/engine.js";
import type { Stored } from "../../engine/stored.js";

const escapedText = 0;
const expiringText = 1;
const plainBytes = 2;
const expiringBytes = 3;
/** 4 is reserved. */
const firstPlainUnit = 5;

const deadlineDigits = 11;
const bodyOffset = 1 + deadlineDigits;

function digitsOf(deadline: number): string {
  return deadline.toString(36).padStart(deadlineDigits, "0");
}

function encodeText(text: string, deadline: number): string {
  if (deadline !== never) return `\x01${digitsOf(deadline)}${text}`;
  return text.charCodeAt(0) >= firstPlainUnit ? text : `\0${text}`;
}

function encodeBytes(bytes: Uint8Array, deadline: number): Uint8Array {
  const offset = deadline === never ? 1 : bodyOffset;
  const row = Buffer.allocUnsafe(offset + bytes.length);
  row[0] = deadline === never ? plainBytes : expiringBytes;
  if (deadline !== never) row.write(digitsOf(deadline), 1, "latin1");
  row.set(bytes, offset);
  return row;
}

export function encodeRow(value: Stored, deadline: number): string | Uint8Array {
  return typeof value === "string" ? encodeText(value, deadline) : encodeBytes(value, deadline);
}

/** Whether a row that was read as text is one, and not bytes that have to be read as such. */
export function isTextRow(row: string): boolean {
  const first = row.charCodeAt(0);
  return first !== plainBytes && first !== expiringBytes;
}

export function decodeText(row: string): Row {
  const first = row.charCodeAt(0);
  if (first >= firstPlainUnit) return { value: row, deadline: never };
  if (first === escapedText) return { value: row.slice(1), deadline: never };
  if (first === expiringText) {
    const deadline = Number.parseInt(row.slice(1, bodyOffset), 36);
    return { value: row.slice(bodyOffset), deadline };
  }
  throw new Error(`a row of the unknown form ${first}`);
}

/** The bytes stay the caller's: the row takes a copy of none. */
export function decodeBytes(row: Uint8Array): Row {
  if (row[0] === plainBytes) return { value: row.subarray(1), deadline: never };
  const digits = Buffer.from(row.buffer, row.byteOffset + 1, deadlineDigits).toString("latin1");
  return { value: row.subarray(bodyOffset), deadline: Number.parseInt(digits, 36) };
}

/** A row as `encodeRow` writes it; undefined for any other bytes. */
export function decodeStrictly(row: Buffer): Row | undefined {
  const [form = firstPlainUnit] = row;
  if (form === plainBytes || form === expiringBytes) {
    return form === plainBytes || hasDeadline(row) ? decodeBytes(row) : undefined;
  }
  // The empty text has a form of its own.
  if (row.length === 0 || !isUtf8(row)) return undefined;
  if (form < firstPlainUnit && form !== escapedText && form !== expiringText) return undefined;
  if (form === expiringText && !hasDeadline(row)) return undefined;
  return decodeText(row.toString("utf8"));
}

function hasDeadline(row: Buffer): boolean {
  const digits = row.toString("latin1", 1, bodyOffset);
  return /^[0-9a-z]{11}$/.test(digits) && Number.isSafeInteger(Number.parseInt(digits, 36));
}
