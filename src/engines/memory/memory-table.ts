// Memory table: a hash map for the rows, an ordered index of the keys, a queue of the deadlines.
//
// The map is the truth. The index is built when something first asks for order (or from the start,
// `trackKeys`) and kept exact from then on, so a store that is only read and written by key pays
// for a map alone. Invariants
// 1. If there is an index, it holds exactly the keys of the map.
// 2. A row is in the deadline queue if and only if its deadline is not `never`.
// 3. Every change is journalled before it is made, unless it takes one back.

import { type Deadline, DeadlineQueue } from "../../base/deadline-queue.js";
import { OrderedKeys } from "../../base/ordered-keys.js";
import type { ChangeTarget } from "../../engine/changes.js";
import { never, type RankRange, type Row, type Table } from "../../engine/engine.js";
import type { Stored } from "../../engine/stored.js";
import type { TableName } from "../../engine/tables.js";
import type { FormerTarget, Journal } from "./journal.js";

// A row with a deadline points at its place in the queue; most rows have none and stay small.
class MemoryRow implements Row {
  value: Stored;
  expiry: Deadline<string> | undefined;

  constructor(value: Stored) {
    this.value = value;
    this.expiry = undefined;
  }

  get deadline(): number {
    return this.expiry === undefined ? never : this.expiry.at;
  }
}

export class MemoryTable implements Table {
  readonly name: TableName;
  #rows = new Map<string, MemoryRow>();
  #index: OrderedKeys | undefined;
  #deadlines = new DeadlineQueue<string>();
  // Rows that `restore` has added: they stand at the end of the map, wherever they stood before.
  #restored = 0;
  // The row found last: operations look a row up before they put it.
  #foundKey = "";
  #found: MemoryRow | undefined;
  readonly #journal: Journal;
  readonly #indexAlways: boolean;

  constructor(name: TableName, journal: Journal, indexAlways: boolean) {
    this.name = name;
    this.#journal = journal;
    this.#indexAlways = indexAlways;
    if (indexAlways) this.#index = new OrderedKeys();
  }

  get size(): number {
    return this.#rows.size;
  }

  get earliestDeadline(): number {
    return this.#deadlines.earliest;
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  get(key: string): Row | undefined {
    const row = this.#rows.get(key);
    this.#foundKey = key;
    this.#found = row;
    return row;
  }

  put(key: string, value: Stored, deadline: number): void {
    const row = this.#foundKey === key ? this.#found : this.#rows.get(key);
    if (row === undefined) {
      this.#journal.record(this, key, undefined, never);
      this.#insert(key, value, deadline);
    } else {
      this.#journal.record(this, key, row.value, row.deadline);
      row.value = value;
      this.#schedule(row, key, deadline);
    }
  }

  delete(key: string): boolean {
    const row = this.#rows.get(key);
    if (row === undefined) return false;
    this.#journal.record(this, key, row.value, row.deadline);
    this.#remove(key, row);
    return true;
  }

  clear(): void {
    const rows = this.#rows;
    const index = this.#index;
    const deadlines = this.#deadlines;
    this.#journal.recordStep({
      undo: () => {
        this.#rows = rows;
        this.#forgetFound();
        this.#index = index;
        this.#deadlines = deadlines;
      },
      report: (target) => target.clear(this.name),
    });
    this.reset();
  }

  /** Empties the table outside any transaction. */
  reset(): void {
    this.#rows = new Map();
    this.#forgetFound();
    this.#index = this.#indexAlways ? new OrderedKeys() : undefined;
    this.#deadlines = new DeadlineQueue();
  }

  /** Takes the content of `other` outside any transaction; `other` is given up. O(1). */
  adopt(other: MemoryTable): void {
    this.#rows = other.#rows;
    this.#forgetFound();
    this.#index = other.#index;
    this.#deadlines = other.#deadlines;
  }

  /** Takes one journalled change back. */
  restore(key: string, value: Stored | undefined, deadline: number): void {
    const row = this.#rows.get(key);
    if (value === undefined) {
      if (row !== undefined) this.#remove(key, row);
    } else if (row === undefined) {
      this.#restored++;
      this.#insert(key, value, deadline);
    } else {
      row.value = value;
      this.#schedule(row, key, deadline);
    }
  }

  report(key: string, target: ChangeTarget): void {
    const row = this.#rows.get(key);
    if (row === undefined) target.delete(this.name, key);
    else target.put(this.name, key, row.value, row.deadline);
  }

  reportFormer(
    key: string,
    value: Stored | undefined,
    deadline: number,
    target: FormerTarget,
  ): void {
    target.row(this.name, key, value, deadline);
  }

  /**
   * Every row that was there when the walk began and has not gone, in any order, and not many that
   * have come since. It tolerates changes meanwhile, goes on with the old rows when the table is
   * cleared, and may give a row twice whose deletion has been taken back.
   */
  rows(): IterableIterator<[string, Row]> {
    return this.#walk(this.#rows);
  }

  // What was there comes before every row added since, so as many rows as there were would be enough,
  // were it not for deletions that are taken back: they leave the row behind newer ones. After one of
  // them the walk goes on as if it had just begun.
  *#walk(rows: Map<string, MemoryRow>): Generator<[string, Row]> {
    let restored = this.#restored;
    let left = rows.size;
    for (const entry of rows) {
      if (left === 0) {
        if (restored === this.#restored) return;
        restored = this.#restored;
        left = rows.size;
      }
      left--;
      yield entry;
    }
  }

  rank(key: string): number {
    return this.#order().rank(key);
  }

  select(rank: number): string | undefined {
    return this.#order().select(rank);
  }

  prefixRange(prefix: string): RankRange {
    if (prefix === "") return { start: 0, end: this.#rows.size };
    return this.#order().prefixRange(prefix);
  }

  slice(start: number, end: number): string[] {
    return this.#order().slice(start, end);
  }

  forEachDue(now: number, visit: (key: string) => void): void {
    this.#deadlines.due(now, (deadline) => visit(deadline.subject));
  }

  nextDue(now: number): string | undefined {
    return this.#deadlines.first(now)?.subject;
  }

  /** Keys in the index, or null while there is none. */
  get indexSize(): number | null {
    return this.#index === undefined ? null : this.#index.size;
  }

  rebuildIndex(): void {
    if (this.#index !== undefined) this.#index = OrderedKeys.from(this.#rows.keys());
  }

  #order(): OrderedKeys {
    this.#index ??= OrderedKeys.from(this.#rows.keys());
    return this.#index;
  }

  #insert(key: string, value: Stored, deadline: number): void {
    const row = new MemoryRow(value);
    this.#foundKey = key;
    this.#found = row;
    this.#rows.set(key, row);
    if (this.#index !== undefined) this.#index.add(key);
    if (deadline !== never) row.expiry = this.#deadlines.add(key, deadline);
  }

  #remove(key: string, row: MemoryRow): void {
    this.#rows.delete(key);
    this.#forgetFound();
    if (this.#index !== undefined) this.#index.delete(key);
    if (row.expiry !== undefined) this.#deadlines.remove(row.expiry);
  }

  // No table has the key "".
  #forgetFound(): void {
    this.#foundKey = "";
    this.#found = undefined;
  }

  #schedule(row: MemoryRow, key: string, deadline: number): void {
    const expiry = row.expiry;
    if (expiry === undefined) {
      if (deadline !== never) row.expiry = this.#deadlines.add(key, deadline);
    } else if (deadline === never) {
      this.#deadlines.remove(expiry);
      row.expiry = undefined;
    } else if (deadline !== expiry.at) {
      this.#deadlines.move(expiry, deadline);
    }
  }
}
