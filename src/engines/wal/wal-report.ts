// What verify and repair tell: plain data, the same for people and programs.

import type { TableName } from "../../engine/tables.js";

/** Bytes that do not check out, or should be there and are not (then `bytes` is 0). */
export interface Problem {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  readonly what: string;
}

interface FileReport {
  readonly path: string;
  /** Undefined when no header checks out. */
  readonly version: number | undefined;
  readonly bytes: number;
  /** Rows of a state; changes of rows in a segment. Those that check out. */
  readonly rows: number;
  /** Whether opening reads the file; what is superseded waits to be removed. */
  readonly needed: boolean;
  readonly problems: readonly Problem[];
}

export interface SegmentReport extends FileReport {
  readonly kind: "segment";
  /** Sequence numbers of the readable records; `last` is `first - 1` when there is none. */
  readonly first: number;
  readonly last: number;
  readonly records: number;
  /** Bytes at the end that opening cuts off: a write that was cut short. */
  readonly tornBytes: number;
}

export interface StateReport extends FileReport {
  readonly kind: "state";
  /** Records after this one have to be replayed. */
  readonly replay: number;
  /** The last record that may be contained; undefined when that cannot be read. */
  readonly until: number | undefined;
}

export interface WalReport {
  readonly path: string;
  /** Whether the store opens; if not, `refusal` is what opening says. */
  readonly opens: boolean;
  readonly refusal: { readonly message: string; readonly hint: string | undefined } | undefined;
  /** States first, oldest first. */
  readonly files: readonly (SegmentReport | StateReport)[];
  /** All problems of all files, and files that are missing. */
  readonly problems: readonly Problem[];
  readonly tornBytes: number;
  /** The note of a copy that has not come to its end: the store may lack what it should hold. */
  readonly unfinishedCopy: string | undefined;
  /** Files in the directories that are not ours. */
  readonly foreign: readonly string[];
}

/** What a long run is at. */
export interface Progress {
  readonly step: "verify" | "salvage" | "check";
  readonly path: string;
  readonly filesDone: number;
  readonly files: number;
}

/** Sequence numbers `first` to `last`; `last` undefined: nobody knows how many there were. */
export interface LostRecords {
  readonly first: number;
  readonly last: number | undefined;
  /** The state of which some rows stand in for them, as they were when it was written. */
  readonly stateRead: string | undefined;
}

/** Rows of a damaged state that was needed; `rows` undefined: nobody knows how many there were. */
export interface LostRows {
  readonly path: string;
  readonly rows: number | undefined;
}

/** Rows that no record after a loss has touched: what they hold may be out of date. */
export interface OlderRows {
  readonly table: TableName;
  readonly keys: readonly string[];
}

/** What had to be changed so that the rows fit together again. */
export interface Mending {
  readonly what: string;
  readonly rows: number;
}

export interface RepairReport {
  readonly path: string;
  /** False when there was nothing to repair. */
  readonly changed: boolean;
  /** Where the damaged and superseded files are now. */
  readonly quarantine: string | undefined;
  readonly moved: readonly string[];
  /** Rows of the repaired store; undefined when it did not have to be rewritten. */
  readonly rows: number | undefined;
  /** The sequence number of its next record; undefined when it did not have to be rewritten. */
  readonly next: number | undefined;
  /** False when anything is lost, or may be. */
  readonly lossless: boolean;
  readonly lostRecords: readonly LostRecords[];
  readonly lostRows: readonly LostRows[];
  /** Rows that nothing read after the last loss has touched: they may be out of date. */
  readonly olderRows: readonly OlderRows[];
  readonly mended: readonly Mending[];
  /** The damage, as found by `verifyWal`. */
  readonly problems: readonly Problem[];
  readonly tornBytes: number;
}
