// JSONL record: one line of a file, `{"key":"...","value":...}`, as an entry.
//
// Every member of the object but these two is ignored; of a member that occurs twice the last one
// counts, as `JSON.parse` has it. Blanks around the object are ignored, a byte order mark is not.

import { SerializerError, ValueParseError } from "../base/errors.js";
import type { Entry } from "../operations/requests.js";
import type { LineReader } from "./line-reader.js";
import { messageOf, type Transfer, trimBlanks } from "./transfer.js";

/** The line that the reader stands on. @throws ValueParseError */
export function readRecord(reader: LineReader, { format, checkKey }: Transfer): Entry {
  const line = reader.text();
  const record = parseObject(line);
  const { key, value } = record;
  if (typeof key !== "string" || key === "") refuseKey(record);
  try {
    checkKey(key);
  } catch (cause) {
    throw new ValueParseError(messageOf(cause), { cause });
  }
  if (value === undefined) throw new ValueParseError('"value" is missing');
  try {
    return { key, value: format.stored(value, plainText(reader, line, key)) };
  } catch (cause) {
    if (!(cause instanceof SerializerError)) throw cause;
    throw new ValueParseError(cause.message, { cause });
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

const beforeKey = '{"key":"';
const betweenKeyAndValue = '","value":';

/**
 * The text of the value, when the line is spelled as `exportJSONL` does it and the members of the
 * value leave no doubt that it is the only one of its name.
 */
function plainText(reader: LineReader, line: string, key: string): string | undefined {
  const keyEnd = beforeKey.length + key.length;
  if (
    !line.startsWith(betweenKeyAndValue, keyEnd) ||
    !line.startsWith(beforeKey) ||
    !line.startsWith(key, beforeKey.length) ||
    !line.endsWith("}")
  ) {
    return undefined;
  }
  const extraBytes = isOneByte(key) ? 0 : Buffer.byteLength(key) - key.length;
  const text = reader.part(keyEnd + betweenKeyAndValue.length + extraBytes, 1);
  return mayRepeatMember.test(text) ? undefined : text;
}

/** A second "key" or "value", also one that is spelled with escapes. */
const mayRepeatMember = /"key"|"value"|\\u/;

function isOneByte(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
