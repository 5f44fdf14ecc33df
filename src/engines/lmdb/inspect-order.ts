// Inspection of a counted order: whether its ranges count exactly the keys that a table has in them,
// on every level. See order-node.ts for what a node is.

import { compareByteOrder } from "../../base/byte-order.js";
import { type OrderedName, orderName, orderTags } from "./layout.js";
import {
  decodeNode,
  encodeNode,
  newRoot,
  type OrderNode,
  orderNodeKey,
  rootId,
  totalOf,
} from "./order-node.js";
import type { SnapshotRows } from "./snapshot-rows.js";

const levelsMax = 16;

class MalformedOrder extends Error {}

interface Range {
  /** The first key behind the range; undefined: there is none. */
  readonly end: string | undefined;
  readonly count: number;
}

/** What is wrong with the order of these keys, which come in order; undefined when nothing is. */
export function inspectOrder(
  rows: SnapshotRows,
  name: OrderedName,
  keys: Iterable<string>,
): string | undefined {
  try {
    compareRanges(new Ranges(rows, name), keys);
    return undefined;
  } catch (error) {
    if (!(error instanceof MalformedOrder)) throw error;
    return `the order of ${name} is wrong: ${error.message}`;
  }
}

function compareRanges(ranges: Ranges, keys: Iterable<string>): void {
  const each = ranges.each();
  let range = next(each);
  let found = 0;
  for (const key of keys) {
    while (range.end !== undefined && compareByteOrder(key, range.end) >= 0) {
      requireCount(range, found);
      range = next(each);
      found = 0;
    }
    found++;
  }
  requireCount(range, found);
  for (const rest of each) requireCount(rest, 0);
  ranges.requireNoMore();
}

function next(each: Iterator<Range>): Range {
  const { done, value } = each.next();
  if (done === true) throw new MalformedOrder("its ranges end before the keys do");
  return value;
}

function requireCount({ end, count }: Range, found: number): void {
  if (count === found) return;
  const where = end === undefined ? "the last range" : `the range below ${JSON.stringify(end)}`;
  throw new MalformedOrder(`${where} counts ${count} keys of ${found}`);
}

class Ranges {
  readonly #rows: SnapshotRows;
  readonly #tag: number;
  readonly #met = new Set<number>();

  constructor(rows: SnapshotRows, name: OrderedName) {
    this.#rows = rows;
    this.#tag = orderTags[name];
  }

  *each(): Generator<Range> {
    const bytes = this.#bytesOf(rootId);
    // That is what the order of an empty table looks like.
    const root = bytes === undefined ? newRoot() : this.#decode(rootId, bytes);
    if (root.level > levelsMax) throw new MalformedOrder("it has too many levels");
    yield* this.#ranges(root, "", undefined, root.nextId);
  }

  *#ranges(
    node: OrderNode,
    low: string,
    high: string | undefined,
    nextId: number,
  ): Generator<Range> {
    const { keys, counts, children, level } = node;
    let before = low;
    for (const [at, count] of counts.entries()) {
      const end = keys[at + 1] ?? high;
      if (end !== undefined && compareByteOrder(before, end) >= 0) {
        throw new MalformedOrder(`node ${node.id} is out of order`);
      }
      if (level === 0) yield { end, count };
      else
        yield* this.#ranges(
          this.#child(node, children[at] ?? 0, count, nextId),
          before,
          end,
          nextId,
        );
      before = end ?? before;
    }
  }

  #child(parent: OrderNode, id: number, count: number, nextId: number): OrderNode {
    const bytes = this.#bytesOf(id);
    if (bytes === undefined || id === rootId || id >= nextId || this.#met.has(id)) {
      throw new MalformedOrder(`node ${parent.id} leads to node ${id}`);
    }
    const node = this.#decode(id, bytes);
    if (node.level !== parent.level - 1) throw new MalformedOrder(`node ${id} is on a wrong level`);
    if (totalOf(node) !== count) {
      throw new MalformedOrder(
        `node ${id} counts ${totalOf(node)} keys, node ${parent.id} ${count}`,
      );
    }
    return node;
  }

  #bytesOf(id: number): Buffer | undefined {
    return this.#rows.get(orderName, orderNodeKey(this.#tag, id));
  }

  #decode(id: number, bytes: Buffer): OrderNode {
    this.#met.add(id);
    try {
      const node = decodeNode(id, bytes);
      if (node.keys.length > 0 && encodeNode(node).length === bytes.length) return node;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    throw new MalformedOrder(`node ${id} is malformed`);
  }

  /** Whether every node of this order has been met. */
  requireNoMore(): void {
    let nodes = 0;
    const [start, end] = [Uint8Array.of(this.#tag), Uint8Array.of(this.#tag + 1)];
    for (const _ of this.#rows.raw(orderName, start, end)) nodes++;
    if (nodes > this.#met.size)
      throw new MalformedOrder(`${nodes - this.#met.size} nodes too many`);
  }
}
