// Portable forms: values of each serialization as they stand in a JSONL file.
//
//   json     as they are           string   as JSON strings           bytes   as base64

import { SerializerError } from "../../base/errors.js";
import type { Stored } from "../../engine/stored.js";
import type { PortableFormat } from "../../transfer/portable-format.js";
import type { ValueFormat } from "./format.js";
import { textOf } from "./stored-text.js";

export function portableFormat(format: ValueFormat): PortableFormat {
  const { name, decode } = format;
  switch (name) {
    case "json":
      return { name, decode, json: jsonLine(format), stored: storedJson(format) };
    case "string":
      return {
        name,
        decode,
        json: (stored) => JSON.stringify(textOf(stored)),
        stored: format.encode,
      };
    case "bytes":
      return { name, decode, json: base64Json(format), stored: storedBase64(format) };
  }
}

/** The stored text itself, once it has been read as JSON; not every writer keeps to one line. */
function jsonLine({ check, decode }: ValueFormat): (stored: Stored) => string {
  return (stored) => {
    const text = textOf(stored);
    check(text);
    return text === "" || lineBreak.test(text) ? JSON.stringify(decode(text)) : text;
  };
}

const lineBreak = /[\r\n]/;

/**
 * The text of an array, an object or a string is the value's own stored form already, unless a number
 * in it may be one that JSON cannot say again: beyond all bounds, or minus zero.
 */
function storedJson({ encode }: ValueFormat): (value: unknown, text?: string) => Stored {
  return (value, text) => {
    if (text === undefined || typeof value === "number" || doubtfulNumber.test(text)) {
      return encode(value);
    }
    return text;
  };
}

const doubtfulNumber = /-0|\d[eE]|\d{16}/;

function base64Json({ decode }: ValueFormat): (stored: Stored) => string {
  return (stored) => `"${Buffer.from(decode(stored) as Uint8Array).toString("base64")}"`;
}

function storedBase64({ encode }: ValueFormat): (value: unknown) => Stored {
  return (value) => {
    if (typeof value === "string") {
      const bytes = Buffer.from(value, "base64");
      // Node skips what is not base64; the way back shows whether there was any.
      if (bytes.toString("base64") === value) return encode(bytes);
    }
    throw new SerializerError(
      '"value" must be bytes in base64, for a store with serialization "bytes"',
    );
  };
}
