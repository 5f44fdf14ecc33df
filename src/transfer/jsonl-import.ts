// JSONL into a store, and the check of a file before. Both take and refuse exactly the same lines.

import { ValueParseError } from "../base/errors.js";
import { jsonlLineBytesMax } from "../base/limits.js";
import type { Entry } from "../operations/requests.js";
import { ImportBatches } from "./import-batches.js";
import { InputFile } from "./input-file.js";
import { readRecord } from "./jsonl-record.js";
import { LineReader, LineTooLongError } from "./line-reader.js";
import { checkCanceled, type Transfer, tellProgress } from "./transfer.js";

export interface JsonlValidateRequest {
  readonly fileName: string;
  /** 0: all. */
  readonly limit: number;
  /** Stands before every key of the file. */
  readonly keyPrefix: string;
}

export interface JsonlImportRequest extends JsonlValidateRequest {
  readonly batchSize: number;
}

export interface ImportedFile {
  imported: number;
  /** As it was given. */
  fileName: string;
  /** Bytes of the file that were read and used. */
  bytesRead: number;
}

/** What a check of a file comes to. */
export type Verdict<FirstError> =
  | { valid: true; firstError?: undefined }
  | { valid: false; firstError: FirstError };

interface JsonlFindings {
  /** Good lines before the first bad one. */
  records: number;
  bytesRead: number;
  /** Whether the end of the file was reached. */
  checkedAll: boolean;
}

/** `firstError` is there exactly when the file is not valid. */
export type JsonlValidation = JsonlFindings &
  Verdict<{ line: number; name: string; message: string }>;

/** Content that is wrong, and where. */
interface BadLine {
  readonly line: number;
  readonly error: ValueParseError;
}

export function importJsonl(
  transfer: Transfer,
  request: JsonlImportRequest,
): Promise<ImportedFile> {
  const { fileName, limit, batchSize } = request;
  checkCanceled(transfer);
  return InputFile.with(transfer.env, fileName, async (file) => {
    const batches = new ImportBatches(
      transfer,
      { method: "importJSONL", noun: "records", place: "line", firstPlace: 1 },
      batchSize,
    );
    const reader = new LineReader(file, jsonlLineBytesMax);
    try {
      while (reader.lines !== limit || limit === 0) {
        if (!(await reader.fill())) break;
        await importLines(transfer, reader, batches, request);
        checkCanceled(transfer);
      }
      await batches.write(reader.bytes);
      await batches.settle();
    } catch (error) {
      throw await batches.failed(error);
    }
    return { imported: reader.lines, fileName, bytesRead: reader.bytes };
  });
}

/** The lines that have been read, up to the limit. */
async function importLines(
  transfer: Transfer,
  reader: LineReader,
  batches: ImportBatches,
  { limit, keyPrefix }: JsonlImportRequest,
): Promise<void> {
  for (;;) {
    if (limit !== 0 && reader.lines === limit) return;
    const entry = nextRecord(transfer, reader, keyPrefix, "importJSONL");
    if (entry === undefined) return;
    if ("error" in entry) {
      const message = `line ${entry.line}: ${entry.error.message}`;
      const { cause, key } = entry.error;
      throw new ValueParseError(message, key === undefined ? { cause } : { cause, key });
    }
    if (batches.add(entry, reader.bytes)) await batches.write(reader.bytes);
  }
}

function nextRecord(
  transfer: Transfer,
  reader: LineReader,
  keyPrefix: string,
  method: string,
): Entry | BadLine | undefined {
  try {
    return reader.next() ? readRecord(reader, transfer, keyPrefix) : undefined;
  } catch (error) {
    const line = reader.lines;
    if (error instanceof LineTooLongError) {
      return { line, error: new ValueParseError(`${method} line ${line} ${error.message}`) };
    }
    if (error instanceof ValueParseError) return { line, error };
    throw error;
  }
}

export function validateJsonl(
  transfer: Transfer,
  request: JsonlValidateRequest,
): Promise<JsonlValidation> {
  checkCanceled(transfer);
  return InputFile.with(transfer.env, request.fileName, async (file) => {
    const reader = new LineReader(file, jsonlLineBytesMax);
    while (await reader.fill()) {
      const end = validateLines(transfer, reader, request);
      if (end !== undefined) return end;
      tellProgress(transfer, reader.lines, reader.bytes);
      checkCanceled(transfer);
    }
    return { valid: true, records: reader.lines, bytesRead: reader.bytes, checkedAll: true };
  });
}

/** What ends the check among the lines that have been read. */
function validateLines(
  transfer: Transfer,
  reader: LineReader,
  { limit, keyPrefix }: JsonlValidateRequest,
): JsonlValidation | undefined {
  for (;;) {
    const entry = nextRecord(transfer, reader, keyPrefix, "validateJSONL");
    if (entry === undefined) return undefined;
    const { lines, bytes: bytesRead } = reader;
    if ("error" in entry) {
      const { name, message } = entry.error;
      const firstError = { line: lines, name, message };
      return { valid: false, records: lines - 1, bytesRead, checkedAll: false, firstError };
    }
    if (lines === limit) {
      // Of a line without an end it is known that nothing comes after it.
      return { valid: true, records: lines, bytesRead, checkedAll: !reader.isTerminated };
    }
  }
}
