// Remote errors: what the error replies of the library become.

import { textOfHex } from "../base/encodings.js";
import {
  type ErrorName,
  errorClasses,
  InvalidOptionsError,
  type KvError,
  RestoreInProgressError,
  ServerConnectionError,
  ServerRefusedError,
  ServerUnsuitableError,
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
    new ServerUnsuitableError(
      `the server holds a store of layout ${text}, and this version knows layout ${layoutVersion}`,
      { hint: "use the version of anykv that wrote it, or a store of another name" },
    ),
  FOREIGN: (text) =>
    new ServerUnsuitableError(
      `the server holds something else in the place of a part of the store (${text})`,
      { hint: "give the store another name or prefix, or remove what another program has written" },
    ),
  UNKNOWN_OPERATION: (text) =>
    new ServerUnsuitableError(`the server does not know the operation ${text}`, {
      hint: "use a newer version of the server",
    }),
  PARTITIONS: (text) =>
    new InvalidOptionsError(`the store has ${text} partition${text === "1" ? "" : "s"}`, {
      hint: `open it with \`partitions: ${text}\` (in an URL for \`anykv copy\` ?partitions=${text}), or copy it into a store of another name`,
    }),
  SERIALIZATION: (text, { key }) =>
    new InvalidOptionsError(
      `the served store has the serialization "${text}" and cannot keep this value`,
      {
        ...(key === undefined ? {} : { key }),
        hint: `open it with \`serialization: "${text}"\``,
      },
    ),
  UNKNOWN_STORE: unknownStore,
  REFUSED: refused,
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

/** Whether a call that has failed so has changed nothing, and may succeed later. */
export function mayPass(error: unknown): boolean {
  return error instanceof ServerConnectionError || error instanceof ServerRefusedError;
}

/** All data of the partition have been lost since the store was opened. */
export function isNotOpen(error: Error): boolean {
  return error.message.startsWith("ANYKV_NOT_OPEN");
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

/** `text` is what the keys of the served store begin with. */
function unknownStore(text: string): KvError {
  const [, prefix = "", tag = ""] = /^(.*):\{(.*):0\}$/s.exec(text) ?? [];
  const name = tag.replace(/%(7B|7D|25)/g, decodeURIComponent);
  const parameter = name === "" ? "without ?name" : `with ?name=${encodeURIComponent(name)}`;
  const option = name === "" ? "without a `name`" : `with \`name: ${JSON.stringify(name)}\``;
  const named = name === "" ? "has no name" : `is named ${JSON.stringify(name)}`;
  const message = `the server serves one store, which ${named} and has the prefix ${JSON.stringify(prefix)}`;
  return new InvalidOptionsError(message, {
    hint: `open it ${option}, in an URL for a command ${parameter}`,
  });
}

/** `<name of an error> <message>`, of a store that a server of our own has behind it. */
function refused(text: string, { key }: Subject, cause: Error): KvError {
  const space = text.indexOf(" ");
  const [name, message] = [text.slice(0, space), text.slice(space + 1)];
  const known = Object.hasOwn(errorClasses, name) ? errorClasses[name as ErrorName] : undefined;
  const type = known ?? UnexpectedStoreOutputError;
  return new type(message, { ...(key === undefined ? {} : { key }), cause });
}
