// Element list: the elements of one array by their numbers, in a ring, so that an element costs a
// place and both ends take and give in O(1).
//
// Invariants
// 1. The ring has a power of two of places; the element with the number n is in place n modulo that.
// 2. All numbers lie in [first, end), which is no longer than the ring. A place without an element
//    holds undefined; there is an element at `first` and one before `end`, unless there are none.
// 3. Numbers far from all others are not taken (`hasRoom`): a ring is never much larger than what it
//    has held. Elements of an array are numbered without gaps, so that is for damaged data alone, and
//    for arrays of more elements than a ring may have places.

import type { ChangeTarget } from "../../engine/changes.js";
import { never, type Row } from "../../engine/engine.js";
import { itemKey } from "../../engine/item-keys.js";
import type { Stored } from "../../engine/stored.js";
import type { FormerTarget, Undoable } from "./journal.js";

const placesMin = 4;
/** Longer arrays of JavaScript are hash tables. */
const placesMax = 2 ** 25;
/** Places without an element that each element may bring about; one list may have some in any case. */
const gapsPerElement = 4;
const gapsMin = 64;
/** Of so many places one is taken when a ring is exchanged for a smaller one. */
const sparseness = 8;

/** Whatever holds the lists: it may have let a list go that has become empty. */
export interface ListOwner {
  restoreElement(list: number, index: number, value: Stored | undefined): void;
  element(list: number, index: number): Stored | undefined;
}

export class ElementList implements Undoable {
  readonly id: number;
  readonly #owner: ListOwner;
  #ring: (Stored | undefined)[] = new Array(placesMin).fill(undefined);
  #mask = placesMin - 1;
  #first = 0;
  #end = 0;
  #count = 0;

  constructor(id: number, owner: ListOwner) {
    this.id = id;
    this.#owner = owner;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  at(index: number): Stored | undefined {
    return index >= this.#first && index < this.#end ? this.#ring[index & this.#mask] : undefined;
  }

  hasRoom(index: number): boolean {
    const span = this.#spanWith(index);
    const spanMax = Math.min(placesMax, gapsMin + this.#count * gapsPerElement);
    return span <= this.#ring.length || span <= spanMax;
  }

  #spanWith(index: number): number {
    if (this.#count === 0) return 1;
    return Math.max(this.#end, index + 1) - Math.min(this.#first, index);
  }

  /** Only where there is room. */
  put(index: number, value: Stored): void {
    const span = this.#spanWith(index);
    if (span > this.#ring.length) this.#resize(span);
    if (this.#count === 0) {
      this.#first = index;
      this.#end = index + 1;
    } else if (index < this.#first) this.#first = index;
    else if (index >= this.#end) this.#end = index + 1;
    const place = index & this.#mask;
    if (this.#ring[place] === undefined) this.#count++;
    this.#ring[place] = value;
  }

  /** Only what is there. */
  delete(index: number): void {
    this.#ring[index & this.#mask] = undefined;
    this.#count--;
    if (this.#count === 0) {
      this.#end = this.#first;
      return;
    }
    while (this.#ring[this.#first & this.#mask] === undefined) this.#first++;
    while (this.#ring[(this.#end - 1) & this.#mask] === undefined) this.#end--;
    const span = this.#end - this.#first;
    if (this.#ring.length > gapsMin && span * sparseness <= this.#ring.length)
      this.#resize(span * 2);
  }

  #resize(placesNeeded: number): void {
    let places = placesMin;
    while (places < placesNeeded) places *= 2;
    const [ring, mask] = [this.#ring, this.#mask];
    this.#ring = new Array(places).fill(undefined);
    this.#mask = places - 1;
    for (let index = this.#first; index < this.#end; index++) {
      this.#ring[index & this.#mask] = ring[index & mask];
    }
  }

  /** The elements that are there when the walk begins, unless they go meanwhile. */
  *rows(): Generator<[string, Row]> {
    const end = this.#end;
    for (let index = this.#first; index < Math.min(end, this.#end); index++) {
      index = Math.max(index, this.#first);
      const value = this.at(index);
      if (value !== undefined) yield [itemKey(this.id, index), { value, deadline: never }];
    }
  }

  restore(index: number, value: Stored | undefined): void {
    this.#owner.restoreElement(this.id, index, value);
  }

  report(index: number, target: ChangeTarget): void {
    const value = this.#owner.element(this.id, index);
    const key = itemKey(this.id, index);
    if (value === undefined) target.delete("items", key);
    else target.put("items", key, value, never);
  }

  reportFormer(index: number, value: Stored | undefined, _: number, target: FormerTarget): void {
    target.row("items", itemKey(this.id, index), value, never);
  }
}
