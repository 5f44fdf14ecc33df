// Snapshot: the rows of a store as they were at one instant, read in steps while writers go on.
//
// What a snapshot promises
// 1. It gives every row of its tables as it was at the instant at which it was taken, and no other.
//    Only a best-effort snapshot of an engine that would have to keep former rows for it may give
//    later values, or none, of rows of `values` that have changed since. All other tables are exact
//    even then, because their rows have to fit together.
// 2. Tables come one after another, in the order in which they were asked for; rows of a table in
//    any order.
// 3. A row comes once, or a second time with `again` set: engines that keep no versions cannot
//    always tell whether they have given a row before it changed. Whoever has it already keeps what
//    they have.
// 4. Writers never wait for it. What it costs them ends with the table that is being read, and all
//    of it with `close`.

import type { Stored } from "./stored.js";
import type { TableName } from "./tables.js";

export interface SnapshotRow {
  readonly table: TableName;
  readonly key: string;
  readonly value: Stored;
  /** Unix milliseconds, or `never`; it may have come. */
  readonly deadline: number;
  /** The row may have been given before. */
  readonly again: boolean;
}

export interface SnapshotOptions {
  readonly tables: readonly TableName[];
  /** Content with later values instead of keeping former ones, where that saves anything. */
  readonly bestEffort: boolean;
}

export interface Snapshot {
  /** The instant, in Unix milliseconds. */
  readonly takenAt: number;
  /** Whether all rows are of that instant. */
  readonly isExact: boolean;
  /** How many rows there are, those included whose deadline has come. */
  readonly rows: number;
  /**
   * Some rows, `rowsMax` at most and possibly none; undefined when all have been given. The array is
   * the caller's. O(`rowsMax`).
   */
  next(rowsMax: number): SnapshotRow[] | undefined;
  /** Lets go of everything that was kept for it. Idempotent. */
  close(): void;
}
