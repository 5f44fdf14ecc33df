// Call errors: what is said of a call that is given up, and whether it may have been carried out.

import { isKvError, OutcomeUnknownError } from "../../base/errors.js";
import { connectError, timeoutError } from "./connect-errors.js";
import type { Link } from "./link.js";
import type { PendingCall } from "./pending-call.js";
import { causeOf, isReplyError, serverError } from "./server-errors.js";

export interface ErrorParts {
  readonly link: Pick<Link, "hasEnded" | "isUp" | "lastError" | "wasConnected">;
  /** "valkey at 127.0.0.1:6379" */
  readonly at: string;
  readonly hasTls: boolean;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** When opening has to be done, on the monotonic clock. */
  readonly openBy: number;
  /** Whether writes are sent as `once`. */
  readonly retryWrites: boolean;
}

/** The error of a call, unless it may have been carried out all the same. */
export function verdictOn(pending: PendingCall, error: Error, parts: ErrorParts): Error {
  if (!pending.isUncertain) return error;
  const { operation } = pending.call;
  const message = `${operation} was sent and not answered: it may have been carried out`;
  const more = parts.retryWrites ? "" : ", or open with `valkey: { retryWrites: true }`";
  return new OutcomeUnknownError(`${parts.at}: ${message}`, {
    hint: `read what it would have changed${more}`,
    cause: isKvError(error) ? error : causeOf(error),
  });
}

/** Why a call that is given up could not be carried out. */
export function reasonFor({ lastError, deadline }: PendingCall, parts: ErrorParts): Error {
  const { at, hasTls, link, openBy, connectTimeoutMs, commandTimeoutMs } = parts;
  if (isReplyError(lastError)) return serverError(lastError, at);
  const hasWorked = deadline !== openBy;
  const context = { at, hasTls, wasConnected: link.wasConnected || link.isUp, hasWorked };
  if (link.lastError === undefined && !link.hasEnded) {
    return timeoutError(deadline === openBy ? connectTimeoutMs : commandTimeoutMs, context);
  }
  return isKvError(link.lastError) ? link.lastError : connectError(link.lastError, context);
}
