// Portable forms: values of each serialization as they stand in a JSONL file.
//
//   json     as they are           string   as JSON strings           bytes   as base64

import { SerializerError } from "../../base/errors.js";
import type { Stored } from "../../engine/stored.js";
import { isPlainJson } from "../../transfer/plain-json.js";
import type { PortableFormat } from "../../transfer/portable-format.js";
import { bytesFormat } from "./bytes.js";
import type { ValueFormat } from "./format.js";
import { bytesOf, textOf } from "./stored-text.js";

export function portableFormat(format: ValueFormat): PortableFormat {
  const { name, decode, encode: stored } = format;
  switch (name) {
    case "json":
      return { name, decode, isJsonText: true, json: jsonLine(format), stored };
    case "string":
      return { name, decode, isJsonText: false, json: textJson, stored };
    case "bytes":
      return { name, decode, isJsonText: false, json: base64Json, stored: storedBase64 };
  }
}

/** The stored text itself, once it is known to be JSON; not every writer keeps to one line. */
function jsonLine({ check, decode }: ValueFormat): (stored: Stored) => string {
  const scratch = Buffer.allocUnsafe(scratchBytes);
  return (stored) => {
    const text = textOf(stored);
    // Recognizing it costs a fraction of parsing it, and nearly all text of ours is recognized.
    if (text.length * codeUnitBytesMax <= scratchBytes) {
      if (isPlainJson(scratch, 0, scratch.write(text))) return text;
    }
    check(text);
    return text === "" || lineBreak.test(text) ? JSON.stringify(decode(text)) : text;
  };
}

const scratchBytes = 16_384;
/** UTF-8 never needs more than three bytes for a UTF-16 code unit. */
const codeUnitBytesMax = 3;
const lineBreak = /[\r\n]/;

function textJson(stored: Stored): string {
  return JSON.stringify(textOf(stored));
}

function base64Json(stored: Stored): string {
  return `"${Buffer.from(bytesOf(stored)).toString("base64")}"`;
}

function storedBase64(value: unknown): Stored {
  if (typeof value === "string") {
    const bytes = Buffer.from(value, "base64");
    // Node skips what is not base64; the way back shows whether there was any.
    if (bytes.toString("base64") === value) return bytesFormat.encode(bytes);
  }
  throw new SerializerError('"value" must be base64, for a store with serialization "bytes"');
}
