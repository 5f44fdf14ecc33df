// The public shapes of file transfer. Field names are the seeds' and are part of the API; `signal` and
// `onProgress` are ours.

import type { PrefixOptions } from "./types.js";

export type { CsvValidation } from "../transfer/csv-import.js";
export type { ExportedFile } from "../transfer/export-file.js";
export type { ImportedFile, JsonlValidation } from "../transfer/jsonl-import.js";

export interface RecordProgress {
  /** Lines that are in the store, in the file or about to be, or checked. */
  readonly records: number;
  /** Bytes of the file up to there. */
  readonly bytes: number;
}

export interface RowProgress {
  /** Rows of data that are in the store, in the file or about to be, or checked. */
  readonly rows: number;
  /** Bytes of the file up to there, or a little further. */
  readonly bytes: number;
}

/** What every transfer takes. */
export interface TransferOptions<Progress> {
  /** Relative to the working directory; used, and given back, exactly as it is. */
  fileName: string;
  /** At most so many rows, up to 1,000,000; 0, negative or absent means all. */
  limit?: number | undefined;
  /** Ends the transfer with `OperationCanceledError`. Batches that are in the store stay there. */
  signal?: AbortSignal | undefined;
  /** Told now and then how far it is. What it throws ends the transfer. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

export interface BatchOptions {
  /** Rows that are written together or not at all, up to 10,000; 0 or absent means 1,000. */
  batchSize?: number | undefined;
}

export interface KeyPrefixOptions {
  /** Put before every key of the file, at most 1,023 bytes of UTF-8. Default "". */
  keyPrefix?: string | undefined;
}

export interface ExportJsonlOptions extends TransferOptions<RecordProgress>, PrefixOptions {}

export interface ValidateJsonlOptions extends TransferOptions<RecordProgress>, KeyPrefixOptions {}

export interface ImportJsonlOptions extends ValidateJsonlOptions, BatchOptions {}

export interface DialectOptions {
  /** One character; default ",". */
  delimiter?: string | undefined;
}

export interface ExportCsvOptions
  extends TransferOptions<RowProgress>,
    PrefixOptions,
    DialectOptions {
  /** Properties of the values, each a column, in this order. */
  columns: readonly string[];
  /** Put a column `key` before the others. Default true. */
  includeKey?: boolean | undefined;
}

export interface ValidateCsvOptions
  extends TransferOptions<RowProgress>,
    KeyPrefixOptions,
    DialectOptions {
  /** The column of the keys: its exact name, or without a header its place, as in "0". */
  keyColumn?: string | undefined;
  /** Whether the first row names the columns. Default true. */
  hasHeader?: boolean | undefined;
}

/** Here a negative `limit` or `batchSize` is refused. */
export interface ImportCsvOptions extends ValidateCsvOptions, BatchOptions {
  keyColumn: string;
}
