// Bulk load and verification of the tree of OrderedKeys (layout: ordered-keys-node.ts).

import { compareByteOrder } from "./byte-order.js";
import {
  CHILDREN_MAX,
  Inner,
  LEAF_KEYS_MAX,
  type Leaf,
  type Node,
  newLeaf,
  occupancy,
} from "./ordered-keys-node.js";

/** How full a bulk load leaves the nodes, so that the next inserts do not split all of them. */
const BULK_FILL = 0.9;

export interface Tree {
  readonly root: Inner;
  /** The level of the root, at least 1. */
  readonly height: number;
}

export function emptyTree(): Tree {
  return { root: new Inner([newLeaf()], [0], []), height: 1 };
}

/** Builds a tree of evenly filled nodes in O(n). The keys ascend strictly in byte order. */
export function buildTree(keys: readonly string[]): Tree {
  if (keys.length === 0) return emptyTree();
  const runs = evenRuns(keys.length, Math.floor(LEAF_KEYS_MAX * BULK_FILL));
  let nodes: Node[] = [];
  let sizes: number[] = [];
  let firsts: string[] = [];
  for (const { start, end } of runs) {
    nodes.push(leafOf(keys, start, end));
    sizes.push(end - start);
    firsts.push(keys[start] as string);
  }
  for (let height = 1; ; height += 1) {
    const level = stackLevel(nodes, sizes, firsts);
    if (level.nodes.length === 1) return { root: level.nodes[0] as Inner, height };
    ({ nodes, sizes, firsts } = level);
  }
}

interface Level {
  readonly nodes: Node[];
  readonly sizes: number[];
  /** The least key below each node. */
  readonly firsts: string[];
}

/** Makes the parents of `nodes`. */
function stackLevel(nodes: Node[], sizes: number[], firsts: string[]): Level {
  const level: Level = { nodes: [], sizes: [], firsts: [] };
  for (const { start, end } of evenRuns(nodes.length, Math.floor(CHILDREN_MAX * BULK_FILL))) {
    const parentSizes = sizes.slice(start, end);
    level.nodes.push(new Inner(nodes.slice(start, end), parentSizes, firsts.slice(start + 1, end)));
    level.sizes.push(parentSizes.reduce((sum, size) => sum + size, 0));
    level.firsts.push(firsts[start] as string);
  }
  return level;
}

/** Cuts [0, total) into the fewest runs of at most `lengthMax` whose lengths differ by one. */
function* evenRuns(total: number, lengthMax: number): Generator<{ start: number; end: number }> {
  const count = Math.ceil(total / lengthMax);
  for (let run = 0; run < count; run += 1) {
    yield {
      start: Math.floor((total * run) / count),
      end: Math.floor((total * (run + 1)) / count),
    };
  }
}

function leafOf(keys: readonly string[], start: number, end: number): Leaf {
  const leaf = newLeaf();
  for (let from = start; from < end; from += 1) leaf[from - start] = keys[from] as string;
  return leaf;
}

/** What a sound tree is built of. */
export interface TreeShape {
  readonly height: number;
  readonly leaves: number;
}

/** Throws an error that names the first broken invariant. O(n). */
export function verifyTree(tree: Tree, size: number): TreeShape {
  const { root, height } = tree;
  assert(height >= 1, "the root is an inner node");
  assert(height === 1 || root.children.length > 1, "a root above level 1 has two children");
  if (size === 0) {
    assert(height === 1 && root.children.length === 1, "an empty tree is one leaf");
    assert(root.sizes[0] === 0, "an empty tree has size 0");
    verifyLeaf(root.children[0] as Leaf, 0, undefined, undefined);
  } else {
    assert(verifyInner(root, height, undefined, undefined) === size, "the sizes add up");
  }
  return { height, leaves: countLeaves(root, height) };
}

function countLeaves(inner: Inner, level: number): number {
  if (level === 1) return inner.children.length;
  return inner.children.reduce((sum, child) => sum + countLeaves(child as Inner, level - 1), 0);
}

/** @returns the number of keys below `node`, all of which lie in [low, high). */
function verifyInner(
  node: Inner,
  level: number,
  low: string | undefined,
  high: string | undefined,
): number {
  const { children, sizes, separators } = node;
  assert(children.length <= CHILDREN_MAX, "an inner node has no more than CHILDREN_MAX children");
  assert(sizes.length === children.length, "each child has a size");
  assert(separators.length === children.length - 1, "two neighbours have a separator");
  let total = 0;
  for (const [index, child] of children.entries()) {
    const childLow = index === 0 ? low : separators[index - 1];
    const childHigh = index === separators.length ? high : separators[index];
    const size = sizes[index] as number;
    assert(Array.isArray(child) === (level === 1), "all leaves are equally deep");
    assert(occupancy(node, index, level - 1) > 0, "no node is empty");
    if (level === 1) {
      verifyLeaf(child as Leaf, size, childLow, childHigh);
    } else {
      const counted = verifyInner(child as Inner, level - 1, childLow, childHigh);
      assert(counted === size, "a size counts the keys below the child");
    }
    total += size;
  }
  verifyFill(node, level - 1);
  return total;
}

function verifyFill(parent: Inner, level: number): void {
  const half = (level === 0 ? LEAF_KEYS_MAX : CHILDREN_MAX) / 2;
  for (let index = 1; index < parent.children.length; index += 1) {
    const left = occupancy(parent, index - 1, level);
    const right = occupancy(parent, index, level);
    assert(left + right > half, "two neighbours hold more than half a node");
  }
}

function verifyLeaf(
  leaf: Leaf,
  size: number,
  low: string | undefined,
  high: string | undefined,
): void {
  assert(leaf.length === LEAF_KEYS_MAX && size <= LEAF_KEYS_MAX, "a leaf keeps to its capacity");
  for (const [index, key] of leaf.slice(0, size).entries()) {
    const before = index === 0 ? low : leaf[index - 1];
    const order = before === undefined ? 1 : compareByteOrder(key, before);
    assert(index === 0 ? order >= 0 : order > 0, "keys ascend and do not repeat");
    assert(high === undefined || compareByteOrder(key, high) < 0, "keys lie below the separator");
  }
  assert(
    leaf.slice(size).every((filler) => filler === ""),
    "free slots hold no key",
  );
}

function assert(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new Error(`OrderedKeys is damaged: it does not hold that ${invariant}.`);
}
