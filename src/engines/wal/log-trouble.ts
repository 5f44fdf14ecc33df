// Log trouble: what an event tells about an error, which is less than the error does.

import { isKvError } from "../../base/errors.js";
import type { LogTrouble } from "../../engine/log-events.js";

/** @param errorName what callers see when the error is the system's own. */
export function troubleOf(error: unknown, errorName = "DiskStoreWriteError"): LogTrouble {
  const cause = isKvError(error) ? error.cause : error;
  const code = (cause as { readonly code?: unknown } | null | undefined)?.code;
  return {
    errorName: isKvError(error) ? error.name : errorName,
    systemCode: typeof code === "string" ? code : null,
  };
}
