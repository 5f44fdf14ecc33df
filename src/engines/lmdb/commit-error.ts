// Commit error: why a transaction of lmdb could not be committed.

import type { Timers } from "../../env/env.js";

/** What a transaction was rejected with, or the reason that lmdb tells by a promise a little later. */
export async function commitErrorOf(timers: Timers, cause: unknown): Promise<unknown> {
  const { commitError } = cause as { commitError?: Promise<never> };
  if (commitError === undefined) return cause;
  const later = timers.breathe().then(() => timers.breathe());
  return Promise.race([commitError.catch((reason: unknown) => reason), later.then(() => cause)]);
}
