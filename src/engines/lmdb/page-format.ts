// Page format: what LMDB keeps in one page, read without trusting any of it.
//
//   bytes  0-7   page number            8-15  transaction that wrote it
//         16-17  unused here           18-19  kind: 1 branch, 2 leaf, 4 first of overflowing pages
//         20-21  end of the pointers   22-23  begin of the nodes (overflow: 20-23 number of pages)
//         24-    pointers (u16) to the nodes, in the order of their keys
// All positions in a page, pointers included, count from byte 24. A node is
//
//   bytes  0-3   length of the value; in a branch, with bytes 4-5, the number of the page below
//          4-5   1: the value stands in pages of its own; 2: the value is the record of a tree
//          6-7   length of the key
//          8-    key, then value, then a byte of nothing if that makes the length even
// Nodes lie side by side from their begin to the end of the page, in any order.
// The layout is that of LMDB 1.0 ("mdb.master3"), data version 2, on 64-bit little-endian systems.

import { readNumber } from "./file-header.js";

export const pageHeaderBytes = 24;
const nodeHeaderBytes = 8;
/** What stands for a value in pages of its own: their first number, transaction, how many. */
const overflowRecordBytes = 24;

const kinds = { 1: "branch", 2: "leaf", 4: "overflow" } as const;
export type PageKind = (typeof kinds)[keyof typeof kinds];

export interface PageHeader {
  readonly number: number;
  readonly transaction: number;
  /** Undefined for a kind that stores do not have. */
  readonly kind: PageKind | undefined;
}

export function readPageHeader(page: Buffer): PageHeader {
  const flags = page.readUInt16LE(18);
  return {
    number: readNumber(page, 0),
    transaction: readNumber(page, 8),
    kind: (kinds as Readonly<Record<number, PageKind>>)[flags],
  };
}

export function overflowPagesIn(page: Buffer): number {
  return page.readUInt32LE(20);
}

/** How many pages a value of its own takes at least; one that became shorter keeps its pages. */
export function overflowPagesFor(valueBytes: number, pageBytes: number): number {
  return Math.floor((pageHeaderBytes - 1 + valueBytes) / pageBytes) + 1;
}

/** The bytes of a node in its page. */
interface Extent {
  readonly start: number;
  readonly end: number;
}

export interface BranchNode extends Extent {
  readonly key: Buffer;
  readonly child: number;
}

/** Where a value is that does not stand in its node. */
export interface OverflowRecord {
  readonly first: number;
  readonly pages: number;
}

export interface LeafNode extends Extent {
  readonly key: Buffer;
  readonly valueBytes: number;
  /** The value itself, unless it stands in pages of its own. */
  readonly value: Buffer | undefined;
  readonly overflow: OverflowRecord | undefined;
  readonly isTree: boolean;
}

/** Thrown by the readers below: what is wrong with a page. */
export class MalformedPage extends Error {}

/** Positions of the nodes of a branch or leaf page, all of them inside of it. */
export function nodeOffsets(page: Buffer): number[] {
  const lower = page.readUInt16LE(20);
  const upper = page.readUInt16LE(22);
  const room = page.length - pageHeaderBytes;
  if (lower % 2 !== 0 || lower > upper || upper > room) {
    throw new MalformedPage("its free room is not within it");
  }
  const offsets: number[] = [];
  for (let at = 0; at < lower; at += 2) {
    const offset = page.readUInt16LE(pageHeaderBytes + at);
    if (offset < upper || offset + nodeHeaderBytes > room) {
      throw new MalformedPage(`its node ${at / 2} is not within it`);
    }
    offsets.push(pageHeaderBytes + offset);
  }
  return offsets;
}

function slice(page: Buffer, start: number, length: number, what: string): Buffer {
  if (start + length > page.length) throw new MalformedPage(`${what} reaches beyond it`);
  return page.subarray(start, start + length);
}

function extentOf(start: number, bytes: number): Extent {
  return { start, end: start + bytes + (bytes % 2) };
}

/**
 * Nodes that overlap what follows, or leave room before it: their lengths are wrong, or their
 * pointers. LMDB believes both, and moves all nodes of a page when it removes one.
 */
export function looseNodes<Node extends Extent>(
  page: Buffer,
  nodes: readonly Node[],
): ReadonlySet<Node> {
  const loose = new Set<Node>();
  let next = page.length;
  for (const node of nodes.toSorted((a, b) => b.start - a.start)) {
    if (node.end !== next) loose.add(node);
    next = node.start;
  }
  return loose;
}

export function readBranchNode(page: Buffer, offset: number): BranchNode {
  const key = slice(page, offset + nodeHeaderBytes, page.readUInt16LE(offset + 6), "a key");
  const extent = extentOf(offset, nodeHeaderBytes + key.length);
  return { key, child: page.readUIntLE(offset, 6), ...extent };
}

export function readLeafNode(page: Buffer, offset: number): LeafNode {
  const keyBytes = page.readUInt16LE(offset + 6);
  const key = slice(page, offset + nodeHeaderBytes, keyBytes, "a key");
  const valueBytes = page.readUInt32LE(offset);
  const flags = page.readUInt16LE(offset + 4);
  if (flags > 2) throw new MalformedPage(`a row has the unknown form ${flags}`);
  const isOutside = flags === 1;
  const start = offset + nodeHeaderBytes + keyBytes;
  const inside = slice(page, start, isOutside ? overflowRecordBytes : valueBytes, "a value");
  return {
    key,
    valueBytes,
    value: isOutside ? undefined : inside,
    overflow: isOutside
      ? { first: readNumber(inside, 0), pages: readNumber(inside, 16) }
      : undefined,
    isTree: flags === 2,
    ...extentOf(offset, nodeHeaderBytes + keyBytes + inside.length),
  };
}
