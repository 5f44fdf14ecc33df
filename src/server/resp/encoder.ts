// Encoder: replies in the wire form of RESP2 or RESP3.
//
// A reply is a string of which every character stands for one byte ("latin1"): replies of a pipeline
// are put together by concatenation and written to the socket at once, which costs a fraction of
// what buffers do.

import type { Argument } from "./argument.js";

/** A reply, or a part of one, as it goes out: one character for each byte. */
export type Encoded = string;

export interface Encoder {
  readonly protocol: 2 | 3;
  readonly ok: Encoded;
  readonly nil: Encoded;
  /** The nil of commands that answer arrays; the same as `nil` in RESP3. */
  readonly nilArray: Encoded;
  /** A short text without line ends. */
  simple(text: string): Encoded;
  /** The text begins with its code: `ERR syntax error`. Line ends in it become spaces. */
  error(text: string): Encoded;
  integer(value: number | bigint): Encoded;
  bulk(value: Argument): Encoded;
  /** Text for people; a bulk string in RESP2. */
  verbatim(text: string): Encoded;
  array(items: readonly Encoded[]): Encoded;
  /** Keys and values in turn; a flat array in RESP2. */
  map(items: readonly Encoded[]): Encoded;
  /** An array in RESP2. */
  set(items: readonly Encoded[]): Encoded;
  /** A bulk string in RESP2. */
  double(value: number): Encoded;
  /** What comes unasked; an array in RESP2. */
  push(items: readonly Encoded[]): Encoded;
}

const zero = ":0\r\n";
const one = ":1\r\n";

function bulk(value: Argument): Encoded {
  if (typeof value === "string") {
    const bytes = Buffer.byteLength(value);
    // As many bytes as characters: all of it is ASCII.
    if (bytes === value.length) return `$${bytes}\r\n${value}\r\n`;
    return `$${bytes}\r\n${Buffer.from(value).toString("latin1")}\r\n`;
  }
  const view = Buffer.from(value.buffer, value.byteOffset, value.length);
  return `$${view.length}\r\n${view.toString("latin1")}\r\n`;
}

function aggregate(sign: string, length: number, items: readonly Encoded[]): Encoded {
  return `${sign}${length}\r\n${items.join("")}`;
}

function bytewise(text: string): Encoded {
  return Buffer.from(text.replace(/[\r\n]+/g, " ")).toString("latin1");
}

function doubleText(value: number): string {
  if (value === Infinity) return "inf";
  if (value === -Infinity) return "-inf";
  return Number.isNaN(value) ? "nan" : String(value);
}

const common = {
  ok: "+OK\r\n",
  simple: (text: string) => `+${bytewise(text)}\r\n`,
  error: (text: string) => `-${bytewise(text)}\r\n`,
  integer: (value: number | bigint) => (value === 0 ? zero : value === 1 ? one : `:${value}\r\n`),
  bulk,
  array: (items: readonly Encoded[]) => aggregate("*", items.length, items),
};

export const resp2: Encoder = {
  ...common,
  protocol: 2,
  nil: "$-1\r\n",
  nilArray: "*-1\r\n",
  verbatim: bulk,
  map: common.array,
  set: common.array,
  double: (value) => bulk(doubleText(value)),
  push: common.array,
};

export const resp3: Encoder = {
  ...common,
  protocol: 3,
  nil: "_\r\n",
  nilArray: "_\r\n",
  // The length of a bulk string gives way to that with the kind of text before it.
  verbatim: (text) => bulk(`txt:${text}`).replace("$", "="),
  map: (items) => aggregate("%", items.length / 2, items),
  set: (items) => aggregate("~", items.length, items),
  double: (value) => `,${doubleText(value)}\r\n`,
  push: (items) => aggregate(">", items.length, items),
};
