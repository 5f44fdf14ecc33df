// The public shapes of backup and restore. Field names are the seeds' and are part of the API; `signal`
// and `onProgress` are ours.

import type { CopyProgress } from "../transfer/backup.js";

export type { BackupSummary, CopyProgress } from "../transfer/backup.js";
export type { RestoreSummary } from "../transfer/restore.js";

interface CopyOptions {
  /** Relative to the working directory. Blank or absent: see `backup`. */
  fileName?: string | undefined;
  /** Ends it with `OperationCanceledError`; everything is then as it was before. */
  signal?: AbortSignal | undefined;
  /** Told now and then how far it is. What it throws ends the operation. */
  onProgress?: ((progress: CopyProgress) => void) | undefined;
}

export interface BackupOptions extends CopyOptions {
  /**
   * Take values as they are when their turn comes, and keep no former ones meanwhile. Default false.
   * Without effect on backends that keep former values anyway.
   */
  allowConcurrentWrites?: boolean | undefined;
}

export interface RestoreOptions extends CopyOptions {
  /** Refuse a file with more values, elements of arrays and items of filters; 0 or less: any number. */
  maxEntries?: number | undefined;
  /** Refuse a file with more bytes of keys, values, elements and items; 0 or less: any number. */
  maxBytes?: number | undefined;
}
