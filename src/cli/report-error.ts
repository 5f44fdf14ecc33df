// How errors end a command: a sentence, a code to look up, and what to do about it.

import { type ErrorName, isKvError, type KvError } from "../base/errors.js";
import { type ExitCode, exitCodes } from "./exit-codes.js";
import type { Terminal } from "./terminal.js";

const codes: Partial<Record<ErrorName, ExitCode>> = {
  InvalidOptionsError: exitCodes.usage,
  InvalidBackendError: exitCodes.usage,
  CopyTargetError: exitCodes.usage,
  CopyDifferenceError: exitCodes.damaged,
  OperationCanceledError: exitCodes.interrupted,
};

/** Tells of an error and gives the exit code; with `json` also on the standard output. */
export function reportError(terminal: Terminal, error: unknown, json: boolean): ExitCode {
  terminal.progress(undefined);
  if (json) terminal.out(`${JSON.stringify({ error: jsonOf(error) }, null, 2)}\n`);
  terminal.error(`anykv: ${textOf(error)}\n`);
  return (isKvError(error) ? codes[error.name as ErrorName] : undefined) ?? exitCodes.unavailable;
}

function textOf(error: unknown): string {
  if (!isKvError(error)) return error instanceof Error ? error.message : String(error);
  const hint = error.hint === undefined ? "" : `\n  ${error.hint}`;
  return `${error.message} (${error.code})${hint}`;
}

function jsonOf(error: unknown): Pick<KvError, "name" | "message"> {
  if (!isKvError(error)) return { name: "UnknownError" as const, message: textOf(error) };
  const { name, code, message, hint } = error;
  return { name, message, ...{ code, hint } };
}
