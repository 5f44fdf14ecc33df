// Named error: an error about a file as whoever named the file may see it, without the paths of the
// server.

import { errorClasses, isKvError, type KvError } from "../../base/errors.js";

/** What the server calls something, and what the caller does. */
export type Naming = readonly (readonly [path: string, shown: string])[];

/** The same error with other names in its texts; what is no error of ours is given back as it is. */
export function namedError(error: unknown, naming: Naming): unknown {
  if (!isKvError(error) || !Object.hasOwn(errorClasses, error.name)) return error;
  const [message, hint] = [shownText(error.message, naming), error.hint];
  const changed = new errorClasses[error.name](message, {
    ...(error.key === undefined ? {} : { key: error.key }),
    ...(hint === undefined ? {} : { hint: shownText(hint, naming) }),
    ...(error.errors === undefined ? {} : { errors: error.errors }),
    cause: error,
  });
  return changed satisfies KvError;
}

export function shownText(text: string, naming: Naming): string {
  let shown = text;
  for (const [path, name] of naming) if (path !== "") shown = shown.replaceAll(path, name);
  return shown;
}
