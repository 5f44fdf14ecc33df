// Options of the wal backend.
//
// An option that would have no effect is refused, not ignored: who sets `flushInterval` together
// with `syncWrites` expects something of it that is not so.

import { InvalidOptionsError } from "../../base/errors.js";
import {
  flushIntervalMsMax,
  segmentBytesMax,
  segmentBytesMin,
  snapshotEveryBytesMin,
} from "../../base/limits.js";
import type { RecoveryProgress } from "../../engine/log-events.js";
import { walDefaults } from "../../engines/wal/wal-defaults.js";
import { booleanField, type Fields, field, refuse } from "../arguments.js";
import { parseDuration } from "./duration.js";
import { parseSize } from "./size.js";

export interface WalOptions {
  /**
   * Acknowledge a write only when it is on the disk. Default false: when it is visible and in the
   * log's buffer, which reaches the file within milliseconds.
   */
  syncWrites?: boolean | undefined;
  /**
   * How long a written record may be missing on the disk: 1 ms to a day, ms or text; default 1 s.
   * Not together with `syncWrites: true`, which never lets one be missing.
   */
  flushInterval?: number | string | undefined;
  /**
   * Size at which a segment of the log gets a successor: 4 KiB to 512 MiB, bytes or text; default
   * "64MiB".
   */
  segmentSize?: number | string | undefined;
  /**
   * Growth of the log after which the state is written anew, at least 4 KiB, bytes or text; default
   * "64MiB". A store with a larger state waits until the log has grown as large as its state.
   */
  snapshotEvery?: number | string | undefined;
  /**
   * What goes to the log at once is compressed from this size on, where that pays; bytes or text;
   * default "64KiB". States are always compressed.
   */
  compressionThreshold?: number | string | undefined;
  /**
   * Told how far opening has come: at its beginning, every 100 ms or so, and at its end; not at all
   * when there are no files yet. It is called for the handle that opens the store, takes no part
   * in comparing options, and cannot stop the opening: if it fails, that becomes a warning of the
   * process and it is not called again.
   */
  onProgress?: ((progress: RecoveryProgress) => void) | undefined;
}

/** The normal form holds only what was given, as with the disk backend. */
export interface WalSettings {
  readonly syncWrites?: boolean;
  readonly flushIntervalMs?: number;
  readonly segmentBytesMax?: number;
  readonly snapshotBytesMin?: number;
  readonly packedBytesMin?: number;
}

/** @throws InvalidOptionsError */
export function walSettings(fields: Fields): WalSettings {
  const syncWrites = booleanField(fields, "syncWrites", false, "wal.syncWrites");
  const interval = field(fields, "flushInterval");
  const segmentSize = field(fields, "segmentSize");
  const snapshotEvery = field(fields, "snapshotEvery");
  const threshold = field(fields, "compressionThreshold");
  if (syncWrites && interval !== undefined) refuseIdleInterval();
  return {
    ...(field(fields, "syncWrites") === undefined ? {} : { syncWrites }),
    ...(interval === undefined ? {} : { flushIntervalMs: intervalMs(interval) }),
    ...(segmentSize === undefined ? {} : { segmentBytesMax: segmentBytes(segmentSize) }),
    ...(snapshotEvery === undefined ? {} : { snapshotBytesMin: snapshotBytes(snapshotEvery) }),
    ...(threshold === undefined
      ? {}
      : { packedBytesMin: parseSize(threshold, "wal.compressionThreshold") }),
  };
}

const optionOf = {
  syncWrites: "syncWrites",
  flushIntervalMs: "flushInterval",
  segmentBytesMax: "segmentSize",
  snapshotBytesMin: "snapshotEvery",
  packedBytesMin: "compressionThreshold",
} as const satisfies Readonly<Record<keyof WalSettings, keyof WalOptions>>;

/** The options that are plain values, so that they can be written in a file. */
export const walOptionNames: readonly string[] = Object.values(optionOf);

export const walNames: ReadonlySet<string> = new Set([...walOptionNames, "onProgress"]);

/** The options in which two normal forms differ. To name a default means the same as to be silent. */
export function differingWalOptions(a: WalSettings, b: WalSettings): string[] {
  const settings = Object.keys(optionOf) as (keyof WalSettings)[];
  const settingOf = (given: WalSettings, name: keyof WalSettings) =>
    given[name] ?? walDefaults[name];
  return settings
    .filter((name) => settingOf(a, name) !== settingOf(b, name))
    .map((name) => `wal.${optionOf[name]}`);
}

/** @throws InvalidOptionsError */
export function progressOption(fields: Fields): WalOptions["onProgress"] {
  const callback = field(fields, "onProgress");
  if (callback === undefined || typeof callback === "function") {
    return callback as WalOptions["onProgress"];
  }
  return refuse('option "wal.onProgress"', "a function", callback);
}

function refuseIdleInterval(): never {
  throw new InvalidOptionsError(
    'option "wal.flushInterval" must be left out together with `syncWrites: true`',
    { hint: "with `syncWrites: true` every write waits for the disk: no interval is left" },
  );
}

function intervalMs(value: unknown): number {
  const ms = parseDuration(value, "wal.flushInterval");
  if (ms >= 1 && ms <= flushIntervalMsMax) return ms;
  return refuse('option "wal.flushInterval"', `from 1 to ${flushIntervalMsMax} ms`, value);
}

function segmentBytes(value: unknown): number {
  const bytes = parseSize(value, "wal.segmentSize");
  if (bytes >= segmentBytesMin && bytes <= segmentBytesMax) return bytes;
  const expected = `from ${segmentBytesMin} to ${segmentBytesMax} bytes`;
  return refuse('option "wal.segmentSize"', expected, value);
}

function snapshotBytes(value: unknown): number {
  const bytes = parseSize(value, "wal.snapshotEvery");
  if (bytes >= snapshotEveryBytesMin) return bytes;
  const expected = `at least ${snapshotEveryBytesMin} bytes`;
  return refuse('option "wal.snapshotEvery"', expected, value);
}
