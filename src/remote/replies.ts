// Replies: what comes back from the library, as texts, numbers and stored values.
//
// A stored value travels as one byte for its kind and its content:
//   j  text that is JSON (also every counter)      t  other text      b  bytes
// An empty reply in the place of a value means that there is none: no reply is ever nil.

import { bufferOf, bytesBehind } from "../base/encodings.js";
import { SerializerError, UnexpectedStoreOutputError } from "../base/errors.js";
import type { Stored } from "../engine/stored.js";
import type { Argument, Reply } from "./connection.js";

export type ValueKind = "j" | "t" | "b";

const kindBytes = "b".charCodeAt(0);
const kindTexts: ReadonlySet<number> = new Set([..."jt"].map((kind) => kind.charCodeAt(0)));

function unexpected(what: string): UnexpectedStoreOutputError {
  return new UnexpectedStoreOutputError(`the server's reply is not ${what}`);
}

export function bytesIn(reply: Reply | undefined): Buffer {
  if (!(reply instanceof Uint8Array)) throw unexpected("a text");
  return bufferOf(reply);
}

export function textIn(reply: Reply | undefined): string {
  return typeof reply === "string" ? reply : bytesIn(reply).toString();
}

/** A text as it has come. */
export function contentIn(reply: Reply | undefined): string | Uint8Array {
  return typeof reply === "string" ? reply : bytesIn(reply);
}

/** An integer, or its decimal text. */
export function numberIn(reply: Reply | undefined): number {
  const number = typeof reply === "number" ? reply : Number(textIn(reply));
  if (Number.isNaN(number)) throw unexpected("a number");
  return number;
}

export function flagIn(reply: Reply | undefined): boolean {
  return numberIn(reply) === 1;
}

export function isList(reply: Reply | undefined): reply is readonly Reply[] {
  return typeof reply === "object" && reply !== null && !(reply instanceof Uint8Array);
}

export function listIn(reply: Reply | undefined): readonly Reply[] {
  if (isList(reply)) return reply;
  throw unexpected("a list");
}

/** A stored value. */
export function storedIn(reply: Reply | undefined): Stored {
  if (typeof reply === "string") return storedInText(reply);
  const bytes = bytesIn(reply);
  const kind = bytes[0];
  if (kind !== undefined && kindTexts.has(kind)) return bytes.toString("utf8", 1);
  if (kind !== kindBytes) throw unexpected("a stored value");
  return new Uint8Array(bytes.buffer, bytes.byteOffset + 1, bytes.byteLength - 1);
}

/** Of a connection whose replies are texts: bytes have not come through it undamaged. */
function storedInText(reply: string): string {
  if (kindTexts.has(reply.charCodeAt(0))) return reply.slice(1);
  if (reply.charCodeAt(0) !== kindBytes) throw unexpected("a stored value");
  throw new SerializerError("stored value is bytes, and only text can be read here", {
    hint: 'it was written with serialization "bytes", or compressed: read it with Node',
  });
}

/** A stored value, or undefined for none. */
export function foundIn(reply: Reply | undefined): Stored | undefined {
  return contentIn(reply).length === 0 ? undefined : storedIn(reply);
}

/** A value on its way to the server; `textKind` says what its text is. */
export function valueArgument(value: Stored, textKind: "j" | "t"): Argument {
  if (typeof value === "string") return textKind + value;
  return bytesBehind(kindBytes, value);
}

/** Whether a store of the serialization "json" reads the text. */
export function isJson(text: string): boolean {
  if (text === "") return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
