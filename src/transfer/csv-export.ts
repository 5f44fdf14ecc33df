// A store into CSV: a header, and one row for each value, in key order. Values are flat objects.
//
// Values alone: arrays, claims, filter items and expiry are not in the file, and types are not
// either: what is read back is strings.

import { SnapshotExportError, ValueParseError } from "../base/errors.js";
import type { Entry } from "../operations/requests.js";
import { csvRowOf, fieldText } from "./csv-text.js";
import { type ExportedFile, type ExportRequest, exportFile } from "./export-file.js";
import { messageOf, type Transfer } from "./transfer.js";

export interface CsvExportRequest extends ExportRequest {
  readonly columns: readonly string[];
  readonly delimiter: string;
  /** Whether a column `key` stands before the others. */
  readonly includeKey: boolean;
}

/**
 * @throws ValueParseError when a value is no flat object, SnapshotExportError when one cannot be read;
 * the target is then as it was.
 */
export function exportCsv(transfer: Transfer, request: CsvExportRequest): Promise<ExportedFile> {
  const { head, row } = csvRows(request);
  const { decode: decodeStored } = transfer.format;
  return exportFile(transfer, request, {
    head,
    row: ({ key, value }) => row(key, decode(decodeStored, key, value)),
  });
}

/** The lines of an export, each with its end; of values as callers know them. */
export function csvRows({
  columns,
  delimiter,
  includeKey,
}: Pick<CsvExportRequest, "columns" | "delimiter" | "includeKey">): {
  head: string;
  row(key: string, value: unknown): string;
} {
  const rowOf = csvRowOf(delimiter);
  const keyField = (key: string): string[] => (includeKey ? [key] : []);
  return {
    head: rowOf([...keyField("key"), ...columns]),
    row: (key, value) => {
      const properties = objectOf(key, value);
      const fields = columns.map((column) => fieldOf(key, properties, column));
      return rowOf([...keyField(key), ...fields]);
    },
  };
}

function objectOf(key: string, decoded: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof decoded === "object" && decoded !== null && !Array.isArray(decoded);
  if (isObject && !(decoded instanceof Uint8Array)) return decoded as Record<string, unknown>;
  throw new ValueParseError(`the value of ${JSON.stringify(key)} must be a JSON object`, { key });
}

function decode(format: Transfer["format"]["decode"], key: string, value: Entry["value"]): unknown {
  try {
    return format(value);
  } catch (cause) {
    const message = `the value of ${JSON.stringify(key)} cannot be exported: ${messageOf(cause)}`;
    throw new SnapshotExportError(message, { cause, key });
  }
}

function fieldOf(key: string, value: Readonly<Record<string, unknown>>, column: string): string {
  try {
    return Object.hasOwn(value, column) ? fieldText(value[column]) : "";
  } catch (cause) {
    const where = `column ${JSON.stringify(column)} of ${JSON.stringify(key)}`;
    throw new ValueParseError(`${where} ${messageOf(cause)}, which has no place in a CSV file`, {
      key,
    });
  }
}
