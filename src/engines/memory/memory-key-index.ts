// Memory key index: the keys of one table that are not in another, recomputed on demand.
//
// Until something asks for order the index does not exist and maintaining it costs one test.
// Once it exists its changes are journalled like those of a table, so that a transaction that
// fails costs what it did, not a recomputation.

import { OrderedKeys } from "../../base/ordered-keys.js";
import { type KeyIndex, never, type RankRange, type ReadTable } from "../../engine/engine.js";
import type { Stored } from "../../engine/stored.js";
import type { Journal } from "./journal.js";

export class MemoryKeyIndex implements KeyIndex {
  #keys: OrderedKeys | undefined;
  readonly #source: ReadTable;
  readonly #without: ReadTable;
  readonly #journal: Journal;

  constructor(journal: Journal, source: ReadTable, without: ReadTable) {
    this.#journal = journal;
    this.#source = source;
    this.#without = without;
  }

  get size(): number {
    return this.#source.size - this.#without.size;
  }

  add(key: string): void {
    if (this.#keys?.add(key)) this.#journal.record(this, key, undefined, never);
  }

  delete(key: string): void {
    if (this.#keys?.delete(key)) this.#journal.record(this, key, "", never);
  }

  clear(): void {
    const keys = this.#keys;
    this.#journal.recordStep({
      undo: () => {
        this.#keys = keys;
      },
      report: () => {},
    });
    this.#keys = undefined;
  }

  /** Takes one journalled change back: a value means that the key was there. */
  restore(key: string, value: Stored | undefined): void {
    if (value === undefined) this.#keys?.delete(key);
    else this.#keys?.add(key);
  }

  /** Can be recomputed, so there is nothing to tell. */
  report(): void {}

  reportFormer(): void {}

  /** Drops the index outside any transaction; it is recomputed when it is next asked for. */
  forget(): void {
    this.#keys = undefined;
  }

  has(key: string): boolean {
    return this.#source.has(key) && !this.#without.has(key);
  }

  rank(key: string): number {
    return this.#order().rank(key);
  }

  select(rank: number): string | undefined {
    return this.#order().select(rank);
  }

  prefixRange(prefix: string): RankRange {
    if (prefix === "") return { start: 0, end: this.size };
    return this.#order().prefixRange(prefix);
  }

  slice(start: number, end: number): string[] {
    return this.#order().slice(start, end);
  }

  #order(): OrderedKeys {
    if (this.#keys === undefined) {
      const keys = this.#source.slice(0, this.#source.size);
      this.#keys = OrderedKeys.fromSorted(keys.filter((key) => !this.#without.has(key)));
      // Earlier changes of the same transaction are in it without having been journalled.
      this.#journal.recordStep({ undo: () => this.forget(), report: () => {} });
    }
    return this.#keys;
  }
}
