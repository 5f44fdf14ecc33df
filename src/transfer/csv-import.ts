// CSV into a store, and the check of a file before. Both take and refuse exactly the same rows.
//
// Rows are numbered as records of the file, from 1 on, the header included.

import { SerializerError, SnapshotReadError, ValueParseError } from "../base/errors.js";
import type { Stored } from "../engine/stored.js";
import { CsvReader, CsvSyntaxError } from "./csv-reader.js";
import { CsvRows, type CsvShape } from "./csv-rows.js";
import { ImportBatches } from "./import-batches.js";
import { InputFile } from "./input-file.js";
import type { ImportedFile, Verdict } from "./jsonl-import.js";
import { checkCanceled, type Transfer, tellProgress } from "./transfer.js";

export interface CsvValidateRequest extends CsvShape {
  readonly fileName: string;
  readonly delimiter: string;
  /** 0: all. */
  readonly limit: number;
}

export interface CsvImportRequest extends CsvValidateRequest {
  readonly keyColumn: string;
  readonly batchSize: number;
}

interface CsvFindings {
  /** Good rows of data before the first bad one. */
  rows: number;
  bytesRead: number;
  /** Whether the end of the file was reached. */
  checkedAll: boolean;
}

/** `firstError` is there exactly when the file is not valid. */
export type CsvValidation = CsvFindings & Verdict<{ row: number; name: string; message: string }>;

/** What a row of data is for; resolves or returns when the next one may come. */
type Use = (record: readonly string[], rows: CsvRows) => Promise<void> | void;

/** A walk over a file: how far it has come, also when it has failed. */
class CsvWalk {
  readonly #reader: CsvReader;
  readonly #rows: CsvRows;
  readonly #shape: CsvShape;
  /** Records that are done, the header among them. */
  records = 0;
  /** Rows of data among them. */
  dataRows = 0;

  constructor(reader: CsvReader, transfer: Transfer, shape: CsvShape) {
    this.#reader = reader;
    this.#shape = shape;
    this.#rows = new CsvRows(shape, transfer.checkKey);
  }

  get bytes(): number {
    return this.#reader.bytes;
  }

  /** False when the limit has ended the walk, true at the end of the file. */
  async run(limit: number, use: Use, afterPiece: () => void): Promise<boolean> {
    for (let piece = await this.#reader.read(); piece; piece = await this.#reader.read()) {
      for (const record of piece) {
        if (this.#shape.hasHeader && this.records === 0) this.#rows.readHeader(record);
        else {
          // Only what has to wait is waited for: most rows cost no promise.
          const used = use(record, this.#rows);
          if (used !== undefined) await used;
          this.dataRows++;
        }
        this.records++;
        if (limit !== 0 && this.dataRows === limit) return false;
      }
      afterPiece();
    }
    return true;
  }
}

/** Content that is wrong, with its row; anything else as it is. */
function located(error: unknown, row: number): unknown {
  if (error instanceof CsvSyntaxError) {
    return new SnapshotReadError(`row ${row}: ${error.message}`, { cause: error.cause });
  }
  if (!(error instanceof ValueParseError)) return error;
  const { cause, key } = error;
  return new ValueParseError(
    `row ${row}: ${error.message}`,
    key === undefined ? { cause } : { cause, key },
  );
}

export function importCsv(transfer: Transfer, request: CsvImportRequest): Promise<ImportedFile> {
  checkCanceled(transfer);
  if (transfer.format.name === "bytes") refuseBytes();
  const { fileName, delimiter, limit, batchSize } = request;
  return InputFile.with(transfer.env, fileName, async (file) => {
    const firstPlace = request.hasHeader ? 2 : 1;
    const subject = { method: "importCSV", noun: "rows", place: "row", firstPlace } as const;
    const batches = new ImportBatches(transfer, subject, batchSize);
    const walk = new CsvWalk(await CsvReader.of(file, delimiter), transfer, request);
    const use: Use = (record, rows) => {
      const key = rows.keyOf(record);
      rows.check(record);
      const value = storedRow(transfer, key, rows.valueOf(record));
      const isFull = batches.add({ key, value }, walk.bytes);
      return isFull ? batches.write(walk.bytes) : undefined;
    };
    try {
      await walk.run(limit, use, () => checkCanceled(transfer));
      await batches.write(walk.bytes);
      await batches.settle();
    } catch (error) {
      throw await batches.failed(located(error, walk.records + 1));
    }
    return { imported: walk.dataRows, fileName, bytesRead: walk.bytes };
  });
}

function storedRow(transfer: Transfer, key: string, row: Record<string, string>): Stored {
  try {
    return transfer.format.stored(row);
  } catch (cause) {
    if (!(cause instanceof SerializerError)) throw cause;
    throw new ValueParseError(cause.message, { cause, key });
  }
}

function refuseBytes(): never {
  throw new SerializerError(
    'rows of a CSV file are no bytes, which serialization "bytes" asks for',
    {
      hint: 'import into a store with serialization "json", or use JSONL with values in base64',
    },
  );
}

export function validateCsv(
  transfer: Transfer,
  request: CsvValidateRequest,
): Promise<CsvValidation> {
  checkCanceled(transfer);
  return InputFile.with(transfer.env, request.fileName, async (file) => {
    const walk = new CsvWalk(await CsvReader.of(file, request.delimiter), transfer, request);
    const use: Use = (record, rows) => {
      rows.keyOf(record);
      rows.check(record);
    };
    const afterPiece = (): void => {
      tellProgress(transfer, walk.dataRows, walk.bytes);
      checkCanceled(transfer);
    };
    try {
      const checkedAll = await walk.run(request.limit, use, afterPiece);
      return { valid: true, rows: walk.dataRows, bytesRead: walk.bytes, checkedAll };
    } catch (error) {
      return invalid(walk, error);
    }
  });
}

/** The finding for content that is wrong; whatever else went wrong is thrown on. */
function invalid({ dataRows: rows, records, bytes }: CsvWalk, error: unknown): CsvValidation {
  if (!(error instanceof CsvSyntaxError || error instanceof ValueParseError)) throw error;
  const firstError = { row: records + 1, name: "ValueParseError", message: error.message };
  return { valid: false, rows, bytesRead: bytes, checkedAll: false, firstError };
}
