// Order tree: the counted order of one table, so that positions cost O(log n).
//
// The keys stand in the table alone. The tree divides them into ranges of up to `rangeKeysMax`
// neighbouring keys and counts each range; within a range the file's own cursor steps over keys.
// Invariants
// 1. The ranges cover every possible key, in order; a range's count is the number of keys that the
//    table has in it. `add` and `remove` are told of every key, after the table has changed.
// 2. A node has from 1 to `entriesMax` entries; only the root of an empty table counts 0 keys.
// 3. Ranges that have become small are joined with a neighbour.

import { compareByteOrder, prefixSuccessor } from "../../base/byte-order.js";
import type { RankRange } from "../../engine/engine.js";
import type { NativeTable } from "./lmdb-module.js";
import {
  insertEntry,
  moveEntries,
  type OrderNode,
  removeEntry,
  rootId,
  totalOf,
} from "./order-node.js";
import type { OrderNodes } from "./order-nodes.js";

const rangeKeysMax = 512;
const joinedKeysMax = 256;
const smallRangeKeys = 64;
const entriesMax = 64;

/** Where a descent has come to: an entry, and where its part of the table begins. */
interface Step {
  readonly node: OrderNode;
  readonly at: number;
  readonly start: string;
}

export class OrderTree {
  readonly #nodes: OrderNodes;
  readonly #table: NativeTable;

  constructor(nodes: OrderNodes, table: NativeTable) {
    this.#nodes = nodes;
    this.#table = table;
  }

  get size(): number {
    return totalOf(this.#nodes.root);
  }

  add(key: string): void {
    const path = this.#pathOf(key);
    for (const { node, at } of path) this.#count(node, at, 1);
    const { node, at, start } = lastOf(path);
    if ((node.counts[at] ?? 0) > rangeKeysMax) this.#splitRange(path, node, at, start);
  }

  remove(key: string): void {
    const path = this.#pathOf(key);
    for (const { node, at } of path) this.#count(node, at, -1);
    const { node, at } = lastOf(path);
    if ((node.counts[at] ?? 0) <= smallRangeKeys) joinRange(node, at);
    this.#dropEmpty(path);
  }

  rank(key: string): number {
    // No key stands before it, and as the end of a range of the file it would mean none.
    if (key === "") return 0;
    let rank = 0;
    const path = this.#pathOf(key);
    for (const { node, at } of path) rank += countBefore(node, at);
    return rank + this.#table.getKeysCount({ start: lastOf(path).start, end: key });
  }

  select(rank: number): string | undefined {
    const found = this.#find(rank);
    return found === undefined ? undefined : this.#keyAt(found.start, found.offset);
  }

  slice(start: number, end: number): string[] {
    const found = end > start ? this.#find(start) : undefined;
    if (found === undefined) return [];
    const range = { start: found.start, offset: found.offset, limit: end - start };
    return Array.from(this.#table.getKeys(range));
  }

  prefixRange(prefix: string): RankRange {
    if (prefix === "") return { start: 0, end: this.size };
    const successor = prefixSuccessor(prefix);
    const end = successor === undefined ? this.size : this.rank(successor);
    return { start: this.rank(prefix), end };
  }

  clear(): void {
    this.#nodes.clear();
  }

  #count(node: OrderNode, at: number, change: number): void {
    node.counts[at] = (node.counts[at] ?? 0) + change;
    this.#nodes.touch(node);
  }

  /** From the root down to the range that a key belongs to. */
  #pathOf(key: string): Step[] {
    const path: Step[] = [];
    let node = this.#nodes.root;
    let start = "";
    for (;;) {
      const at = entryOf(node, key);
      if (at > 0) start = node.keys[at] ?? "";
      path.push({ node, at, start });
      if (node.level === 0) return path;
      node = this.#nodes.load(node.children[at] ?? rootId);
    }
  }

  /** The start of the range that holds the key of a rank, and its position in the range. */
  #find(rank: number): { start: string; offset: number } | undefined {
    if (rank < 0 || rank >= this.size) return undefined;
    let node = this.#nodes.root;
    let start = "";
    let offset = rank;
    for (;;) {
      let at = 0;
      for (; offset >= (node.counts[at] ?? 0); at++) offset -= node.counts[at] ?? 0;
      if (at > 0) start = node.keys[at] ?? "";
      if (node.level === 0) return { start, offset };
      node = this.#nodes.load(node.children[at] ?? rootId);
    }
  }

  #keyAt(start: string, offset: number): string | undefined {
    for (const key of this.#table.getKeys({ start, offset, limit: 1 })) return key;
    return undefined;
  }

  #splitRange(path: readonly Step[], node: OrderNode, at: number, start: string): void {
    const count = node.counts[at] ?? 0;
    const left = count >> 1;
    const separator = this.#keyAt(start, left);
    if (separator === undefined) throw new Error("the order counts keys that the table lacks");
    node.counts[at] = left;
    insertEntry(node, at + 1, separator, count - left, 0);
    this.#splitNodes(path);
  }

  /** Divides nodes that have too many entries, from below. */
  #splitNodes(path: readonly Step[]): void {
    for (let depth = path.length - 1; depth >= 0; depth--) {
      const { node } = path[depth] as Step;
      if (node.keys.length <= entriesMax) return;
      const parent = path[depth - 1];
      if (parent === undefined) this.#growRoot(node);
      else this.#splitNode(node, parent.node, parent.at);
    }
  }

  #splitNode(node: OrderNode, parent: OrderNode, at: number): void {
    const right = this.#nodes.create(node.level);
    moveEntries(node, node.keys.length >> 1, right);
    const moved = totalOf(right);
    parent.counts[at] = (parent.counts[at] ?? 0) - moved;
    insertEntry(parent, at + 1, right.keys[0] ?? "", moved, right.id);
    this.#nodes.touch(node);
    this.#nodes.touch(parent);
  }

  /** The root keeps its number: what it held moves into a child, which is then divided. */
  #growRoot(root: OrderNode): void {
    const child = this.#nodes.create(root.level);
    moveEntries(root, 0, child);
    root.level++;
    insertEntry(root, 0, "", totalOf(child), child.id);
    this.#splitNode(child, root, 0);
  }

  /** Removes nodes without keys, and lets the root take the place of an only child. */
  #dropEmpty(path: readonly Step[]): void {
    for (let depth = path.length - 1; depth > 0; depth--) {
      const { node } = path[depth] as Step;
      if (totalOf(node) > 0) break;
      const parent = path[depth - 1] as Step;
      if (parent.node.keys.length === 1) continue;
      for (const below of path.slice(depth)) this.#nodes.remove(below.node);
      removeEntry(parent.node, parent.at);
    }
    const { root } = this.#nodes;
    while (root.level > 0 && root.keys.length === 1) this.#shrinkRoot(root);
  }

  #shrinkRoot(root: OrderNode): void {
    const child = this.#nodes.load(root.children[0] ?? rootId);
    this.#nodes.remove(child);
    removeEntry(root, 0);
    root.level = child.level;
    moveEntries(child, 0, root);
    this.#nodes.touch(root);
  }
}

function lastOf(path: readonly Step[]): Step {
  return path[path.length - 1] as Step;
}

function countBefore(node: OrderNode, at: number): number {
  let count = 0;
  for (let index = 0; index < at; index++) count += node.counts[index] ?? 0;
  return count;
}

/** The last entry whose separator is not above the key; the first entry begins before all keys. */
function entryOf(node: OrderNode, key: string): number {
  let low = 0;
  let high = node.keys.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (compareByteOrder(node.keys[middle] ?? "", key) <= 0) low = middle;
    else high = middle;
  }
  return low;
}

/** Joins a small range with the neighbour in its node that makes the smaller sum, if it is small. */
function joinRange(node: OrderNode, at: number): void {
  const before = at > 0 ? (node.counts[at - 1] ?? 0) : Infinity;
  const after = at + 1 < node.keys.length ? (node.counts[at + 1] ?? 0) : Infinity;
  const left = before <= after ? at - 1 : at;
  const sum = (node.counts[at] ?? 0) + Math.min(before, after);
  if (sum > joinedKeysMax) return;
  node.counts[left] = sum;
  removeEntry(node, left + 1);
}
