// File arguments: options of exports, imports and checks of files, checked and completed.

import { isWellFormed } from "../base/encodings.js";
import { InvalidOptionsError } from "../base/errors.js";
import {
  fileBatchRowsDefault,
  fileBatchRowsMax,
  fileRowsMax,
  keyBytesMax,
} from "../base/limits.js";
import type { CsvExportRequest } from "../transfer/csv-export.js";
import type { CsvImportRequest, CsvValidateRequest } from "../transfer/csv-import.js";
import type { ExportRequest } from "../transfer/export-file.js";
import type { JsonlImportRequest, JsonlValidateRequest } from "../transfer/jsonl-import.js";
import {
  booleanField,
  checkBytes,
  type Fields,
  field,
  isInteger,
  limitField,
  prefixField,
  refuse,
  signalField,
  textField,
} from "./arguments.js";
import type {
  ExportCsvOptions,
  ExportJsonlOptions,
  ImportCsvOptions,
  ImportJsonlOptions,
  ValidateCsvOptions,
  ValidateJsonlOptions,
} from "./file-types.js";
import { namesOf } from "./option-names.js";

const namesOfAll = { fileName: true, limit: true, signal: true, onProgress: true } as const;
const namesOfJsonl = { ...namesOfAll, keyPrefix: true } as const;
const namesOfCsv = { ...namesOfJsonl, delimiter: true, keyColumn: true, hasHeader: true } as const;

/** The names of the options of each transfer. */
export const transferNames = {
  exportJSONL: namesOf<ExportJsonlOptions>({ ...namesOfAll, prefix: true }),
  validateJSONL: namesOf<ValidateJsonlOptions>(namesOfJsonl),
  importJSONL: namesOf<ImportJsonlOptions>({ ...namesOfJsonl, batchSize: true }),
  exportCSV: namesOf<ExportCsvOptions>({
    ...namesOfAll,
    prefix: true,
    delimiter: true,
    columns: true,
    includeKey: true,
  }),
  validateCSV: namesOf<ValidateCsvOptions>(namesOfCsv),
  importCSV: namesOf<ImportCsvOptions>({ ...namesOfCsv, batchSize: true }),
} as const;

/** What every transfer takes beside its request. */
export interface Attendance {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: object) => void) | undefined;
}

export function attendance(fields: Fields): Attendance {
  const onProgress = field(fields, "onProgress");
  if (onProgress !== undefined && typeof onProgress !== "function") {
    refuse('option "onProgress"', "a function", onProgress);
  }
  return { signal: signalField(fields), onProgress: onProgress as Attendance["onProgress"] };
}

export function exportRequest(fields: Fields): ExportRequest {
  const fileName = fileNameField(fields);
  return { fileName, prefix: prefixField(fields), limit: limitField(fields, fileRowsMax) };
}

export function jsonlValidateRequest(fields: Fields): JsonlValidateRequest {
  const fileName = fileNameField(fields);
  return { fileName, limit: limitField(fields, fileRowsMax), keyPrefix: keyPrefixField(fields) };
}

export function jsonlImportRequest(fields: Fields): JsonlImportRequest {
  return { ...jsonlValidateRequest(fields), batchSize: batchSizeField(fields) };
}

export function csvExportRequest(fields: Fields): CsvExportRequest {
  const includeKey = booleanField(fields, "includeKey", true);
  const columns = columnsField(fields);
  if (includeKey && columns.includes("key")) {
    throw new InvalidOptionsError('option "columns" names "key", which is the column of the keys', {
      hint: "leave it out, or set `includeKey: false` to export a property of that name",
    });
  }
  return { ...exportRequest(fields), columns, includeKey, delimiter: delimiterField(fields) };
}

export function csvValidateRequest(fields: Fields): CsvValidateRequest {
  const request = jsonlValidateRequest(fields);
  const hasHeader = booleanField(fields, "hasHeader", true);
  const keyColumn = keyColumnField(fields, hasHeader);
  if (keyColumn === undefined && request.keyPrefix !== "") {
    throw new InvalidOptionsError('option "keyPrefix" needs "keyColumn"', {
      hint: "without a key column keys are not looked at, so a prefix would change nothing",
    });
  }
  return { ...request, hasHeader, keyColumn, delimiter: delimiterField(fields) };
}

export function csvImportRequest(fields: Fields): CsvImportRequest {
  for (const name of ["limit", "batchSize"]) refuseNegative(fields, name);
  const request = csvValidateRequest(fields);
  const { keyColumn } = request;
  if (keyColumn === undefined) refuse('option "keyColumn"', "given", undefined);
  return { ...request, keyColumn, batchSize: batchSizeField(fields) };
}

function fileNameField(fields: Fields): string {
  const name = textField(fields, "fileName");
  if (name === undefined || name.trim() === "" || name.includes("\0")) {
    refuse('option "fileName"', "the name of a file", name);
  }
  return name;
}

function keyPrefixField(fields: Fields): string {
  const prefix = textField(fields, "keyPrefix") ?? "";
  // A key of the file needs a byte at least.
  checkBytes(prefix, 'option "keyPrefix"', keyBytesMax - 1);
  return prefix;
}

function batchSizeField(fields: Fields): number {
  const size = field(fields, "batchSize") ?? 0;
  if (!isInteger(size) || size > fileBatchRowsMax) {
    refuse('option "batchSize"', `an integer of at most ${fileBatchRowsMax}`, size);
  }
  return size > 0 ? size : fileBatchRowsDefault;
}

function refuseNegative(fields: Fields, name: string): void {
  const value = field(fields, name);
  if (typeof value === "number" && value < 0) {
    refuse(`option "${name}"`, "an integer of at least 0", value);
  }
}

function columnsField(fields: Fields): string[] {
  const columns = field(fields, "columns");
  if (!Array.isArray(columns) || columns.length === 0) {
    refuse('option "columns"', "an array of names that is not empty", columns);
  }
  const names = Array.from(columns as unknown[], (name, index) => {
    if (typeof name === "string" && name.trim() !== "" && isWellFormed(name)) return name;
    return refuse(`columns[${index}]`, "a name that is not blank", name);
  });
  if (new Set(names).size === names.length) return names;
  throw new InvalidOptionsError('option "columns" names a column twice');
}

const noDelimiters: ReadonlySet<string> = new Set(["\r", "\n", '"', "\0", "\ufffd"]);

function delimiterField(fields: Fields): string {
  const delimiter = textField(fields, "delimiter") ?? ",";
  const [first, second] = delimiter;
  if (first === undefined || second !== undefined || noDelimiters.has(first)) {
    refuse('option "delimiter"', "one character, and no line end, quote, NUL or U+FFFD", delimiter);
  }
  return delimiter;
}

function keyColumnField(fields: Fields, hasHeader: boolean): string | undefined {
  const name = textField(fields, "keyColumn");
  if (name === undefined) return undefined;
  if (name.trim() === "") refuse('option "keyColumn"', "a name that is not blank", name);
  if (!hasHeader && !(/^\d+$/.test(name) && Number.isSafeInteger(Number(name)))) {
    refuse('option "keyColumn"', 'without a header a place counted from 0, as in "0"', name);
  }
  return name;
}
