// Value codecs: one for each serialization of a store.
//
//   json    what is set is kept as a JSON string; other JSON shows as its text
//   string  what is set is kept as it is
//   bytes   what is set is kept as bytes; counters show as their digits

import type { Stored } from "../../engine/stored.js";
import { unwrapped, wrapped } from "../../kv/serialization/compressed.js";
import { textOf } from "../../kv/serialization/stored-text.js";
import type { Argument } from "./argument.js";
import { CommandError } from "./command.js";
import type { ValueCodec } from "./value-codec.js";

const quote = 0x22;

function checkText(value: Argument): asserts value is string {
  if (typeof value === "string") return;
  throw new CommandError(
    "ERR the store keeps text: values must be valid UTF-8 (use a store with serialization bytes)",
  );
}

/** The content of a JSON string, or the text of any other JSON. */
export function showJson(text: string): string {
  const end = text.length - 1;
  if (text.charCodeAt(0) !== quote || end < 1) return text;
  if (!text.includes("\\") && text.charCodeAt(end) === quote) return text.slice(1, end);
  try {
    return JSON.parse(text) as string;
  } catch {
    return text;
  }
}

function checkShown(stored: Stored): void {
  if (typeof stored !== "string") shownText(stored);
}

const jsonCodec: ValueCodec = {
  serialization: "json",
  store: (value) => {
    checkText(value);
    return JSON.stringify(value);
  },
  check: checkShown,
  show: (stored) => showJson(typeof stored === "string" ? stored : shownText(stored)),
};

const textCodec: ValueCodec = {
  serialization: "string",
  store: (value) => {
    checkText(value);
    return value;
  },
  check: checkShown,
  show: (stored) => (typeof stored === "string" ? stored : shownText(stored)),
};

const encoder = new TextEncoder();

const bytesCodec: ValueCodec = {
  serialization: "bytes",
  store: (value) =>
    wrapped(typeof value === "string" ? encoder.encode(value) : new Uint8Array(value)),
  check: (stored) => {
    if (typeof stored !== "string") shown(unwrapped, stored);
  },
  show: (stored) => (typeof stored === "string" ? stored : shown(unwrapped, stored)),
};

const codecs = { json: jsonCodec, string: textCodec, bytes: bytesCodec } as const;

export function codecOf(serialization: ValueCodec["serialization"]): ValueCodec {
  return codecs[serialization];
}

/** The text of a value of a store that keeps text. */
export function shownText(stored: Stored): string {
  return shown(textOf, stored);
}

function shown<Form extends Stored, Shown>(show: (stored: Form) => Shown, stored: Form): Shown {
  try {
    return show(stored);
  } catch (error) {
    throw new CommandError(`ERR ${(error as Error).message}`);
  }
}
