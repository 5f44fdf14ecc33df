// File calls: operations that make and read files of the server, as calls of functions.
//
//   FCALL anykv_<operation> 1 <tag>:v <options>     options and reply are JSON, as in docs/http.md
//
// Names of files cannot leave the directory of the server. What is refused is told by the name of its
// error, without the paths of the server.

import { isPlainObject } from "../../kv/arguments.js";
import type { Kv } from "../../kv/kv.js";
import type { LibraryError } from "../../remote/connection.js";
import type { ConfinedDirectory } from "../files/confined-directory.js";
import type { Naming } from "../files/named-error.js";
import { fileOperations } from "../http/operations/upkeep.js";
import { type PreparedCall, prepareCall } from "../http/prepared-call.js";
import { errorAnswer } from "../http/refusal.js";
import type { Argument } from "../resp/argument.js";
import { malformed, refusal } from "./refusals.js";

export interface ServedFiles {
  readonly kv: Kv;
  /** Absent: every call is refused. */
  readonly directory: ConfinedDirectory | undefined;
  readonly naming: Naming;
  /** Aborted when what takes its time is to end. */
  readonly signal: AbortSignal | undefined;
}

/** Of the options of one call. */
const optionsLengthMax = 1_048_576;

const calls: ReadonlyMap<string, PreparedCall> = new Map(
  // None of them has a value of the store among its options.
  fileOperations.map((operation) => [operation.name, prepareCall(operation, false)]),
);

export function isFileCall(operation: string): boolean {
  return calls.has(operation);
}

/** The result as JSON. Rejects with a LibraryError for whatever is refused. */
export async function callWithFile(
  { kv, directory, naming, signal }: ServedFiles,
  operation: string,
  args: readonly Argument[],
): Promise<string> {
  const call = calls.get(operation);
  if (call === undefined) throw refusal("UNKNOWN_OPERATION", operation);
  const options = optionsIn(operation, args);
  try {
    return JSON.stringify(await call(options, { kv, files: directory, signal }));
  } catch (error) {
    throw refusedWith(error, naming);
  }
}

function refusedWith(thrown: unknown, naming: Naming): LibraryError {
  const { name, message } = errorAnswer(thrown, naming).body.error;
  return refusal("REFUSED", `${name} ${message}`);
}

/** @throws LibraryError */
function optionsIn(
  operation: string,
  args: readonly Argument[],
): Readonly<Record<string, unknown>> {
  const [text] = args;
  if (args.length !== 1 || typeof text !== "string" || text.length > optionsLengthMax) {
    throw malformed(operation, "one argument is needed, the options in JSON");
  }
  let options: unknown;
  try {
    options = JSON.parse(text);
  } catch {
    throw malformed(operation, "the options are no JSON");
  }
  if (isPlainObject(options)) return options;
  throw malformed(operation, "the options must be a JSON object");
}
