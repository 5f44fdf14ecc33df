// Reports of verify and repair: plain data, the same for people and programs.

import type { TableName } from "../../engine/tables.js";

/**
 * What is damaged, and so what mends it: `pages` have to be left behind, with all that stands in
 * them; `rows` are dropped or put in order; `indexes` are computed anew from the rows, without loss.
 */
export type DamagedPart = "pages" | "rows" | "indexes";

export interface FileProblem {
  readonly part: DamagedPart;
  readonly what: string;
  /** Of damaged pages: where they begin, and how many bytes they have. */
  readonly offset?: number;
  readonly bytes?: number;
  /** Of rows. */
  readonly table?: TableName;
  readonly key?: string;
}

export interface TableReport {
  readonly table: TableName;
  readonly rows: number;
  /** Rows with a deadline. */
  readonly expiring: number;
}

export interface FileReport {
  readonly path: string;
  readonly bytes: number;
  readonly layout: string | undefined;
  /** The state that was looked at: the number of the transaction that made it. */
  readonly transaction: number;
  readonly pageBytes: number;
  /** Undefined when others wrote so fast that no walk over the pages came to its end in time. */
  readonly pages: { readonly used: number; readonly free: number } | undefined;
  /** Empty when pages are damaged: then no row is read. */
  readonly tables: readonly TableReport[];
  /** Keys in the index of values that nobody claims; undefined while none is kept. */
  readonly freeKeys: number | undefined;
  /** The note of a copy that has not come to its end: the store may lack what it should hold. */
  readonly unfinishedCopy: string | undefined;
  /** The first `problemsMax`; there may be more. */
  readonly problems: readonly FileProblem[];
}

export const problemsMax = 1_000;

/** What a long run is at. */
export interface FileProgress {
  readonly step: "verify" | "salvage" | "check";
  readonly what: string;
}

/** What had to be changed so that the rows fit together again. */
export interface FileMending {
  readonly what: string;
  readonly rows: number;
}

export interface FileRepairReport {
  readonly path: string;
  /** False when there was nothing to repair. */
  readonly changed: boolean;
  /** Where the damaged file is now, if it had to be replaced. */
  readonly kept: string | undefined;
  /** Rows of the repaired store. */
  readonly rows: number;
  /** False when anything is lost, or may be. */
  readonly lossless: boolean;
  readonly unreadableRows: number;
  readonly mended: readonly FileMending[];
  /** The damage, as found by `verifyLmdb`. */
  readonly problems: readonly FileProblem[];
}
