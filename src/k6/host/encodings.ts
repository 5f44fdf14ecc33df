// Encodings in k6: stands in the bundle for base/encodings.ts.

import crypto from "k6/crypto";
import encoding from "k6/encoding";

const encoder = new TextEncoder();
// A byte order mark is content.
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

export function byteLengthOf(text: string): number {
  return encoder.encode(text).length;
}

export function isWellFormed(text: string): boolean {
  // Expressions do not find half of a pair here; this looks at every character, and quickly.
  try {
    // Its result is used, or the bundler takes the call away.
    return encodeURIComponent(text).length >= text.length;
  } catch {
    return false;
  }
}

export function base64Of(content: string | Uint8Array): string {
  return encoding.b64encode(inputOf(content));
}

export function textOfBase64(base64: string): string {
  return strict.decode(new Uint8Array(encoding.b64decode(base64, "std")));
}

export function textOfHex(hex: string): string {
  const pairs = hex.match(/../g) ?? [];
  return lenient.decode(Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)));
}

export function sha1Of(content: string | Uint8Array): string {
  return crypto.sha1(inputOf(content), "hex");
}

/** Replies are texts here: nobody asks for what a Buffer has besides. */
export function bufferOf(bytes: Uint8Array): Uint8Array {
  return bytes;
}

export function bytesBehind(first: number, rest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(rest.length + 1);
  bytes[0] = first;
  bytes.set(rest, 1);
  return bytes;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function inputOf(content: string | Uint8Array): string | ArrayBuffer {
  return typeof content === "string" ? content : (content.slice().buffer as ArrayBuffer);
}
