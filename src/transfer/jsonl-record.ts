// JSONL record: one line of a file, `{"key":"...","value":...}`, as an entry.
//
// Every member of the object but these two is ignored; of a member that occurs twice the last one
// counts, as `JSON.parse` has it. Blanks around the object are ignored, a byte order mark is not.

import { SerializerError, ValueParseError } from "../base/errors.js";
import type { Entry } from "../operations/requests.js";
import type { LineReader } from "./line-reader.js";
import { isPlainJson } from "./plain-json.js";
import { messageOf, type Transfer, trimBlanks } from "./transfer.js";

/** The line that the reader stands on, its key behind the prefix. @throws ValueParseError */
export function readRecord(reader: LineReader, transfer: Transfer, keyPrefix: string): Entry {
  return plainRecord(reader, transfer, keyPrefix) ?? anyRecord(reader, transfer, keyPrefix);
}

const beforeKey = Buffer.from('{"key":"');
const beforeValue = Buffer.from('","value":');
const [quote, backslash, brace, space] = [0x22, 0x5c, 0x7d, 0x20];

/**
 * The record of a line that is spelled as `exportJSONL` does it, kept as it is without parsing it;
 * undefined for any other.
 */
function plainRecord(reader: LineReader, transfer: Transfer, keyPrefix: string): Entry | undefined {
  if (!transfer.format.isJsonText) return undefined;
  const { buffer, start, end } = reader;
  const keyStart = start + beforeKey.length;
  const keyEnd = plainEnd(buffer, keyStart, end);
  const valueStart = keyEnd + beforeValue.length;
  if (valueStart >= end || buffer[end - 1] !== brace || keyEnd === keyStart) return undefined;
  if (!stands(beforeKey, buffer, start) || !stands(beforeValue, buffer, keyEnd)) return undefined;
  if (!isPlainJson(buffer, valueStart, end - 1)) return undefined;
  const key = keyPrefix + reader.part(keyStart, keyEnd);
  checkRecordKey(key, transfer);
  return { key, value: reader.part(valueStart, end - 1) };
}

/** Where a JSON string without escapes ends; `end` when it is not one. */
function plainEnd(buffer: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = buffer[at] as number;
    if (byte === quote) return at;
    if (byte === backslash || byte < space) return end;
  }
  return end;
}

function stands(expected: Buffer, buffer: Buffer, start: number): boolean {
  for (let at = 0; at < expected.length; at++) {
    if (buffer[start + at] !== expected[at]) return false;
  }
  return true;
}

function anyRecord(reader: LineReader, transfer: Transfer, keyPrefix: string): Entry {
  const record = parseObject(reader.text());
  const { key: ownKey, value } = record;
  if (typeof ownKey !== "string" || ownKey === "") refuseKey(record);
  const key = keyPrefix + ownKey;
  checkRecordKey(key, transfer);
  if (value === undefined) throw new ValueParseError('"value" is missing');
  try {
    return { key, value: transfer.format.stored(value) };
  } catch (cause) {
    if (!(cause instanceof SerializerError)) throw cause;
    throw new ValueParseError(cause.message, { cause, key });
  }
}

function checkRecordKey(key: string, { checkKey }: Transfer): void {
  try {
    checkKey(key);
  } catch (cause) {
    throw new ValueParseError(messageOf(cause), { cause, key });
  }
}

function parseObject(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    value = parseTrimmed(line, cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new ValueParseError("the line is not a JSON object");
}

/** JSON knows four blanks; around a line there may be others. */
function parseTrimmed(line: string, cause: unknown): unknown {
  const trimmed = trimBlanks(line);
  if (trimmed === "") throw new ValueParseError("the line is blank");
  try {
    return JSON.parse(trimmed);
  } catch {
    const message = `the line is not a JSON object: ${messageOf(cause)}`;
    throw new ValueParseError(message, { cause });
  }
}

function refuseKey(record: Record<string, unknown>): never {
  if (!Object.hasOwn(record, "key")) throw new ValueParseError('"key" is missing');
  throw new ValueParseError('"key" must be a non-empty string');
}
