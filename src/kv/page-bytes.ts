// Page bytes: how large a page of a scan may become, for the doors of a server.
//
// Callers of the library bound a page in rows, whose size they know. A door that hands on whatever
// there is knows nothing of it. The bound goes along with the options without being one of them.

import type { ScanOptions } from "./types.js";

const bounds = new WeakMap<object, number>();

/** The page then ends with the entry with which it becomes so large, unpacked; it has one at least. */
export function boundedPage(options: ScanOptions, bytesMax: number): ScanOptions {
  bounds.set(options, bytesMax);
  return options;
}

export function pageBytesMaxOf(options: ScanOptions | undefined): number | undefined {
  return typeof options === "object" && options !== null ? bounds.get(options) : undefined;
}
