// Value codecs: one for each serialization.
//
// json    a text is kept as a JSON string, so `kv.get` gives the same text; whatever else lies in the
//         store shows as its JSON
// string  a text is kept as it is
// bytes   bytes are kept as they are

import type { Stored } from "../../engine/stored.js";
import { unwrapped, wrapped } from "../../kv/serialization/compressed.js";
import { checkBytes, checkTextBytes, textOf } from "../../kv/serialization/stored-text.js";
import type { Argument } from "./argument.js";
import { CommandError } from "./command.js";
import type { ValueCodec } from "./value-codec.js";

const encoder = new TextEncoder();
const quote = 34;
const highestBlank = 32;

function textIn(value: Argument): string {
  if (typeof value === "string") return value;
  throw new CommandError("ERR the store keeps text: values must be valid UTF-8");
}

const json: ValueCodec = {
  serialization: "json",
  store(value) {
    const text = JSON.stringify(textIn(value));
    checkTextBytes(text);
    return text;
  },
  check: checkText,
  show: (stored) => shownJson(textOf(stored)),
};

function checkText(stored: Stored): void {
  if (typeof stored !== "string") textOf(stored);
}

/** The content of a JSON string; the JSON of everything else, and of what UTF-8 cannot carry. */
export function shownJson(text: string): string {
  const first = text.charCodeAt(0);
  if (first !== quote) {
    return first <= highestBlank && text.trimStart().charCodeAt(0) === quote
      ? contentOf(text)
      : text;
  }
  return text.includes("\\") ? contentOf(text) : text.slice(1, -1);
}

function contentOf(text: string): string {
  try {
    const content = JSON.parse(text) as string;
    return content.isWellFormed() ? content : text;
  } catch {
    // Not JSON at all: whoever put it there sees it as it is.
    return text;
  }
}

const text: ValueCodec = {
  serialization: "string",
  store(value) {
    const stored = textIn(value);
    checkTextBytes(stored);
    return stored;
  },
  check: checkText,
  show: textOf,
};

const bytes: ValueCodec = {
  serialization: "bytes",
  store(value) {
    // A memory of its own, and no part of one that is larger.
    const own = typeof value === "string" ? encoder.encode(value) : new Uint8Array(value);
    checkBytes(own.length);
    return wrapped(own);
  },
  check: (stored) => {
    if (typeof stored !== "string") unwrapped(stored);
  },
  show: (stored) => (typeof stored === "string" ? stored : unwrapped(stored)),
};

const codecs: Readonly<Record<ValueCodec["serialization"], ValueCodec>> = {
  json,
  string: text,
  bytes,
};

export function valueCodecOf(serialization: ValueCodec["serialization"]): ValueCodec {
  return codecs[serialization];
}
