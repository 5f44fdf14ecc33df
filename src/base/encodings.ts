// Encodings: text as bytes, base64, digests and work on bytes, as far as the host has to do them.
//
// Everything that asks for them comes here, so that a host without Node needs another version of this
// file alone (k6/host/encodings.ts).

import { createHash } from "node:crypto";

/** Of the text in UTF-8. */
export function byteLengthOf(text: string): number {
  return Buffer.byteLength(text);
}

/** Whether the text has an encoding in UTF-8: no half of a surrogate pair stands alone. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed();
}

/** Padded base64 of bytes, or of a text in UTF-8. */
export function base64Of(content: string | Uint8Array): string {
  return Buffer.from(content as string).toString("base64");
}

/** @throws TypeError when the bytes are not UTF-8. */
export function textOfBase64(base64: string): string {
  return decoder.decode(Buffer.from(base64, "base64"));
}

export function textOfHex(hex: string): string {
  return Buffer.from(hex, "hex").toString();
}

/** SHA-1 of bytes, or of a text in UTF-8, in hexadecimal. */
export function sha1Of(content: string | Uint8Array): string {
  return createHash("sha1").update(content).digest("hex");
}

/** The same bytes, not copied. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** One byte and others behind it. */
export function bytesBehind(first: number, rest: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(rest.length + 1);
  bytes[0] = first;
  bytes.set(rest, 1);
  return bytes;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

// A byte order mark is content.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
