// Changes: what a transaction did to the tables, as rows. A durable engine writes them down.

import type { Stored } from "./stored.js";
import type { TableName } from "./tables.js";

/** Takes changes in the order in which they were made. */
export interface ChangeTarget {
  /** The whole row as it is after the transaction. */
  put(table: TableName, key: string, value: Stored, deadline: number): void;
  delete(table: TableName, key: string): void;
  clear(table: TableName): void;
}
