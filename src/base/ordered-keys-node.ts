// Nodes of the counted B+tree behind OrderedKeys: layout, search, and edits of a single node.
//
//   inner   children   c0    c1    c2    c3        every child of one node is of one kind
//           sizes      n0    n1    n2    n3        keys below each child
//           separators    s0    s1    s2           keys of c1 are >= s0, keys of c0 are < s0
//   leaf               k0 k1 k2 ... "" "" ""       as many keys as its parent says, then fillers
//
// A level is a node's distance from the leaves: leaves are level 0. The root is always an inner
// node, so that a leaf has a parent wherever it is changed.
//
// Invariants
// 1. All leaves are equally deep. No node is empty, except the only leaf of an empty tree.
// 2. A leaf has at most LEAF_KEYS_MAX keys, an inner node at most CHILDREN_MAX children.
// 3. Two neighbours under one parent hold together more than half a node. This, instead of a
//    least fill for each node, bounds memory and depth and still lets a split at an edge leave a
//    full node and a new one with a single entry, which is what runs of ascending keys want.
// 4. A separator is a bound, not necessarily a key: it may outlive the key that it came from.
//
// Every function that compares takes `exact`: false promises that `<` gives byte order between
// the probe and every key of the tree.

import { compareByteOrder } from "./byte-order.js";

// Measured at 10,000 and 1,000,000 keys. Leaves of 32 keys cost 2 bytes per key more, leaves of
// 128 make inserts slower; a wider fan-out makes `select` and `rank` add up more sizes.
export const LEAF_KEYS_MAX = 64;
export const CHILDREN_MAX = 32;

/** Copied for each leaf: a packed array whose backing store has exactly LEAF_KEYS_MAX slots. */
const FILLERS: readonly string[] = "-".repeat(LEAF_KEYS_MAX - 1).split("-");

/**
 * Its array never changes its length; slots behind the keys hold "", so that removed keys are
 * freed. How many keys it has is written in the parent alone, which every search has just read:
 * a leaf object around the array would be one more cache miss.
 */
export type Leaf = string[];

export function newLeaf(): Leaf {
  return FILLERS.slice();
}

export class Inner {
  readonly children: Node[];
  readonly sizes: number[];
  readonly separators: string[];

  constructor(children: Node[], sizes: number[], separators: string[]) {
    this.children = children;
    this.sizes = sizes;
    this.separators = separators;
  }
}

export type Node = Leaf | Inner;

/** The first index of `keys[0, length)` whose key is not below `key`, or `length`. */
export function lowerBound(
  keys: readonly string[],
  length: number,
  key: string,
  exact: boolean,
): number {
  if (exact) return exactBound(keys, length, key, 0);
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the child whose range `key` falls into. */
export function childIndex(inner: Inner, key: string, exact: boolean): number {
  const separators = inner.separators;
  if (exact) return exactBound(separators, separators.length, key, 1);
  let low = 0;
  let high = separators.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (key < (separators[middle] as string)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How many of the sorted `keys[0, length)` are below `key` (limit 0), or not above it (limit 1). */
function exactBound(keys: readonly string[], length: number, key: string, limit: 0 | 1): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Math.sign(compareByteOrder(keys[middle] as string, key)) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Keys of the child at `index` if that is a leaf, else its children. `level` is the child's. */
export function occupancy(parent: Inner, index: number, level: number): number {
  if (level === 0) return parent.sizes[index] as number;
  return (parent.children[index] as Inner).children.length;
}

/** Appends the keys below `inner` with ranks in [start, end), counted from its first key. */
export function collectKeys(
  inner: Inner,
  level: number,
  start: number,
  end: number,
  keys: string[],
): void {
  let from = start;
  let to = end;
  for (let index = 0; index < inner.children.length && to > 0; index += 1) {
    const size = inner.sizes[index] as number;
    if (from < size) {
      const low = Math.max(from, 0);
      const high = Math.min(to, size);
      if (level > 1) {
        collectKeys(inner.children[index] as Inner, level - 1, low, high, keys);
      } else {
        const leaf = inner.children[index] as Leaf;
        for (let at = low; at < high; at += 1) keys.push(leaf[at] as string);
      }
    }
    from -= size;
    to -= size;
  }
}

/** Inserts into the child leaf at `index`, which has room. */
export function insertKey(parent: Inner, index: number, at: number, key: string): void {
  const leaf = parent.children[index] as Leaf;
  const size = parent.sizes[index] as number;
  for (let to = size; to > at; to -= 1) leaf[to] = leaf[to - 1] as string;
  leaf[at] = key;
  parent.sizes[index] = size + 1;
}

/** Removes from the child leaf at `index`, which may become empty. */
export function removeKey(parent: Inner, index: number, at: number): void {
  const leaf = parent.children[index] as Leaf;
  const last = (parent.sizes[index] as number) - 1;
  for (let to = at; to < last; to += 1) leaf[to] = leaf[to + 1] as string;
  leaf[last] = "";
  parent.sizes[index] = last;
}

/** Puts `child` after the one at `index`; `separator` bounds the two. */
export function insertChildAfter(
  parent: Inner,
  index: number,
  child: Node,
  size: number,
  separator: string,
): void {
  parent.children.splice(index + 1, 0, child);
  parent.sizes.splice(index + 1, 0, size);
  parent.separators.splice(index, 0, separator);
}

/** Takes a child out; the range of keys it stood for falls to the child before, or else after. */
export function removeChild(parent: Inner, index: number): void {
  parent.children.splice(index, 1);
  parent.sizes.splice(index, 1);
  parent.separators.splice(Math.max(index - 1, 0), 1);
}
