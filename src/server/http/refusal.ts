// Refusal: how what goes wrong becomes a status and the JSON of an error.

import { statusOf } from "../../base/error-statuses.js";
import { isKvError, type KvError, RequestRefusedError, UnknownError } from "../../base/errors.js";
import { type Naming, shownText } from "../files/named-error.js";

/** What the door itself refuses, with its status. */
export class Refusal extends Error {
  readonly status: number;
  readonly error: KvError;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, error: KvError, headers: Readonly<Record<string, string>> = {}) {
    super(error.message);
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}

export function refused(
  status: number,
  message: string,
  hint?: string,
  headers?: Readonly<Record<string, string>>,
): Refusal {
  const details = hint === undefined ? {} : { hint };
  return new Refusal(status, new RequestRefusedError(message, details), headers);
}

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: Readonly<Record<string, unknown>> };
}

const noHeaders: Readonly<Record<string, string>> = {};

/** What a caller is told. Paths of `naming` stand under the names that it has for them. */
export function errorAnswer(thrown: unknown, naming: Naming): ErrorAnswer {
  const headers = thrown instanceof Refusal ? thrown.headers : noHeaders;
  const error = thrown instanceof Refusal ? thrown.error : ours(thrown);
  const status = thrown instanceof Refusal ? thrown.status : (statusOf[error.name] ?? 500);
  return { status, headers, body: { error: errorJson(error, status, naming) } };
}

/** What is no error of ours may say anything, so nothing of it is told. */
function ours(thrown: unknown): KvError {
  if (isKvError(thrown)) return thrown;
  return new UnknownError("the server failed to answer", { cause: thrown });
}

function errorJson(error: KvError, status: number, naming: Naming): Record<string, unknown> {
  const { name, code, key, errors, hint } = error;
  // Errors about the caller's own words quote them; those of the system may quote its paths.
  const told = (text: string): string =>
    status < 500 && !name.startsWith("Snapshot") ? text : withoutPaths(shownText(text, naming));
  return {
    name,
    code,
    message: told(error.message),
    ...(key === undefined ? {} : { key }),
    ...(hint === undefined ? {} : { hint: told(hint) }),
    ...(errors === undefined ? {} : { errors }),
  };
}

/** Paths as Node's own messages quote them: `ENOENT: no such file or directory, open '/a/b'`. */
function withoutPaths(text: string): string {
  return text.replaceAll(/'(?:\/|[A-Za-z]:\\)[^']*'/g, "a file");
}
