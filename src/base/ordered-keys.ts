// OrderedKeys: a set of strings in UTF-8 byte order that knows the rank of each of them.
//
// A B+tree whose inner nodes count the keys below their children, so that rank, select and the
// range of a prefix are O(log n), and so is every change. Keys are compared by plain `<` unless
// the set has keys for which that differs from byte order (see byte-order.ts); a set without such
// keys does not even look at the keys it is asked about.
//
// Invariants
// 1. `#traits` covers every key in the set. Only `clear` takes traits back: after deletes they may
//    say too much, never too little.
// 2. `#changes` moves whenever a key is added or deleted, so that iterators notice.
// Keys must be well-formed: this is not checked here. They are kept by reference, not copied; the
// tree adds 9 to 10 bytes to a key after a bulk load or ascending inserts, 12 after random ones.
// A key that was cut out of a longer text keeps that text alive, and compares ten times slower.

import {
  compareByteOrder,
  orderTraits,
  plainOrderHolds,
  prefixSuccessor,
  TRAITS_ALL,
  TRAITS_NONE,
} from "./byte-order.js";
import {
  buildTree,
  emptyTree,
  type Tree,
  type TreeShape,
  verifyTree,
} from "./ordered-keys-build.js";
import { insertBelow, removeBelow, splitInner } from "./ordered-keys-change.js";
import {
  CHILDREN_MAX,
  childIndex,
  collectKeys,
  Inner,
  type Leaf,
  lowerBound,
} from "./ordered-keys-node.js";

/** How many keys an iterator fetches at once. */
const ITERATION_KEYS_MAX = 64;

export class OrderedKeys {
  #root: Inner;
  /** The level of the root: how many inner nodes stand above each leaf. */
  #height: number;
  #size: number;
  #traits = TRAITS_NONE;
  #changes = 0;

  constructor() {
    const { root, height } = emptyTree();
    this.#root = root;
    this.#height = height;
    this.#size = 0;
  }

  /**
   * Loads keys that ascend strictly in byte order into nodes that are 90 % full. O(n).
   * @throws Error if the keys do not ascend strictly.
   */
  static fromSorted(keys: readonly string[]): OrderedKeys {
    const traits = traitsOf(keys);
    const exact = traits === TRAITS_ALL;
    for (let index = 1; index < keys.length; index += 1) {
      const before = keys[index - 1] as string;
      const key = keys[index] as string;
      if (exact ? compareByteOrder(before, key) < 0 : before < key) continue;
      throw new Error(
        `Keys must ascend strictly in byte order; those at ${index - 1} and ${index} do not.`,
      );
    }
    const set = new OrderedKeys();
    set.#load(buildTree(keys), keys.length, traits);
    return set;
  }

  /** Sorts the keys, drops repeated ones and loads the rest. O(n log n). */
  static from(keys: Iterable<string>): OrderedKeys {
    const sorted = [...keys];
    if (traitsOf(sorted) === TRAITS_ALL) sorted.sort(compareByteOrder);
    else sorted.sort();
    return OrderedKeys.fromSorted(sorted.filter((key, index) => key !== sorted[index - 1]));
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a key; false if it was there. O(log n). */
  add(key: string): boolean {
    const traits = orderTraits(key);
    this.#traits |= traits;
    const exact = !plainOrderHolds(this.#traits, traits);
    if (!insertBelow(this.#root, this.#height, key, exact, true)) return false;
    this.#size += 1;
    this.#changes += 1;
    if (this.#root.children.length > CHILDREN_MAX) {
      this.#root = new Inner([this.#root], [this.#size], []);
      splitInner(this.#root, 0, this.#height, true);
      this.#height += 1;
    }
    return true;
  }

  /** Deletes a key; false if it was not there. Gives memory back as nodes empty. O(log n). */
  delete(key: string): boolean {
    if (!removeBelow(this.#root, this.#height, key, this.#mustBeExact(key))) return false;
    this.#size -= 1;
    this.#changes += 1;
    if (this.#size === 0) {
      const { root, height } = emptyTree();
      this.#root = root;
      this.#height = height;
    }
    while (this.#height > 1 && this.#root.children.length === 1) {
      this.#root = this.#root.children[0] as Inner;
      this.#height -= 1;
    }
    return true;
  }

  /** Whether the set has the key. O(log n). */
  has(key: string): boolean {
    const exact = this.#mustBeExact(key);
    let inner = this.#root;
    for (let level = this.#height; level > 1; level -= 1) {
      inner = inner.children[childIndex(inner, key, exact)] as Inner;
    }
    const index = childIndex(inner, key, exact);
    const leaf = inner.children[index] as Leaf;
    const size = inner.sizes[index] as number;
    const at = lowerBound(leaf, size, key, exact);
    return at < size && leaf[at] === key;
  }

  clear(): void {
    this.#load(emptyTree(), 0, TRAITS_NONE);
  }

  /** How many keys are strictly before `key`, which need not be in the set. O(log n). */
  rank(key: string): number {
    const exact = this.#mustBeExact(key);
    let inner = this.#root;
    let rank = 0;
    for (let level = this.#height; ; level -= 1) {
      const index = childIndex(inner, key, exact);
      const sizes = inner.sizes;
      for (let before = 0; before < index; before += 1) rank += sizes[before] as number;
      if (level === 1) {
        const leaf = inner.children[index] as Leaf;
        return rank + lowerBound(leaf, sizes[index] as number, key, exact);
      }
      inner = inner.children[index] as Inner;
    }
  }

  /** The key with the given rank, or `undefined` outside 0 to size - 1. O(log n). */
  select(index: number): string | undefined {
    if (!Number.isInteger(index) || index < 0 || index >= this.#size) return undefined;
    let inner = this.#root;
    let rest = index;
    for (let level = this.#height; ; level -= 1) {
      const sizes = inner.sizes;
      let child = 0;
      while (rest >= (sizes[child] as number)) {
        rest -= sizes[child] as number;
        child += 1;
      }
      if (level === 1) return (inner.children[child] as Leaf)[rest];
      inner = inner.children[child] as Inner;
    }
  }

  /** The ranks [start, end) of the keys that begin with `prefix`; "" means all keys. O(log n). */
  prefixRange(prefix: string): { start: number; end: number } {
    if (prefix === "") return { start: 0, end: this.#size };
    const successor = prefixSuccessor(prefix);
    const end = successor === undefined ? this.#size : this.rank(successor);
    return { start: this.rank(prefix), end };
  }

  /** How many keys begin with `prefix`. O(log n). */
  count(prefix: string): number {
    const { start, end } = this.prefixRange(prefix);
    return end - start;
  }

  /** The keys with ranks in [start, end), cut to those that exist. O(log n + length). */
  slice(start: number, end: number): string[] {
    const keys: string[] = [];
    collectKeys(this.#root, this.#height, Math.max(start, 0), Math.min(end, this.#size), keys);
    return keys;
  }

  /**
   * Yields the keys from the first that is not before `key`, in order. The set may change
   * meanwhile: each step goes to the first key after the one yielded last, as the set then is. So
   * a key that is there all the time is yielded once, and a change behind that point is not seen.
   */
  *keysFrom(key: string): Generator<string, void, undefined> {
    let next = this.rank(key);
    while (next < this.#size) {
      const changes = this.#changes;
      for (const found of this.slice(next, next + ITERATION_KEYS_MAX)) {
        yield found;
        next += 1;
        if (this.#changes === changes) continue;
        next = this.rank(found);
        if (this.select(next) === found) next += 1;
        break;
      }
    }
  }

  /** Throws if an invariant is broken, else tells the tree's shape. O(n), for tests and diagnosis. */
  verify(): TreeShape {
    const shape = verifyTree({ root: this.#root, height: this.#height }, this.#size);
    const missing = traitsOf(this.slice(0, this.#size)) & ~this.#traits;
    if (missing !== 0) throw new Error("OrderedKeys is damaged: traits do not cover its keys.");
    return shape;
  }

  #mustBeExact(key: string): boolean {
    return this.#traits !== TRAITS_NONE && !plainOrderHolds(this.#traits, orderTraits(key));
  }

  #load(tree: Tree, size: number, traits: number): void {
    this.#root = tree.root;
    this.#height = tree.height;
    this.#size = size;
    this.#traits = traits;
    this.#changes += 1;
  }
}

function traitsOf(keys: readonly string[]): number {
  let traits = TRAITS_NONE;
  for (const key of keys) traits |= orderTraits(key);
  return traits;
}
