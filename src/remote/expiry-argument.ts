// How a value is to expire, as the library is told: "" never, "keep" as before, else milliseconds.

import type { ReplaceOptions } from "../operations/requests.js";

export function expiryArgument(options: ReplaceOptions | undefined): string | number {
  if (options?.ttl !== undefined) return options.ttl;
  return options?.keepTtl === true ? "keep" : "";
}
