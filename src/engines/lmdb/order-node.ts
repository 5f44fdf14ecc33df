// Order nodes: the pieces of a counted order, as they are kept in memory and in the file.
//
// A node of level 0 divides its part of a table into ranges of neighbouring keys and knows how many
// keys each range holds; a node of a higher level does the same with nodes of the level below.
// Entry `i` begins at the separator `keys[i]`, which need not be a key of the table; the first
// separator is never looked at, because an entry of the node above says where a node begins.
//
//   bytes  0-7   version: the write transaction that wrote the node (float64, big-endian)
//          8     level
//          9-10  number of entries
//         11-14  root only: the next number for a new node
//         15-    entries: number of the child (u32; level 0: 0), keys in it (u48), length of the
//                separator (u16), separator in UTF-8

export interface OrderNode {
  readonly id: number;
  level: number;
  version: number;
  /** Root only. */
  nextId: number;
  readonly keys: string[];
  readonly counts: number[];
  readonly children: number[];
}

/** Nodes of a tree are numbered; the root keeps its number for life. */
export const rootId = 0;

const nodeKeyBytes = 5;

/** The key of a node in the file: the tag of its table, then its number. */
export function orderNodeKey(tag: number, id: number): Uint8Array {
  const key = Buffer.allocUnsafe(nodeKeyBytes);
  key[0] = tag;
  key.writeUInt32BE(id, 1);
  return key;
}

const versionOffset = 0;
const levelOffset = 8;
const entriesOffset = 9;
const nextIdOffset = 11;
const headerBytes = 15;
const entryBytes = 12;

export function newNode(id: number, level: number): OrderNode {
  return { id, level, version: 0, nextId: 1, keys: [], counts: [], children: [] };
}

/** The root of an empty table: one range over every key that will come. */
export function newRoot(): OrderNode {
  const root = newNode(rootId, 0);
  insertEntry(root, 0, "", 0, 0);
  return root;
}

export function insertEntry(
  node: OrderNode,
  at: number,
  key: string,
  count: number,
  child: number,
): void {
  node.keys.splice(at, 0, key);
  node.counts.splice(at, 0, count);
  node.children.splice(at, 0, child);
}

export function removeEntry(node: OrderNode, at: number): void {
  node.keys.splice(at, 1);
  node.counts.splice(at, 1);
  node.children.splice(at, 1);
}

/** Moves the entries of `node` from `at` on to `target`, which is empty. */
export function moveEntries(node: OrderNode, at: number, target: OrderNode): void {
  target.keys.push(...node.keys.splice(at));
  target.counts.push(...node.counts.splice(at));
  target.children.push(...node.children.splice(at));
}

export function totalOf(node: OrderNode): number {
  let total = 0;
  for (const count of node.counts) total += count;
  return total;
}

export function encodeNode(node: OrderNode): Buffer {
  const lengths = node.keys.map((key) => Buffer.byteLength(key));
  const size = lengths.reduce((sum, length) => sum + entryBytes + length, headerBytes);
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeDoubleBE(node.version, versionOffset);
  bytes[levelOffset] = node.level;
  bytes.writeUInt16BE(node.keys.length, entriesOffset);
  bytes.writeUInt32BE(node.nextId, nextIdOffset);
  let offset = headerBytes;
  node.keys.forEach((key, index) => {
    const length = lengths[index] ?? 0;
    bytes.writeUInt32BE(node.children[index] ?? 0, offset);
    bytes.writeUIntBE(node.counts[index] ?? 0, offset + 4, 6);
    bytes.writeUInt16BE(length, offset + 10);
    bytes.write(key, offset + entryBytes, "utf8");
    offset += entryBytes + length;
  });
  return bytes;
}

export function versionOf(bytes: Buffer): number {
  return bytes.readDoubleBE(versionOffset);
}

export function decodeNode(id: number, bytes: Buffer): OrderNode {
  const node = newNode(id, bytes[levelOffset] ?? 0);
  node.version = versionOf(bytes);
  node.nextId = bytes.readUInt32BE(nextIdOffset);
  let offset = headerBytes;
  for (let left = bytes.readUInt16BE(entriesOffset); left > 0; left--) {
    const length = bytes.readUInt16BE(offset + 10);
    node.children.push(bytes.readUInt32BE(offset));
    node.counts.push(bytes.readUIntBE(offset + 4, 6));
    node.keys.push(bytes.toString("utf8", offset + entryBytes, offset + entryBytes + length));
    offset += entryBytes + length;
  }
  return node;
}
