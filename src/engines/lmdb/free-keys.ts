// Free keys: the index of the values that nobody claims, kept from when it is first asked for.
//
// It is kept in the file, so it is built once in the life of a store. While it is not built, its
// changes cost one test and nothing else. `size` and `has` come from the tables themselves.

import { type KeyIndex, never, type RankRange, type Row } from "../../engine/engine.js";
import type { Journal, Restorable } from "./journal.js";
import { freeBuiltKey } from "./layout.js";
import type { NativeTable } from "./lmdb-module.js";
import type { OrderTree } from "./order-tree.js";
import type { RowTable } from "./row-table.js";

const present: Row = { value: "", deadline: never };

export interface FreeKeysParts {
  readonly keys: NativeTable;
  readonly order: OrderTree;
  readonly meta: NativeTable;
  readonly journal: Journal;
  readonly source: RowTable;
  readonly without: RowTable;
}

export class FreeKeys implements KeyIndex, Restorable {
  readonly #parts: FreeKeysParts;
  // Unknown at the beginning of a transaction; asked for once in each.
  #built: boolean | undefined;

  constructor(parts: FreeKeysParts) {
    this.#parts = parts;
  }

  /** Another state of the file is read from now on. */
  turnPage(): void {
    this.#built = undefined;
  }

  get built(): boolean {
    this.#built ??= this.#parts.meta.getString(freeBuiltKey) !== undefined;
    return this.#built;
  }

  get size(): number {
    return this.#parts.source.size - this.#parts.without.size;
  }

  has(key: string): boolean {
    return this.#parts.source.has(key) && !this.#parts.without.has(key);
  }

  add(key: string): void {
    if (!this.built || this.#parts.keys.getBinaryFast(key) !== undefined) return;
    this.#parts.journal.record(this, key, undefined);
    this.#parts.keys.putSync(key, "");
    this.#parts.order.add(key);
  }

  delete(key: string): void {
    if (!this.built || this.#parts.keys.getBinaryFast(key) === undefined) return;
    this.#parts.journal.record(this, key, present);
    this.#parts.keys.removeSync(key);
    this.#parts.order.remove(key);
  }

  /** Takes a change back. */
  put(key: string): void {
    this.add(key);
  }

  clear(): void {
    if (!this.built) return;
    this.#parts.journal.requireChild();
    this.#empty();
  }

  #empty(): void {
    this.#parts.keys.clearSync();
    this.#parts.order.clear();
  }

  /** Builds the index in the present write transaction: O(n). */
  build(): void {
    const { keys, order, meta, journal, source, without } = this.#parts;
    // Earlier changes of the same operation are in it without having been journalled.
    journal.record({ delete: () => this.forget(), put: () => this.forget() }, "", undefined);
    this.#empty();
    for (const key of source.keys()) {
      if (without.has(key)) continue;
      keys.putSync(key, "");
      order.add(key);
    }
    meta.putSync(freeBuiltKey, "1");
    this.#built = true;
  }

  /** Drops the index in the present write transaction; it is built when it is next asked for. */
  forget(): void {
    this.#parts.meta.removeSync(freeBuiltKey);
    this.#built = false;
  }

  #order(): OrderTree {
    if (!this.built) this.build();
    return this.#parts.order;
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
}
