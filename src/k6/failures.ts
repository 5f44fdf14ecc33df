// Failures: what has become of a call that got no answer, as typed errors.

import {
  InvalidOptionsError,
  type KvError,
  OperationCanceledError,
  OutcomeUnknownError,
  ServerConnectionError,
} from "../base/errors.js";

export interface Failure {
  /** "valkey at 127.0.0.1:6379" */
  readonly at: string;
  readonly operation: string;
  /** What k6 says. */
  readonly text: string;
  /** Whether the call changes nothing that anybody can observe. */
  readonly isRead: boolean;
}

const inInit = /init context/;
const canceled = /context (?:canceled|deadline exceeded)/;
/** Nothing has been sent. */
const unsent =
  /^dial |: dial |lookup |connection refused|pool timeout|no such host|unsupported protocol|tls: /;

export function failed({ at, operation, text, isRead }: Failure): KvError {
  const cause = new Error(text);
  if (inInit.test(text)) {
    return new InvalidOptionsError("operations are not possible in the init context", {
      hint: "call them in setup, in a scenario or in teardown",
      cause,
    });
  }
  if (unsent.test(text)) {
    return new ServerConnectionError(`${at}: cannot be reached (${text})`, {
      hint: "check the URL, and that the server is running",
      cause,
    });
  }
  if (canceled.test(text)) {
    const hint = isRead ? {} : { hint: "it may have been carried out all the same" };
    return new OperationCanceledError(`operation was canceled: ${text}`, { ...hint, cause });
  }
  if (isRead) return new ServerConnectionError(`${at}: no answer (${text})`, { cause });
  return new OutcomeUnknownError(
    `${at}: ${operation} was sent and not answered: it may have been carried out (${text})`,
    { hint: "read what it would have changed", cause },
  );
}
