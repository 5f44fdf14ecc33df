// Values in JSON: in a store of bytes every value travels as base64 text, in others as it is.

import { InvalidOptionsError, SerializerError } from "../../base/errors.js";
import { isPlainObject } from "../../kv/arguments.js";
import type { Parameter } from "./operation.js";

// One character at a time: an expression for groups of four runs out of stack in texts of some MiB.
const foreign = /[^A-Za-z0-9+/]/;

/** The bytes behind base64 as we write it; undefined for what is none. */
export function bytesOf(text: unknown): Uint8Array | undefined {
  if (typeof text !== "string" || !isPadded(text)) return undefined;
  return new Uint8Array(Buffer.from(text, "base64"));
}

function isPadded(text: string): boolean {
  if (text.length % 4 !== 0) return false;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return !foreign.test(text.slice(0, text.length - padding));
}

function storedValue(json: unknown): unknown {
  if (json === undefined || json === null) return json;
  const bytes = bytesOf(json);
  if (bytes !== undefined) return bytes;
  throw new SerializerError("value must be base64 text: the store keeps bytes", {
    hint: "RFC 4648, with padding",
  });
}

/** What is no base64 stays as it is: the library then lists it with the other bad entries. */
function entriesOf(json: unknown): unknown {
  if (!isPlainObject(json)) return json;
  const entries: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(json)) entries[key] = bytesOf(json[key]) ?? json[key];
  return entries;
}

/** Whether it is the form of bytes among texts, `{ "base64": ... }`, whatever stands in it. */
export function isMarked(json: unknown): json is { readonly base64: unknown } {
  return isPlainObject(json) && Object.keys(json).join() === "base64";
}

function itemOf(json: unknown): unknown {
  if (!isMarked(json)) return json;
  const bytes = bytesOf(json.base64);
  if (bytes !== undefined) return bytes;
  throw new InvalidOptionsError('"base64" of an item is no base64 text', {
    hint: "RFC 4648, with padding",
  });
}

/** How the JSON of a parameter is read; undefined: as it is. */
export function readerOf(
  { holds }: Parameter,
  isBytes: boolean,
): ((json: unknown) => unknown) | undefined {
  if (holds === "item") return itemOf;
  if (!isBytes || holds === undefined) return undefined;
  return holds === "value" ? storedValue : entriesOf;
}

/** For `JSON.stringify`: results of a store of bytes hold them nowhere but in the place of values. */
export function bytesAsBase64(_name: string, part: unknown): unknown {
  if (!(part instanceof Uint8Array)) return part;
  return Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString("base64");
}
