// Tuning options of the disk backend, under the seeds' names.
//
// The normal form holds only what was given: an option left out differs from its explicit default.

import { mapBytesMax } from "../../base/limits.js";
import { booleanField, describe, type Fields, field, refuse } from "../arguments.js";
import { namesOf } from "../option-names.js";
import { parseDuration } from "./duration.js";
import { parseSize } from "./size.js";

export interface DiskOptions {
  /**
   * How long a write waits while other threads and processes write: milliseconds, or text like
   * "500ms" or "1.5s"; 0: without end; default 30 s. Only time counts in which nobody gets anything
   * done. A write that waited longer rejects with `DiskStoreWriteError` and is not carried out; an
   * opening for writing waits as long, and then fails with `DiskStoreOpenError`.
   */
  timeout?: number | string | undefined;
  /** Acknowledge writes before they are on the disk: a power cut may cost the last ones. */
  noSync?: boolean | undefined;
  /** No effect: LMDB has nothing of the kind. So with the next three, and `mlock`. */
  noGrowSync?: boolean | undefined;
  noFreelistSync?: boolean | undefined;
  preLoadFreelist?: boolean | undefined;
  freelistType?: "" | "array" | "map" | undefined;
  /** Reads only; the store must exist, and others may write to it at the same time. */
  readOnly?: boolean | undefined;
  /**
   * Room for the file in the address space from the start, so that it need not be mapped anew as it
   * grows: bytes, or text like "64MB" or "64MiB"; 0: as needed.
   */
  initialMmapSize?: number | string | undefined;
  mlock?: boolean | undefined;
  /** Empty the store when it is opened. */
  truncate?: boolean | undefined;
}

export const diskNames: ReadonlySet<string> = namesOf<DiskOptions>({
  timeout: true,
  noSync: true,
  noGrowSync: true,
  noFreelistSync: true,
  preLoadFreelist: true,
  freelistType: true,
  readOnly: true,
  initialMmapSize: true,
  mlock: true,
  truncate: true,
});

export interface DiskSettings {
  readonly timeoutMs?: number;
  readonly initialMmapSizeBytes?: number;
  readonly freelistType?: string;
  readonly flags?: Readonly<Record<string, boolean>>;
}

const flagNames = [
  "mlock",
  "noFreelistSync",
  "noGrowSync",
  "noSync",
  "preLoadFreelist",
  "readOnly",
  "truncate",
] as const;
const ineffectiveFlags = ["mlock", "noFreelistSync", "noGrowSync", "preLoadFreelist"] as const;

/** The names of the given options that change nothing here. */
export function ineffectiveOptions({ flags, freelistType }: DiskSettings): string[] {
  const given: string[] = ineffectiveFlags.filter((name) => flags?.[name] !== undefined);
  if (freelistType !== undefined) given.push("freelistType");
  return given;
}

/** @throws InvalidOptionsError */
export function diskSettings(fields: Fields): DiskSettings {
  const timeout = field(fields, "timeout");
  const size = field(fields, "initialMmapSize");
  const freelistType = freelistOption(field(fields, "freelistType"));
  const flags = flagNames
    .filter((name) => field(fields, name) !== undefined)
    .map((name) => [name, booleanField(fields, name, false, `disk.${name}`)] as const);
  return {
    ...(timeout === undefined ? {} : { timeoutMs: parseDuration(timeout, "disk.timeout") }),
    ...(size === undefined ? {} : { initialMmapSizeBytes: mapSize(size) }),
    ...(freelistType === undefined ? {} : { freelistType }),
    ...(flags.length === 0 ? {} : { flags: Object.fromEntries(flags) }),
  };
}

/** What lies beyond has no room in the address space, and lmdb does not notice. */
function mapSize(value: unknown): number {
  const bytes = parseSize(value, "disk.initialMmapSize");
  if (bytes <= mapBytesMax) return bytes;
  return refuse('option "disk.initialMmapSize"', `at most ${mapBytesMax} bytes (16 TiB)`, value);
}

function freelistOption(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const lower = typeof value === "string" ? value.toLowerCase() : describe(value);
  if (lower === "" || lower === "array" || lower === "map") return lower;
  return refuse('option "disk.freelistType"', '"", "array" or "map"', value);
}
