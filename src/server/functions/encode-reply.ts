// The reply of a function in the wire form of a protocol.

import type { Encoded, Encoder } from "../resp/encoder.js";
import type { FunctionReply } from "./function-reply.js";

export function encodeReply(encode: Encoder, reply: FunctionReply): Encoded {
  if (typeof reply === "number") return encode.integer(reply);
  if (typeof reply === "string" || reply instanceof Uint8Array) return encode.bulk(reply);
  return encode.array(reply.map((part) => encodeReply(encode, part)));
}
