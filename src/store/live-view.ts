// Live view: a view in which what is due has already gone.
//
// Where other threads and processes write to the same tables, nobody can bring them to an instant
// at which nothing is due: between that and the operation somebody else may have had a turn. And
// who only reads cannot remove anything. So operations that count by rank are given tables that
// leave the due rows out. That costs the number of due rows, which is small where anyone reaps.

import { compareByteOrder, prefixSuccessor } from "../base/byte-order.js";
import type { KeyOrder, RankRange, ReadItems, ReadTable, Row, View } from "../engine/engine.js";
import type { ExpiringTable } from "../engine/tables.js";
import type { Random } from "../env/env.js";

class LiveTable implements ReadTable {
  readonly #table: ReadTable;
  /** In byte order; all of them are in the table. */
  readonly #due: readonly string[];
  /** How many live keys stand before each of them: ascending. */
  readonly #liveBefore: readonly number[];

  constructor(table: ReadTable, due: string[]) {
    this.#table = table;
    this.#due = due.sort(compareByteOrder);
    this.#liveBefore = this.#due.map((key, index) => table.rank(key) - index);
  }

  get size(): number {
    return this.#table.size - this.#due.length;
  }

  get(key: string): Row | undefined {
    return this.#table.get(key);
  }

  has(key: string): boolean {
    return this.#table.has(key) && this.#due[this.#dueBefore(key)] !== key;
  }

  #dueBefore(key: string): number {
    return lowerBound(this.#due, (due) => compareByteOrder(due, key) < 0);
  }

  /** The rank in the table of the live key of a rank. */
  #placeOf(rank: number): number {
    return rank + lowerBound(this.#liveBefore, (before) => before <= rank);
  }

  rank(key: string): number {
    return this.#table.rank(key) - this.#dueBefore(key);
  }

  select(rank: number): string | undefined {
    return rank < 0 ? undefined : this.#table.select(this.#placeOf(rank));
  }

  prefixRange(prefix: string): RankRange {
    if (prefix === "") return { start: 0, end: this.size };
    const successor = prefixSuccessor(prefix);
    const end = successor === undefined ? this.size : this.rank(successor);
    return { start: this.rank(prefix), end };
  }

  slice(start: number, end: number): string[] {
    const keys = this.#table.slice(this.#placeOf(start), this.#placeOf(end));
    return keys.filter((key) => this.#due[this.#dueBefore(key)] !== key);
  }
}

/** How many leading items satisfy a condition that no item after them does. */
function lowerBound<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(items[middle] as Item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class LiveView implements View {
  readonly #view: View;
  #hasMetDue = false;
  readonly #tables: Partial<Record<ExpiringTable, ReadTable>> = {};

  constructor(view: View) {
    this.#view = view;
  }

  /** Whether rows have been met that somebody should remove. */
  get hasMetDue(): boolean {
    return this.#hasMetDue;
  }

  #live(name: ExpiringTable): ReadTable {
    this.#tables[name] ??= this.#withoutDue(name);
    return this.#tables[name];
  }

  #withoutDue(name: ExpiringTable): ReadTable {
    const due: string[] = [];
    this.#view.forEachDue(name, (key) => due.push(key));
    if (due.length === 0) return this.#view[name];
    this.#hasMetDue = true;
    return new LiveTable(this.#view[name], due);
  }

  get values(): ReadTable {
    return this.#live("values");
  }

  get lists(): ReadTable {
    return this.#live("lists");
  }

  get claims(): ReadTable {
    return this.#live("claims");
  }

  get members(): ReadTable {
    return this.#live("members");
  }

  get items(): ReadItems {
    return this.#view.items;
  }

  get counters(): ReadTable {
    return this.#view.counters;
  }

  get garbage(): ReadTable {
    return this.#view.garbage;
  }

  get free(): KeyOrder {
    return this.#view.free;
  }

  get now(): number {
    return this.#view.now;
  }

  get random(): Random {
    return this.#view.random;
  }

  forEachDue(table: ExpiringTable, visit: (key: string) => void): void {
    this.#view.forEachDue(table, visit);
  }
}
