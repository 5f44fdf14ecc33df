// Transfer: what exports, imports and checks of files have in common.
//
// Files are read and written in pieces, so memory stays the same whatever their size. Between two
// pieces others have their turn, the signal is looked at, and the caller hears of the progress.

import { isKvError, OperationCanceledError, UnknownError } from "../base/errors.js";
import type { Env } from "../env/env.js";
import type { Store } from "../store/store.js";
import type { PortableFormat } from "./portable-format.js";

/** What a transfer works with; it outlives no call. */
export interface Transfer {
  readonly env: Env;
  readonly store: Store;
  readonly format: PortableFormat;
  /** @throws InvalidOptionsError for what is no key. */
  readonly checkKey: (key: string) => void;
  readonly signal: AbortSignal | undefined;
  /** Rows so far and bytes of the file up to there; never called with less than before. */
  readonly onProgress: ((rows: number, bytes: number) => void) | undefined;
}

/** Bytes that are read at once, and about as many that are written at once. */
export const chunkBytes = 262_144;

/** @throws OperationCanceledError once the signal is aborted. */
export function checkCanceled({ signal }: Pick<Transfer, "signal">, hint?: string): void {
  if (signal?.aborted !== true) return;
  const cause: unknown = signal.reason;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const details = hint === undefined ? { cause } : { cause, hint };
  throw new OperationCanceledError(`operation was canceled: ${reason}`, details);
}

export function tellProgress({ onProgress }: Transfer, rows: number, bytes: number): void {
  if (onProgress !== undefined) callListener(() => onProgress(rows, bytes));
}

/** @throws UnknownError when the caller's function throws: the transfer ends there. */
export function callListener(call: () => void): void {
  try {
    call();
  } catch (cause) {
    if (isKvError(cause)) throw cause;
    throw new UnknownError(`onProgress threw: ${messageOf(cause)}`, { cause });
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// What Go calls white space, which is not what `trim` removes: there a byte order mark is content.
const space = "\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const blankEnds = new RegExp(`^[${space}]+|[${space}]+$`, "g");
export const leadingBlank: RegExp = new RegExp(`^[${space}]`);

export function trimBlanks(text: string): string {
  return text.replace(blankEnds, "");
}
