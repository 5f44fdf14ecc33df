// Options of the wal backend.

import type { RecoveryProgress } from "../../engine/log-events.js";
import { booleanField, type Fields, field, refuse } from "../arguments.js";
import { parseDuration } from "./duration.js";
import { parseSize } from "./size.js";

export interface WalOptions {
  /**
   * Acknowledge a write only when it is on the disk. Default false: when it is visible and in the
   * log's buffer, which reaches the file within milliseconds.
   */
  syncWrites?: boolean | undefined;
  /** Without `syncWrites`: how long a write may be missing on the disk; ms or text; default 1 s. */
  flushInterval?: number | string | undefined;
  /** Size at which a segment of the log gets a successor; bytes or text; default "64MiB". */
  segmentSize?: number | string | undefined;
  /** Growth of the log after which the state is written anew; bytes or text; default "64MiB". */
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
  const syncWrites = field(fields, "syncWrites");
  const interval = field(fields, "flushInterval");
  const segmentSize = field(fields, "segmentSize");
  const snapshotEvery = field(fields, "snapshotEvery");
  const threshold = field(fields, "compressionThreshold");
  return {
    ...(syncWrites === undefined ? {} : { syncWrites: booleanField(fields, "syncWrites", false) }),
    ...(interval === undefined
      ? {}
      : { flushIntervalMs: Math.max(1, parseDuration(interval, "wal.flushInterval")) }),
    ...(segmentSize === undefined
      ? {}
      : { segmentBytesMax: parseSize(segmentSize, "wal.segmentSize") }),
    ...(snapshotEvery === undefined
      ? {}
      : { snapshotBytesMin: parseSize(snapshotEvery, "wal.snapshotEvery") }),
    ...(threshold === undefined
      ? {}
      : { packedBytesMin: parseSize(threshold, "wal.compressionThreshold") }),
  };
}

/** @throws InvalidOptionsError */
export function progressOption(fields: Fields): WalOptions["onProgress"] {
  const callback = field(fields, "onProgress");
  if (callback === undefined || typeof callback === "function") {
    return callback as WalOptions["onProgress"];
  }
  return refuse('option "wal.onProgress"', "a function", callback);
}
