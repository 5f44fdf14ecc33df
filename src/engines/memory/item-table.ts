// Item table: the elements of all arrays, in a list for each, without a key or a row of their own.
//
// Whatever does not look like an element, or lies far from all others of its array, is in a table of
// ordinary rows: damaged data can hold anything, and have to be there to be found and repaired.
//
// Invariants
// 1. A row is in one place only.
// 2. Every change is journalled before it is made, unless it takes one back.
// 3. Lists without elements do not stay.

import { OrderedKeys } from "../../base/ordered-keys.js";
import { type Items, never, type RankRange, type Row } from "../../engine/engine.js";
import { itemKey, itemPlace } from "../../engine/item-keys.js";
import type { Stored } from "../../engine/stored.js";
import { ElementList, type ListOwner } from "./element-list.js";
import type { Journal } from "./journal.js";
import { MemoryTable } from "./memory-table.js";

/** The lists, which a table gives up as a whole when it is emptied. */
class Lists implements ListOwner {
  readonly byId = new Map<number, ElementList>();
  elements = 0;
  /** Ids rise: lists with higher ones have come later. */
  newestId = -1;
  // The list used last.
  #used: ElementList | undefined;

  find(id: number): ElementList | undefined {
    if (this.#used?.id === id) return this.#used;
    const found = this.byId.get(id);
    if (found !== undefined) this.#used = found;
    return found;
  }

  /** A new one is not among them before it has an element. */
  findOrBegin(id: number): ElementList {
    return this.find(id) ?? new ElementList(id, this);
  }

  element(id: number, index: number): Stored | undefined {
    return this.find(id)?.at(index);
  }

  put(list: ElementList, index: number, value: Stored): void {
    if (list.isEmpty) this.#enter(list);
    if (list.at(index) === undefined) this.elements++;
    list.put(index, value);
  }

  #enter(list: ElementList): void {
    this.byId.set(list.id, list);
    this.#used = list;
    this.newestId = Math.max(this.newestId, list.id);
  }

  delete(list: ElementList, index: number): void {
    list.delete(index);
    this.elements--;
    if (!list.isEmpty) return;
    this.byId.delete(list.id);
    this.#used = undefined;
  }

  restoreElement(id: number, index: number, value: Stored | undefined): void {
    const list = this.findOrBegin(id);
    if (value !== undefined) this.put(list, index, value);
    else if (list.at(index) !== undefined) this.delete(list, index);
  }
}

export class ItemTable implements Items {
  readonly name = "items";
  #lists = new Lists();
  readonly #others: MemoryTable;
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#others = new MemoryTable("items", journal, false);
  }

  get size(): number {
    return this.#lists.elements + this.#others.size;
  }

  element(list: number, index: number): Stored | undefined {
    const found = this.#lists.element(list, index);
    if (found !== undefined || this.#others.size === 0) return found;
    return this.#others.get(itemKey(list, index))?.value;
  }

  putElement(id: number, index: number, value: Stored): void {
    const lists = this.#lists;
    const list = lists.findOrBegin(id);
    const former = list.at(index);
    if (former === undefined && !this.#isListed(list, index)) {
      this.#others.put(itemKey(id, index), value, never);
      return;
    }
    this.#journal.record(list, index, former, never);
    lists.put(list, index, value);
  }

  /** Whether an element that is not there belongs into the list. */
  #isListed(list: ElementList, index: number): boolean {
    if (!list.hasRoom(index)) return false;
    return this.#others.size === 0 || !this.#others.has(itemKey(list.id, index));
  }

  deleteElement(id: number, index: number): boolean {
    const list = this.#lists.find(id);
    const former = list?.at(index);
    if (list === undefined || former === undefined) {
      return this.#others.size > 0 && this.#others.delete(itemKey(id, index));
    }
    this.#journal.record(list, index, former, never);
    this.#lists.delete(list, index);
    return true;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  get(key: string): Row | undefined {
    const place = itemPlace(key);
    const value = place && this.#lists.element(place.list, place.index);
    return value === undefined ? this.#others.get(key) : { value, deadline: never };
  }

  put(key: string, value: Stored, deadline: number): void {
    const place = itemPlace(key);
    if (place !== undefined && deadline === never) {
      this.putElement(place.list, place.index, value);
      return;
    }
    if (place !== undefined && !this.#others.has(key)) this.deleteElement(place.list, place.index);
    this.#others.put(key, value, deadline);
  }

  delete(key: string): boolean {
    const place = itemPlace(key);
    if (place === undefined) return this.#others.delete(key);
    return this.deleteElement(place.list, place.index);
  }

  clear(): void {
    const lists = this.#lists;
    this.#journal.recordStep({
      undo: () => {
        this.#lists = lists;
      },
      report: () => {},
    });
    this.#lists = new Lists();
    // Tells of the clearing for both.
    this.#others.clear();
  }

  /** Empties the table outside any transaction. */
  reset(): void {
    this.#lists = new Lists();
    this.#others.reset();
  }

  /** Takes the content of `other` outside any transaction; `other` is given up. O(1). */
  adopt(other: ItemTable): void {
    this.#lists = other.#lists;
    this.#others.adopt(other.#others);
  }

  /** Puts a row, or with undefined removes one, outside any transaction. */
  restore(key: string, value: Stored | undefined, deadline: number): void {
    const place = itemPlace(key);
    if (place !== undefined) {
      const list = this.#lists.findOrBegin(place.list);
      const isListed = list.at(place.index) !== undefined || this.#isListed(list, place.index);
      const isPlain = deadline === never && isListed;
      this.#lists.restoreElement(place.list, place.index, isPlain ? value : undefined);
      if (isPlain) return;
    }
    this.#others.restore(key, value, deadline);
  }

  /**
   * Every row that was there when the walk began and has not gone, in any order, and not many that
   * have come since. It tolerates changes meanwhile, goes on with the old rows when the table is
   * cleared, and may give a row twice whose deletion has been taken back.
   */
  rows(): IterableIterator<[string, Row]> {
    return walk(this.#lists, this.#lists.newestId, this.#others.rows());
  }

  // Nobody asks for the order of elements but checks and repairs, so it is not kept.
  #order(): OrderedKeys {
    return OrderedKeys.from(Array.from(this.rows(), ([key]) => key));
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

function* walk(
  lists: Lists,
  newestId: number,
  others: IterableIterator<[string, Row]>,
): Generator<[string, Row]> {
  for (const list of lists.byId.values()) if (list.id <= newestId) yield* list.rows();
  yield* others;
}
