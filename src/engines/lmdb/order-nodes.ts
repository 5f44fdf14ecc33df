// Order nodes in the file: read when needed, kept while they are current, written back together.
//
// A kept node is current exactly when the file, in the state that is being read, has its version:
// versions are the numbers of write transactions, of which no two that succeed are the same.
// Whoever changes a node says so with `touch`; `flush` writes all changed nodes before the
// transaction ends. After a transaction that was given up, `forget` everything.

import type { FileAccess } from "./file-access.js";
import type { NativeTable } from "./lmdb-module.js";
import {
  decodeNode,
  encodeNode,
  newNode,
  newRoot,
  type OrderNode,
  orderNodeKey,
  rootId,
  versionOf,
} from "./order-node.js";

// What a process keeps at most per table: some 10 MB.
const nodesKeptMax = 4_096;

export class OrderNodes {
  readonly #file: NativeTable<Uint8Array>;
  readonly #access: FileAccess;
  readonly #tag: number;
  readonly #kept = new Map<number, OrderNode>();
  readonly #changed = new Set<OrderNode>();

  constructor(file: NativeTable<Uint8Array>, access: FileAccess, tag: number) {
    this.#file = file;
    this.#access = access;
    this.#tag = tag;
  }

  #keyOf(id: number): Uint8Array {
    return orderNodeKey(this.#tag, id);
  }

  get root(): OrderNode {
    return this.load(rootId);
  }

  load(id: number): OrderNode {
    const kept = this.#kept.get(id);
    if (kept !== undefined && this.#isCurrent(kept)) return kept;
    const bytes = this.#file.getBinaryFast(this.#keyOf(id));
    if (bytes === undefined) return this.#missing(id);
    if (kept !== undefined && kept.version === versionOf(bytes)) {
      this.#access.confirm(kept);
      return kept;
    }
    const node = decodeNode(id, bytes);
    this.#keep(node);
    return node;
  }

  #isCurrent(node: OrderNode): boolean {
    return this.#changed.has(node) || this.#access.isConfirmed(node);
  }

  #keep(node: OrderNode): void {
    if (this.#kept.size >= nodesKeptMax && this.#changed.size === 0) this.#kept.clear();
    this.#kept.set(node.id, node);
    this.#access.confirm(node);
  }

  // Only the root may be missing: that is what an empty table looks like.
  #missing(id: number): OrderNode {
    if (id !== rootId) throw new Error(`the order has no node ${id}`);
    const root = newRoot();
    this.#keep(root);
    return root;
  }

  create(level: number): OrderNode {
    const { root } = this;
    const node = newNode(root.nextId++, level);
    this.touch(root);
    this.#keep(node);
    this.touch(node);
    return node;
  }

  touch(node: OrderNode): void {
    this.#changed.add(node);
  }

  remove(node: OrderNode): void {
    this.#changed.delete(node);
    this.#kept.delete(node.id);
    this.#file.removeSync(this.#keyOf(node.id));
  }

  /** Removes every node. O(nodes). */
  clear(): void {
    this.forget();
    const range = { start: Uint8Array.of(this.#tag), end: Uint8Array.of(this.#tag + 1) };
    for (const key of [...this.#file.getKeys(range)]) this.#file.removeSync(key);
  }

  flush(version: number): void {
    for (const node of this.#changed) {
      node.version = version;
      this.#file.putSync(this.#keyOf(node.id), encodeNode(node));
    }
    this.#changed.clear();
  }

  forget(): void {
    this.#changed.clear();
    this.#kept.clear();
  }
}
