// Function reply: what an operation answers, before a door writes it in the form of its protocol.
//
// Text stands for its UTF-8. No reply is nil.

import type { Reply } from "../../remote/connection.js";

export type FunctionReply = number | string | Uint8Array | readonly FunctionReply[];

/** The same as it comes out of a client of RESP. */
export function wireReply(reply: FunctionReply): Reply {
  if (typeof reply === "string") return Buffer.from(reply);
  if (typeof reply === "number" || reply instanceof Uint8Array) return reply;
  return reply.map(wireReply);
}
