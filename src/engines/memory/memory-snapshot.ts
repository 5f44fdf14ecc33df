// Memory snapshot: the tables as they were, read from maps that go on changing.
//
// A walk goes through the map of a table from its first row to its last. When a transaction ends,
// the former row of every key that it changed is kept, unless the table has been passed entirely;
// the walk takes what was kept for what it finds. Nobody knows whether the walk has passed a key of
// the table that it is in, so what was kept and not met is given at the end, marked as perhaps
// given before.
//
// Invariants
// 1. Whatever was there at the instant and has not changed since is met by the walk (`rows`). Rows that
//    have come since are kept as not having been there, and passed over.
// 2. A cleared table gets a new content; the old one is nobody's but the walk's from then on.
// 3. Nothing is kept by, or told to, a snapshot that is closed.

import type { Row } from "../../engine/engine.js";
import type { Snapshot, SnapshotOptions, SnapshotRow } from "../../engine/snapshot.js";
import type { Stored } from "../../engine/stored.js";
import type { TableName } from "../../engine/tables.js";
import type { FormerTarget, Journal } from "./journal.js";

/** What is asked of a table. */
export interface WalkedTable {
  readonly name: TableName;
  readonly size: number;
  rows(): Iterator<[string, Row]>;
}

interface FormerRow {
  readonly value: Stored;
  readonly deadline: number;
}

/** Stands for a kept row that has been given. */
const given: unique symbol = Symbol("given");
type Kept = FormerRow | typeof given | undefined;

class TableWalk {
  readonly name: TableName;
  readonly rows: number;
  /** Whether changes of the table concern it: not once it is cleared or passed. */
  isWatching = true;
  readonly #keepsValues: boolean;
  readonly #rows: Iterator<[string, Row]>;
  // undefined: there was no row.
  readonly #kept = new Map<string, Kept>();
  #leftover: IterableIterator<[string, Kept]> | undefined;

  constructor(table: WalkedTable, keepsValues: boolean) {
    this.name = table.name;
    this.rows = table.size;
    this.#rows = table.rows();
    this.#keepsValues = keepsValues;
  }

  keep(key: string, value: Stored | undefined, deadline: number, committed: boolean): void {
    if (this.#kept.has(key)) return;
    if (value === undefined) this.#kept.set(key, undefined);
    else if (this.#keepsValues || !committed) this.#kept.set(key, { value, deadline });
  }

  /** Adds at most so many rows; false when there are none left. */
  next(rowsMax: number, into: SnapshotRow[]): boolean {
    for (let looked = 0; looked < rowsMax; looked++) {
      const leftover = this.#leftover;
      const row = leftover === undefined ? this.#step() : this.#leftoverStep(leftover);
      if (row === undefined) return false;
      if (row !== "none") into.push(row);
    }
    return true;
  }

  // A row, "none" where there is nothing to give, undefined at the end.
  #step(): SnapshotRow | "none" | undefined {
    const { done, value: entry } = this.#rows.next();
    if (done) return this.#endWalk();
    const [key, row] = entry;
    if (!this.#kept.has(key)) return this.#row(key, row, false);
    const former = this.#kept.get(key);
    if (former === undefined || former === given) return "none";
    this.#kept.set(key, given);
    return this.#row(key, former, true);
  }

  #endWalk(): "none" {
    this.isWatching = false;
    this.#leftover = this.#kept.entries();
    return "none";
  }

  #leftoverStep(leftover: Iterator<[string, Kept]>): SnapshotRow | "none" | undefined {
    const { done, value: entry } = leftover.next();
    if (done) return undefined;
    const [key, former] = entry;
    return former === undefined || former === given ? "none" : this.#row(key, former, true);
  }

  #row(key: string, { value, deadline }: FormerRow, again: boolean): SnapshotRow {
    return { table: this.name, key, value, deadline, again };
  }
}

export class MemorySnapshot implements Snapshot {
  readonly takenAt: number;
  readonly isExact: boolean;
  readonly rows: number;
  #walks: TableWalk[];
  readonly #byTable = new Map<TableName, TableWalk>();
  readonly #leave: () => void;

  constructor(
    tables: readonly WalkedTable[],
    takenAt: number,
    options: SnapshotOptions,
    leave: () => void,
  ) {
    this.takenAt = takenAt;
    this.isExact = !options.bestEffort;
    this.#walks = tables.map((table) => {
      const walk = new TableWalk(table, this.isExact || table.name !== "values");
      this.#byTable.set(table.name, walk);
      return walk;
    });
    this.rows = this.#walks.reduce((rows, walk) => rows + walk.rows, 0);
    this.#leave = leave;
  }

  /**
   * Keeps what a transaction has changed, which is about to be committed or taken back. Deletions
   * that are taken back leave their rows behind all others, where a walk meets them once more.
   */
  keep(journal: Journal, committed: boolean): void {
    const cleared: TableWalk[] = [];
    const target: FormerTarget = {
      row: (table, key, value, deadline) => {
        const walk = this.#byTable.get(table);
        if (walk?.isWatching) walk.keep(key, value, deadline, committed);
      },
      clear: (name) => {
        const walk = this.#byTable.get(name);
        if (!walk?.isWatching) return;
        walk.isWatching = false;
        cleared.push(walk);
      },
    };
    journal.reportFormer(target);
    if (!committed) for (const walk of cleared) walk.isWatching = true;
  }

  /** The tables get another content, and leave this one alone. */
  detach(): void {
    for (const walk of this.#walks) walk.isWatching = false;
  }

  next(rowsMax: number): SnapshotRow[] | undefined {
    const walk = this.#walks[0];
    if (walk === undefined) return undefined;
    const rows: SnapshotRow[] = [];
    if (!walk.next(rowsMax, rows)) this.#walks.shift();
    return rows;
  }

  close(): void {
    this.#walks = [];
    this.#byTable.clear();
    this.#leave();
  }
}
