// Row reader: all rows of a store at one instant, for whoever checks them.

import type { Row } from "./engine.js";
import type { TableName } from "./tables.js";

export interface KeyedRow extends Row {
  readonly key: string;
}

export interface RowReader {
  /** The rows whose keys begin with `prefix`, in the order of their keys. */
  each(table: TableName, prefix?: string): Iterable<KeyedRow>;
  has(table: TableName, key: string): boolean;
}

/** A row that does not go together with the others. */
export interface RowProblem {
  readonly table: TableName;
  readonly key: string;
  readonly what: string;
}

/** Finds rows that break what the operations of a store keep true. */
export type CheckRows = (rows: RowReader) => Iterable<RowProblem>;
