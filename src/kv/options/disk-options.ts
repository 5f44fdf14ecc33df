// Tuning options of the disk backend, under the seeds' names.
//
// The normal form holds only what was given: an option left out differs from its explicit default.

import { booleanField, describe, type Fields, field, refuse } from "../arguments.js";
import { parseDuration } from "./duration.js";
import { parseSize } from "./size.js";

export interface DiskOptions {
  /** How long to wait for the file lock: milliseconds, or text like "500ms" or "1.5s"; default 1 s. */
  timeout?: number | string | undefined;
  noSync?: boolean | undefined;
  noGrowSync?: boolean | undefined;
  noFreelistSync?: boolean | undefined;
  preLoadFreelist?: boolean | undefined;
  freelistType?: "" | "array" | "map" | undefined;
  readOnly?: boolean | undefined;
  /** Bytes, or text like "64MB" or "64MiB"; 0: the backend's default. */
  initialMmapSize?: number | string | undefined;
  mlock?: boolean | undefined;
}

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
] as const;

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
    ...(size === undefined
      ? {}
      : { initialMmapSizeBytes: parseSize(size, "disk.initialMmapSize") }),
    ...(freelistType === undefined ? {} : { freelistType }),
    ...(flags.length === 0 ? {} : { flags: Object.fromEntries(flags) }),
  };
}

function freelistOption(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const lower = typeof value === "string" ? value.toLowerCase() : describe(value);
  if (lower === "" || lower === "array" || lower === "map") return lower;
  return refuse('option "disk.freelistType"', '"", "array" or "map"', value);
}
