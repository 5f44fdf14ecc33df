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

/** A neighbour with more keys than this is not worth the moves to even it out with a full leaf. */
const LEAF_SHARE_MAX = LEAF_KEYS_MAX * (7 / 8);

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
  if (size < LEAF_KEYS_MAX) {
    insertKey(parent, index, at, key);
  } else if (makeRoom(parent, index)) {
    insertInLeaf(parent, childIndex(parent, key, exact), key, exact);
  } else if (at === LEAF_KEYS_MAX) {
    insertChildAfter(parent, index, leafOf(key), 1, key);
  } else if (at === 0) {
    parent.children[index] = leafOf(key);
    parent.sizes[index] = 1;
    insertChildAfter(parent, index, leaf, size, leaf[0] as string);
  } else {
    splitLeaf(parent, index);
    insertInLeaf(parent, childIndex(parent, key, exact), key, exact);
  }
  return true;
}

function leafOf(key: string): Leaf {
  const leaf = newLeaf();
  leaf[0] = key;
  return leaf;
}

/**
 * Evens a full leaf out with the emptier of its neighbours, unless both are nearly full. So leaves
 * fill up before they split, runs of keys between other keys included, and a leaf that is made
 * for a single key has no neighbour with which it should be one.
 */
function makeRoom(parent: Inner, index: number): boolean {
  const before = index === 0 ? LEAF_KEYS_MAX : (parent.sizes[index - 1] as number);
  const after = parent.sizes[index + 1] ?? LEAF_KEYS_MAX;
  if (Math.min(before, after) > LEAF_SHARE_MAX) return false;
  evenOut(parent, before < after ? index - 1 : index);
  return true;
}

/** Moves keys between the leaves at `index` and after it until they have equally many. */
function evenOut(parent: Inner, index: number): void {
  const left = parent.children[index] as Leaf;
  const right = parent.children[index + 1] as Leaf;
  const leftSize = parent.sizes[index] as number;
  const rightSize = parent.sizes[index + 1] as number;
  const half = (leftSize + rightSize) >>> 1;
  const moved = Math.abs(leftSize - half);
  if (leftSize < half) {
    moveKeys(right, 0, left, leftSize, moved);
    for (let to = 0; to < rightSize - moved; to += 1) right[to] = right[to + moved] as string;
    right.fill("", rightSize - moved, rightSize);
  } else {
    for (let from = rightSize - 1; from >= 0; from -= 1)
      right[from + moved] = right[from] as string;
    moveKeys(left, half, right, 0, moved);
  }
  parent.sizes[index] = half;
  parent.sizes[index + 1] = leftSize + rightSize - half;
  parent.separators[index] = right[0] as string;
}

function splitLeaf(parent: Inner, index: number): void {
  const left = parent.children[index] as Leaf;
  const right = newLeaf();
  const half = LEAF_KEYS_MAX / 2;
  moveKeys(left, half, right, 0, half);
  parent.sizes[index] = half;
  insertChildAfter(parent, index, right, half, right[0] as string);
}

/** Moves keys to free slots and leaves fillers where they were. */
function moveKeys(source: Leaf, from: number, target: Leaf, to: number, count: number): void {
  for (let moved = 0; moved < count; moved += 1) {
    target[to + moved] = source[from + moved] as string;
    source[from + moved] = "";
  }
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
    moveKeys(right as Leaf, 0, left as Leaf, leftSize, rightSize);
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
