// Remote errors: what the error replies of the library become.

import { textOfHex } from "../base/encodings.js";
import {
  BackendUnavailableError,
  InvalidOptionsError,
  type KvError,
  RestoreInProgressError,
  StaleClaimError,
  UnexpectedStoreOutputError,
  ValueParseError,
  WrongTypeError,
} from "../base/errors.js";
import { layoutVersion } from "./library.js";

/** What the error of a call speaks of, as far as the caller knows it. */
export interface Subject {
  readonly key?: string | undefined;
  /** The claim that guards the call. */
  readonly claim?: { readonly key: string; readonly token: number } | undefined;
}

type Maker = (text: string, subject: Subject, cause: Error) => KvError;

const makers: Readonly<Record<string, Maker>> = {
  WRONG_TYPE: wrongType,
  STALE_CLAIM: (_text, { claim }) =>
    new StaleClaimError(
      `the claim with token ${claim?.token} is no longer live: nothing was written`,
      {
        ...(claim === undefined ? {} : { key: claim.key }),
        hint: "claim the key again; another holder may have taken over",
      },
    ),
  VALUE_PARSE: (text, { key }) => new ValueParseError(text, key === undefined ? {} : { key }),
  LOADING: (text) =>
    new RestoreInProgressError(text, { hint: "wait until the restore has ended, and call again" }),
  LOAD_LOST: (text) => new RestoreInProgressError(`the restore was given up: ${text}`),
  LAYOUT: (text) =>
    new BackendUnavailableError(
      `the server holds a store of layout ${text}, and this version knows layout ${layoutVersion}`,
      { hint: "use the version of anykv that wrote it, or a store of another name" },
    ),
  PARTITIONS: (text) =>
    new InvalidOptionsError(`the store is spread over ${text} partitions`, {
      hint: `open it with \`partitions: ${text}\`, or copy it into a store of another name`,
    }),
};

/** The typed error for `ANYKV_<CODE> <text>`. The server adds to it where in the library it arose. */
export function typedError(error: Error, subject: Subject): KvError {
  const message = error.message.replace(/ script: \S+, on @\S+$/, "");
  const [, code = "", text = ""] = /^ANYKV_(\S+) ?(.*)$/s.exec(message) ?? [];
  const make = makers[code];
  if (make !== undefined) return make(text, subject, error);
  return new UnexpectedStoreOutputError(`the server refused a call: ${message}`, { cause: error });
}

export function isBehind(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("ANYKV_BEHIND");
}

function wrongType(text: string): KvError {
  const [kind, hex = ""] = text.split(" ");
  const key = textOfHex(hex);
  if (kind === "array") {
    return new WrongTypeError("key holds an array, not a value", {
      key,
      hint: "use append, prepend, pop, popFirst, range, length or deleteArray on arrays",
    });
  }
  return new WrongTypeError("key holds a value, not an array", {
    key,
    hint: "delete the value first, or use another key for the array",
  });
}
