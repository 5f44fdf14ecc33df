// Arguments: what a client sends, and what commands hand back to it, in one form.

/** Text where the bytes are well-formed UTF-8, the bytes themselves where they are not. */
export type Argument = string | Uint8Array;

/** The number of bytes on the wire. */
export function byteLengthOf(argument: Argument): number {
  return typeof argument === "string" ? Buffer.byteLength(argument) : argument.length;
}

/** The bytes. They may be those of the argument itself: nobody writes into them. */
export function bytesOf(argument: Argument): Uint8Array {
  return typeof argument === "string" ? Buffer.from(argument) : argument;
}

/** The argument that bytes make; it keeps no reference to them. */
export function argumentOf(bytes: Uint8Array): Argument {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return argumentIn(view, 0, view.length);
}

/** As `argumentOf`, of a part of a buffer. */
export function argumentIn(buffer: Buffer, start: number, end: number): Argument {
  const text = buffer.toString("utf8", start, end);
  // What is malformed shows as U+FFFD, which may as well have been sent as such.
  if (!text.includes("\ufffd")) return text;
  const bytes = Buffer.from(buffer.subarray(start, end));
  return bytes.equals(Buffer.from(text)) ? text : bytes;
}
