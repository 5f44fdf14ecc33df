// Insertion into and removal from the tree of OrderedKeys: which nodes split, which are joined.
//
// Both walk down by recursion, as deep as the tree has levels, and on the way back correct the
// sizes and the node that has become too full or too empty. They start at the root, whose own
// overflow or collapse is left to OrderedKeys. Invariants are those of ordered-keys-node.ts.

import {
  CHILDREN_MAX,
  childIndex,
  Inner,
  insertChildAfter,
  insertKey,
  LEAF_KEYS_MAX,
  type Leaf,
  lowerBound,
  type Node,
  newLeaf,
  occupancy,
  removeChild,
  removeKey,
} from "./ordered-keys-node.js";

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
  if (child.children.length > CHILDREN_MAX) splitInner(inner, index, level - 1, childRightmost);
  return true;
}

function insertInLeaf(parent: Inner, index: number, key: string, exact: boolean): boolean {
  const leaf = parent.children[index] as Leaf;
  const size = parent.sizes[index] as number;
  const at = lowerBound(leaf, size, key, exact);
  if (at < size && leaf[at] === key) return false;
  if (size < LEAF_KEYS_MAX) insertKey(parent, index, at, key);
  else if (at === 0) insertBeforeFullLeaf(parent, index, key);
  else if (at === LEAF_KEYS_MAX) insertAfterFullLeaf(parent, index, key);
  else insertInsideFullLeaf(parent, index, at, key);
  return true;
}

/**
 * A key that falls on an edge of a full leaf goes to the neighbour there, or to a new leaf of its
 * own if that is full too: runs of ascending or descending keys fill leaves wherever they lie.
 * Asking the neighbour first keeps invariant 3, and keeps a run that approaches a full leaf from
 * making one leaf for each key.
 */
function insertAfterFullLeaf(parent: Inner, index: number, key: string): void {
  if (hasRoom(parent, index + 1)) parent.separators[index] = key;
  else insertChildAfter(parent, index, newLeaf(), 0, key);
  insertKey(parent, index + 1, 0, key);
}

function insertBeforeFullLeaf(parent: Inner, index: number, key: string): void {
  const leaf = parent.children[index] as Leaf;
  const first = leaf[0] as string;
  if (hasRoom(parent, index - 1)) {
    parent.separators[index - 1] = first;
    insertKey(parent, index - 1, parent.sizes[index - 1] as number, key);
  } else {
    parent.children[index] = newLeaf();
    parent.sizes[index] = 0;
    insertChildAfter(parent, index, leaf, LEAF_KEYS_MAX, first);
    insertKey(parent, index, 0, key);
  }
}

function insertInsideFullLeaf(parent: Inner, index: number, at: number, key: string): void {
  splitLeaf(parent, index);
  const half = parent.sizes[index] as number;
  if (at <= half) insertKey(parent, index, at, key);
  else insertKey(parent, index + 1, at - half, key);
}

function hasRoom(parent: Inner, index: number): boolean {
  if (index < 0 || index >= parent.sizes.length) return false;
  return (parent.sizes[index] as number) < LEAF_KEYS_MAX;
}

function splitLeaf(parent: Inner, index: number): void {
  const left = parent.children[index] as Leaf;
  const right = newLeaf();
  const half = LEAF_KEYS_MAX / 2;
  for (let from = half; from < LEAF_KEYS_MAX; from += 1) {
    right[from - half] = left[from] as string;
    left[from] = "";
  }
  parent.sizes[index] = half;
  insertChildAfter(parent, index, right, LEAF_KEYS_MAX - half, right[0] as string);
}

/**
 * Splits the inner child at `index`, of level `level`, which has one child too many. Only the
 * last node of a level may be split at its end: elsewhere a descending run could make one inner
 * node for each key.
 */
export function splitInner(parent: Inner, index: number, level: number, rightmost: boolean): void {
  const left = parent.children[index] as Inner;
  const last = left.children.length - 1;
  const appended = occupancy(left, last, level - 1) === 1;
  const half = rightmost && appended ? last : left.children.length >>> 1;
  const separator = left.separators[half - 1] as string;
  const right = new Inner(
    left.children.splice(half),
    left.sizes.splice(half),
    left.separators.splice(half),
  );
  left.separators.pop();
  const rightSize = right.sizes.reduce((sum, size) => sum + size, 0);
  parent.sizes[index] = (parent.sizes[index] as number) - rightSize;
  insertChildAfter(parent, index, right, rightSize, separator);
}

/**
 * Removes `key` below `inner`, which may be left with few children, or none, for its parent to
 * settle.
 * @returns false if the key was not there.
 */
export function removeBelow(inner: Inner, level: number, key: string, exact: boolean): boolean {
  const index = childIndex(inner, key, exact);
  if (level === 1) {
    const leaf = inner.children[index] as Leaf;
    const size = inner.sizes[index] as number;
    const at = lowerBound(leaf, size, key, exact);
    if (at === size || leaf[at] !== key) return false;
    removeKey(inner, index, at);
  } else {
    if (!removeBelow(inner.children[index] as Inner, level - 1, key, exact)) return false;
    inner.sizes[index] = (inner.sizes[index] as number) - 1;
  }
  settle(inner, index, level - 1);
  return true;
}

/** The most that two neighbours are joined at: the least half of a split, which keeps invariant 3. */
function joinMax(level: number): number {
  return level === 0 ? LEAF_KEYS_MAX / 2 : CHILDREN_MAX / 2;
}

/** Restores the invariants around the child at `index`, of level `level`, after it has shrunk. */
function settle(parent: Inner, index: number, level: number): void {
  const held = occupancy(parent, index, level);
  if (held > joinMax(level)) return;
  if (held === 0) {
    removeChild(parent, index);
    return;
  }
  let at = index;
  for (;;) {
    if (areJoinable(parent, at - 1, level)) {
      at -= 1;
      joinChildren(parent, at, level);
    } else if (areJoinable(parent, at, level)) {
      joinChildren(parent, at, level);
    } else {
      return;
    }
  }
}

/** Whether the children at `index` and after it exist and are too empty to be two. */
function areJoinable(parent: Inner, index: number, level: number): boolean {
  if (index < 0 || index + 1 >= parent.children.length) return false;
  return occupancy(parent, index, level) + occupancy(parent, index + 1, level) <= joinMax(level);
}

function joinChildren(parent: Inner, index: number, level: number): void {
  const left = parent.children[index] as Node;
  const right = parent.children[index + 1] as Node;
  const leftSize = parent.sizes[index] as number;
  const rightSize = parent.sizes[index + 1] as number;
  const separator = parent.separators[index] as string;
  parent.sizes[index] = leftSize + rightSize;
  removeChild(parent, index + 1);
  if (level > 0) {
    joinInner(left as Inner, right as Inner, separator, level);
  } else {
    for (let from = 0; from < rightSize; from += 1) {
      (left as Leaf)[leftSize + from] = (right as Leaf)[from] as string;
    }
  }
}

function joinInner(left: Inner, right: Inner, separator: string, level: number): void {
  const seam = left.children.length;
  left.separators.push(separator, ...right.separators);
  left.children.push(...right.children);
  left.sizes.push(...right.sizes);
  // The two children at the seam had different parents, so that invariant 3 did not bind them.
  settle(left, seam, level - 1);
}
