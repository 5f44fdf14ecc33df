// Function calls: the calls of a remote store (docs/formats/valkey.md) as HTTP, for clients that have
// no other protocol.
//
//   POST /v1/fcall/<operation>   { "tag": "anykv:{jobs:0}", "args": ["key", 1, { "base64": "..." }] }
//   200                          { "reply": ... }              what the function replies
//   200                          { "refusal": "ANYKV_..." }    its error reply, as its text
//
// Integers are numbers, bulk replies are text, or { "base64": "..." } where they are not UTF-8.

import { isUtf8 } from "node:buffer";
import type { Fields } from "../../kv/arguments.js";
import { type Argument, LibraryError, type Reply } from "../../remote/connection.js";
import { operationTable } from "../../remote/operation-table.js";
import { refused } from "./refusal.js";

export interface FunctionCall {
  /** The name behind `anykv_`. */
  readonly operation: string;
  readonly tag: string;
  readonly args: readonly Argument[];
}

/** @throws LibraryError for an error reply, whose message is its text. */
export type CallFunction = (call: FunctionCall) => Promise<Reply> | Reply;

type JsonReply = number | string | null | { readonly base64: string } | readonly JsonReply[];

export const functionPath = "/v1/fcall/";

/** What a caller must be allowed; undefined when there is no such operation. */
export function functionAccess(operation: string): "read" | "write" | undefined {
  // The partition of a served store is there: it is not made by opening it.
  if (operation === "version" || operation === "open") return "read";
  if (!Object.hasOwn(operationTable, operation)) return undefined;
  const kind = operationTable[operation as keyof typeof operationTable];
  return kind === "read" || kind === "reap" ? "read" : "write";
}

/** The body of the answer. @throws Refusal, and what is no error reply. */
export async function answerFunction(
  callFunction: CallFunction,
  operation: string,
  fields: Fields,
): Promise<{ reply: JsonReply } | { refusal: string }> {
  const { tag, args = [], ...others } = fields;
  if (typeof tag !== "string" || tag === "") throw refused(400, '"tag" must be a non-empty string');
  if (!Array.isArray(args)) throw refused(400, '"args" must be an array');
  if (Object.keys(others).length > 0) throw refused(400, "the body has `tag` and `args` alone");
  const call = { operation, tag, args: args.map(argumentIn) };
  try {
    return { reply: jsonOf(await callFunction(call)) };
  } catch (error) {
    if (error instanceof LibraryError) return { refusal: error.message };
    throw error;
  }
}

function argumentIn(json: unknown, index: number): Argument {
  if (typeof json === "string" || (typeof json === "number" && Number.isFinite(json))) return json;
  if (typeof json === "object" && json !== null && "base64" in json) {
    const { base64 } = json;
    if (typeof base64 === "string") return Buffer.from(base64, "base64");
  }
  throw refused(400, `args[${index}] must be a string, a number or { "base64": "..." }`);
}

function jsonOf(reply: Reply): JsonReply {
  if (reply === null || typeof reply === "number") return reply;
  if (!(reply instanceof Uint8Array)) return reply.map(jsonOf);
  const bytes = Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength);
  return isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString("base64") };
}
