// Error replies: what clients are told of the errors of a store.

import {
  InternalStoreError,
  isKvError,
  OperationCanceledError,
  StoreReadOnlyError,
  ValueParseError,
  WrongTypeError,
} from "../../base/errors.js";
import { CommandError } from "./command.js";

export const wrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";

/** The text of an error reply, code included. */
export function errorReplyOf(error: unknown): string {
  if (error instanceof CommandError) return error.message;
  if (!isKvError(error)) return "ERR internal error";
  switch (error.name as string) {
    case WrongTypeError.prototype.name:
      return wrongType;
    case ValueParseError.prototype.name:
      return /the sum/.test(error.message)
        ? "ERR increment or decrement would overflow"
        : "ERR value is not an integer or out of range";
    case StoreReadOnlyError.prototype.name:
      return `READONLY ${error.message}`;
    case OperationCanceledError.prototype.name:
      // What a wait was ended with.
      return error.cause instanceof CommandError ? error.cause.message : `ERR ${error.message}`;
    default:
      return `ERR ${error.message}`;
  }
}

/**
 * What a command threw inside a transaction, so that only this command fails: engines take errors
 * that they do not know for failures of their files.
 */
export function containedError(error: unknown): unknown {
  const isOfTheCommand = error instanceof TypeError || error instanceof RangeError;
  if (!isOfTheCommand) return error;
  return new InternalStoreError(`the command cannot be carried out: ${error.message}`, {
    cause: error,
  });
}

/** Tells the process of a fault of ours, which has cost a client its connection. */
export function warnOfFault(error: unknown): void {
  const detail = (error instanceof Error && error.stack) || "";
  const options = { type: "AnykvWarning", detail };
  process.emitWarning(`a connection was closed: ${String(error)}`, options);
}
