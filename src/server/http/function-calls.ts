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
import { LibraryError } from "../../remote/connection.js";
import { type Argument, argumentOf } from "../resp/argument.js";
import { refused } from "./refusal.js";
import { bytesOf, isMarked } from "./values.js";

export interface AskedFunction {
  /** The name behind `anykv_`. */
  readonly operation: string;
  readonly tag: string;
  readonly args: readonly Argument[];
}

/** Text stands for its UTF-8. */
export type FunctionAnswer = number | string | Uint8Array | null | readonly FunctionAnswer[];

/** What answers calls of functions. */
export interface ServedFunctions {
  /** Whether there is such an operation, and whether it changes nothing that anybody can observe. */
  natureOf(operation: string): "unknown" | "read" | "write";
  /**
   * `attend` is asked by what takes its time, for the signal that ends it: one signal for each call
   * would be too dear for the others.
   *
   * @throws LibraryError (or rejects with it) for an error reply, whose message is its text.
   */
  call(asked: AskedFunction, attend: () => AbortSignal): Promise<FunctionAnswer> | FunctionAnswer;
}

type JsonReply = number | string | null | { readonly base64: string } | readonly JsonReply[];

export const functionPath = "/v1/fcall/";

/** What a caller must be allowed. */
export function functionAccess(
  functions: ServedFunctions,
  operation: string,
): "unknown" | "read" | "write" {
  // The partition of a served store is there: it is not made by opening it.
  return operation === "open" ? "read" : functions.natureOf(operation);
}

/** The body of the answer. @throws Refusal, and what is no error reply. */
export async function answerFunction(
  functions: ServedFunctions,
  operation: string,
  fields: Fields,
  attend: () => AbortSignal,
): Promise<{ reply: JsonReply } | { refusal: string }> {
  const { tag, args = [], ...others } = fields;
  if (typeof tag !== "string" || tag === "") throw refused(400, '"tag" must be a non-empty string');
  if (!Array.isArray(args)) throw refused(400, '"args" must be an array');
  if (Object.keys(others).length > 0) throw refused(400, "the body has `tag` and `args` alone");
  const asked = { operation, tag, args: args.map(argumentIn) };
  try {
    return { reply: jsonOf(await functions.call(asked, attend)) };
  } catch (error) {
    if (error instanceof LibraryError) return { refusal: error.message };
    throw error;
  }
}

/** As it would come over a connection: a number is its text. */
function argumentIn(json: unknown, index: number): Argument {
  if (typeof json === "string" && json.isWellFormed()) return json;
  if (typeof json === "number") return String(json);
  const bytes = isMarked(json) ? bytesOf(json.base64) : undefined;
  if (bytes !== undefined) return argumentOf(bytes);
  throw refused(400, `args[${index}] must be text, a number or { "base64": "..." }`);
}

function jsonOf(reply: FunctionAnswer): JsonReply {
  if (reply === null || typeof reply === "number" || typeof reply === "string") return reply;
  if (!(reply instanceof Uint8Array)) return reply.map(jsonOf);
  const bytes = Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength);
  return isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString("base64") };
}
