// Refusals: what a call is answered that is not carried out, as text. docs/formats/valkey.md lists
// them, remote/remote-errors.ts reads them.

import {
  isKvError,
  type KvError,
  RestoreInProgressError,
  StaleClaimError,
  ValueParseError,
  WrongTypeError,
} from "../../base/errors.js";
import { LibraryError } from "../../remote/connection.js";

export type RefusalCode =
  | "WRONG_TYPE"
  | "STALE_CLAIM"
  | "VALUE_PARSE"
  | "LAYOUT"
  | "PARTITIONS"
  | "LOADING"
  | "LOAD_LOST"
  | "UNKNOWN_OPERATION"
  | "UNKNOWN_STORE"
  | "SERIALIZATION"
  | "NOT_OPEN"
  | "NOT_BEGUN"
  | "SUPERSEDED"
  | "REFUSED";

export function refusal(code: RefusalCode, text: string): LibraryError {
  return new LibraryError(`ANYKV_${code} ${text}`);
}

/** A call that does not have the form that its operation asks for. */
export function malformed(operation: string, what: string): LibraryError {
  return refusal("REFUSED", `InvalidOptionsError anykv_${operation}: ${what}`);
}

/** Whatever an operation has thrown. `concerns` says what its keys are to hold. */
export function libraryError(error: unknown, concerns: "values" | "arrays"): LibraryError {
  if (error instanceof LibraryError) return error;
  if (!isKvError(error)) return refusal("REFUSED", `UnknownError ${messageOf(error)}`);
  if (error instanceof StaleClaimError) return refusal("STALE_CLAIM", "nothing was changed");
  if (error instanceof WrongTypeError) {
    const found = concerns === "values" ? "array" : "value";
    return refusal("WRONG_TYPE", `${found} ${Buffer.from(error.key ?? "").toString("hex")}`);
  }
  if (error instanceof ValueParseError) return refusal("VALUE_PARSE", error.message);
  if (error instanceof RestoreInProgressError) return refusal("LOADING", error.message);
  return refusal("REFUSED", `${error.name} ${error.message}`);
}

function messageOf(error: KvError | unknown): string {
  return error instanceof Error ? error.message : String(error);
}
