// Values into files and back: JSONL and CSV.

import { exportCsv } from "../transfer/csv-export.js";
import { type CsvValidation, importCsv, validateCsv } from "../transfer/csv-import.js";
import type { ExportedFile } from "../transfer/export-file.js";
import { exportJsonl } from "../transfer/jsonl-export.js";
import {
  type ImportedFile,
  importJsonl,
  type JsonlValidation,
  validateJsonl,
} from "../transfer/jsonl-import.js";
import type { Transfer } from "../transfer/transfer.js";
import { AdminMethods } from "./admin.js";
import { checkKey, type Fields } from "./arguments.js";
import {
  type Attendance,
  attendance,
  csvExportRequest,
  csvImportRequest,
  csvValidateRequest,
  exportRequest,
  jsonlImportRequest,
  jsonlValidateRequest,
  transferNames,
} from "./file-arguments.js";
import type {
  ExportCsvOptions,
  ExportJsonlOptions,
  ImportCsvOptions,
  ImportJsonlOptions,
  ValidateCsvOptions,
  ValidateJsonlOptions,
} from "./file-types.js";
import { tolerantFields } from "./option-names.js";
import { portableFormat } from "./serialization/portable.js";

/** A transfer once its arguments are good. */
type Run<Request, Result> = (transfer: Transfer, request: Request) => Promise<Result>;

export abstract class FileMethods<Schema> extends AdminMethods<Schema> {
  /**
   * Writes values as lines `{"key":...,"value":...}` in key order, replacing the file when all of
   * them are on the disk. Not a snapshot: what is written meanwhile may be in the file or not.
   * @throws SnapshotExportError when the file cannot be written or belongs to a store,
   * SerializerError for a value that cannot be read, OperationCanceledError; the file is then as it
   * was before.
   */
  exportJSONL(options: ExportJsonlOptions): Promise<ExportedFile> {
    return this.#transfer("exportJSONL", options, exportRequest, recordProgress, exportJsonl);
  }

  /**
   * Sets the values of a file, `batchSize` at a time and each batch entirely or not at all.
   * @throws ValueParseError for the first line that is none; batches before it stay.
   */
  importJSONL(options: ImportJsonlOptions): Promise<ImportedFile> {
    return this.#transfer("importJSONL", options, jsonlImportRequest, recordProgress, importJsonl);
  }

  /** Reads a file as `importJSONL` would and tells the first line that it would refuse. */
  validateJSONL(options: ValidateJsonlOptions): Promise<JsonlValidation> {
    return this.#transfer(
      "validateJSONL",
      options,
      jsonlValidateRequest,
      recordProgress,
      validateJsonl,
    );
  }

  /**
   * Writes properties of values that are flat objects as rows, under a header. Otherwise as
   * `exportJSONL`.
   * @throws ValueParseError when a value is no object or one of the properties is nested.
   */
  exportCSV(options: ExportCsvOptions): Promise<ExportedFile> {
    return this.#transfer("exportCSV", options, csvExportRequest, rowProgress, exportCsv);
  }

  /**
   * Sets each row as an object of strings under the key in `keyColumn`. Otherwise as `importJSONL`.
   * @throws ValueParseError for a row without a key or a bad header, SnapshotReadError for a file that
   * is no CSV; batches before it stay.
   */
  importCSV(options: ImportCsvOptions): Promise<ImportedFile> {
    return this.#transfer("importCSV", options, csvImportRequest, rowProgress, importCsv);
  }

  /** Reads a file as `importCSV` would and tells the first row that it would refuse. */
  validateCSV(options: ValidateCsvOptions): Promise<CsvValidation> {
    return this.#transfer("validateCSV", options, csvValidateRequest, rowProgress, validateCsv);
  }

  async #transfer<Request, Result>(
    method: keyof typeof transferNames,
    options: unknown,
    requestOf: (fields: Fields) => Request,
    progressOf: (rows: number, bytes: number) => object,
    run: Run<Request, Result>,
  ): Promise<Result> {
    const fields = tolerantFields(options, transferNames[method], method);
    const request = requestOf(fields);
    const attended = attendance(fields);
    const store = this.ready ?? (await this.opened());
    const onProgress = progressFunction(attended, progressOf);
    const { env } = this.shared.options;
    const { signal } = attended;
    const format = portableFormat(this.format);
    const running = run({ env, store, format, checkKey, signal, onProgress }, request);
    this.shared.attend(running);
    return running;
  }
}

function progressFunction(
  { onProgress }: Attendance,
  progressOf: (rows: number, bytes: number) => object,
): Transfer["onProgress"] {
  if (onProgress === undefined) return undefined;
  return (rows, bytes) => onProgress(progressOf(rows, bytes));
}

function recordProgress(records: number, bytes: number): object {
  return { records, bytes };
}

function rowProgress(rows: number, bytes: number): object {
  return { rows, bytes };
}
