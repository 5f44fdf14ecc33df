// Nodes of the counted B+tree behind OrderedKeys, and the steps that keep it a tree.
//
//   inner   children   c0    c1    c2    c3        every child of one node is of one kind
//           sizes      n0    n1    n2    n3        keys below each child
//           separators    s0    s1    s2           keys of c1 are >= s0, keys of c0 are < s0
//   leaf    keys       k0 k1 k2 ... "" "" ""       `length` keys, then fillers
//
// A level is a node's distance from the leaves: leaves are level 0. The root is always an inner
// node, so that a leaf has a parent wherever it is changed.
//
// Invariants
// 1. All leaves are equally deep. No node is empty, except the only leaf of an empty tree.
// 2. A leaf has at most LEAF_KEYS_MAX keys, an inner node at most CHILDREN_MAX children.
// 3. Two neighbours under one parent hold together more than one half-full node. This, instead of
//    a least fill for each node, bounds memory and depth and still lets a split at an edge leave
//    a full node and a new one with a single entry, which is what ascending inserts want.
// 4. A separator is a bound, not necessarily a key: it may outlive the key that it came from.
//
// Every function that compares takes `exact`: false promises that `<` gives byte order between
// the probe and every key of the tree.

import { compareByteOrder } from "./byte-order.js";

/** Measured against 32 and 128: larger leaves move more per insert, smaller ones waste more. */
export const LEAF_KEYS_MAX = 64;
export const CHILDREN_MAX = 64;
/** Neighbours that hold no more than this together are joined; equal to the least half of a split. */
const LEAF_JOIN_MAX = LEAF_KEYS_MAX / 2;
const CHILDREN_JOIN_MAX = CHILDREN_MAX / 2;
/** How full a bulk load leaves the nodes, so that the next inserts do not split all of them. */
const BULK_FILL = 0.9;

/** Copied for each leaf: a packed array whose backing store has exactly LEAF_KEYS_MAX slots. */
const FILLERS: readonly string[] = Array.from(new Set(Array(LEAF_KEYS_MAX).keys()), () => "");

export class Leaf {
  /** Never changes its length; slots from `length` on hold "" so that removed keys are freed. */
  readonly keys: string[] = FILLERS.slice();
  length = 0;
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

/** How many of the sorted `keys` compare with `key` below `limit`: 0 for <, 1 for <=. */
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

/**
 * Inserts `key` below `inner`, which may be left with one child too many for its parent to split.
 * @param rightmost whether `inner` is the last node of its level.
 * @returns false if the key was there.
 */
export function insertBelow(
  inner: Inner,
  level: number,
  key: string,
  exact: boolean,
  rightmost: boolean,
): boolean {
  const index = childIndex(inner, key, exact);
  if (level === 1) return insertInLeaf(inner, index, key, exact);
  const child = inner.children[index] as Inner;
  const childRightmost = rightmost && index === inner.children.length - 1;
  if (!insertBelow(child, level - 1, key, exact, childRightmost)) return false;
  inner.sizes[index] = (inner.sizes[index] as number) + 1;
  if (child.children.length > CHILDREN_MAX) splitInner(inner, index, level, childRightmost);
  return true;
}

function insertInLeaf(parent: Inner, index: number, key: string, exact: boolean): boolean {
  const leaf = parent.children[index] as Leaf;
  const at = lowerBound(leaf.keys, leaf.length, key, exact);
  if (at < leaf.length && leaf.keys[at] === key) return false;
  if (leaf.length < LEAF_KEYS_MAX) insertKey(parent, index, at, key);
  else insertInFullLeaf(parent, index, at, key);
  return true;
}

/**
 * A key that falls on an edge of a full leaf goes to the neighbour there, or to a new leaf of its
 * own if that is full too: runs of ascending or descending keys fill leaves wherever they lie.
 * Asking the neighbour first is what keeps invariant 3, and keeps a run towards a full leaf from
 * making one leaf for each key.
 */
function insertInFullLeaf(parent: Inner, index: number, at: number, key: string): void {
  const leaf = parent.children[index] as Leaf;
  if (at === LEAF_KEYS_MAX) {
    if (hasRoom(parent, index + 1)) parent.separators[index] = key;
    else insertChild(parent, index + 1, new Leaf(), 0, key);
    insertKey(parent, index + 1, 0, key);
  } else if (at === 0) {
    const first = leaf.keys[0] as string;
    if (hasRoom(parent, index - 1)) {
      parent.separators[index - 1] = first;
      insertKey(parent, index - 1, parent.sizes[index - 1] as number, key);
    } else {
      insertChildBefore(parent, index, new Leaf(), 0, first);
      insertKey(parent, index, 0, key);
    }
  } else {
    splitLeaf(parent, index);
    const half = leaf.length;
    if (at <= half) insertKey(parent, index, at, key);
    else insertKey(parent, index + 1, at - half, key);
  }
}

function hasRoom(parent: Inner, index: number): boolean {
  return (
    index >= 0 &&
    index < parent.children.length &&
    (parent.sizes[index] as number) < LEAF_KEYS_MAX
  );
}

function insertKey(parent: Inner, index: number, at: number, key: string): void {
  const leaf = parent.children[index] as Leaf;
  const keys = leaf.keys;
  for (let to = leaf.length; to > at; to -= 1) keys[to] = keys[to - 1] as string;
  keys[at] = key;
  leaf.length += 1;
  parent.sizes[index] = leaf.length;
}

function splitLeaf(parent: Inner, index: number): void {
  const left = parent.children[index] as Leaf;
  const right = new Leaf();
  const half = LEAF_KEYS_MAX / 2;
  for (let from = half; from < left.length; from += 1) {
    right.keys[from - half] = left.keys[from] as string;
    left.keys[from] = "";
  }
  right.length = left.length - half;
  left.length = half;
  parent.sizes[index] = half;
  insertChild(parent, index + 1, right, right.length, right.keys[0] as string);
}

/**
 * Splits an inner child that has one child too many. Only the rightmost node of a level may be
 * split at its end: elsewhere a descending run could make one inner node for each key.
 */
export function splitInner(parent: Inner, index: number, level: number, rightmost: boolean): void {
  const left = parent.children[index] as Inner;
  const last = left.children.length - 1;
  const atEnd = rightmost && occupancy(left, last, level - 1) === 1;
  const half = atEnd ? last : left.children.length >>> 1;
  const separator = left.separators[half - 1] as string;
  const right = new Inner(
    left.children.splice(half),
    left.sizes.splice(half),
    left.separators.splice(half),
  );
  left.separators.pop();
  const rightSize = right.sizes.reduce((sum, size) => sum + size, 0);
  parent.sizes[index] = (parent.sizes[index] as number) - rightSize;
  insertChild(parent, index + 1, right, rightSize, separator);
}

/** Puts `child` at `index`, above zero; `separator` bounds it from the child before. */
function insertChild(
  parent: Inner,
  index: number,
  child: Node,
  size: number,
  separator: string,
): void {
  parent.children.splice(index, 0, child);
  parent.sizes.splice(index, 0, size);
  parent.separators.splice(index - 1, 0, separator);
}
