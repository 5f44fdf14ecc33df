// Options of the shared backend.

import { lmdbDefaults } from "../../engines/lmdb/lmdb-defaults.js";
import { type Fields, field } from "../arguments.js";
import { namesOf } from "../option-names.js";
import { parseDuration } from "./duration.js";

export interface SharedOptions {
  /**
   * How long a write waits while other threads and processes write: milliseconds, or text like
   * "500ms" or "1.5s"; 0: without end; default 30 s. A write that waited longer rejects with
   * `DiskStoreWriteError` and is not carried out; opening the store waits as long, and then fails
   * with `DiskStoreOpenError`.
   */
  timeout?: number | string | undefined;
}

export interface SharedSettings {
  readonly timeoutMs: number;
}

export const sharedNames: ReadonlySet<string> = namesOf<SharedOptions>({ timeout: true });

/** @throws InvalidOptionsError */
export function sharedSettings(fields: Fields): SharedSettings {
  const timeout = field(fields, "timeout");
  const timeoutMs =
    timeout === undefined ? lmdbDefaults.timeoutMs : parseDuration(timeout, "shared.timeout");
  return { timeoutMs };
}
