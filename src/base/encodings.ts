// Encodings: text as bytes, base64 and digests, as far as the host has to do them.
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

// A byte order mark is content.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
