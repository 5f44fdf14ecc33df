// Row table: the rows of one table in the file, their counted order, and the queue of deadlines.
//
// Invariants
// 1. The order counts exactly the keys of the rows.
// 2. `deadlines` has a key for a row if and only if its deadline is not `never`: the deadline as
//    8 bytes, big-endian, so that the file sorts by it, then the row's key.
// 3. Every change is journalled before it is made.

import { isUtf8 } from "node:buffer";
import { never, type RankRange, type Row, type Table } from "../../engine/engine.js";
import type { Stored } from "../../engine/stored.js";
import type { Journal } from "./journal.js";
import type { NativeTable } from "./lmdb-module.js";
import type { OrderTree } from "./order-tree.js";
import { decodeBytes, decodeStrictly, decodeText, encodeRow, isTextRow } from "./row-format.js";

const deadlineBytes = 8;
/** Keys that are held at once while a whole table is walked. */
const pageKeys = 1_000;

export function deadlineKey(deadline: number, key: string): Buffer {
  const bytes = Buffer.allocUnsafe(deadlineBytes + Buffer.byteLength(key));
  bytes.writeBigUInt64BE(BigInt(deadline));
  bytes.write(key, deadlineBytes, "utf8");
  return bytes;
}

function deadlineOf(key: Uint8Array): number {
  return Number(Buffer.from(key.buffer, key.byteOffset, deadlineBytes).readBigUInt64BE());
}

function keyOf(deadline: Uint8Array): string {
  return Buffer.from(deadline.buffer, deadline.byteOffset, deadline.length).toString(
    "utf8",
    deadlineBytes,
  );
}

function* allKeys<Key extends string | Uint8Array>(table: NativeTable<Key>): Generator<Key> {
  let page = Array.from(table.getKeys({ start: undefined, limit: pageKeys }));
  while (page.length > 0) {
    yield* page;
    const start = page.at(-1);
    page = Array.from(table.getKeys({ start, limit: pageKeys + 1 })).slice(1);
  }
}

export interface RowTableParts {
  readonly rows: NativeTable;
  readonly order: OrderTree;
  /** Undefined for a table whose rows never expire. */
  readonly deadlines: NativeTable<Uint8Array> | undefined;
  readonly journal: Journal;
  /** Whether somebody waits for any row of this table. */
  readonly watched: boolean;
}

export class RowTable implements Table {
  readonly #rows: NativeTable;
  readonly #order: OrderTree;
  readonly #deadlines: NativeTable<Uint8Array> | undefined;
  readonly #journal: Journal;
  readonly #watched: boolean;
  // The row found last by a write transaction: operations look a row up before they put it.
  #foundKey = "";
  #found: Row | undefined;

  constructor({ rows, order, deadlines, journal, watched }: RowTableParts) {
    this.#rows = rows;
    this.#order = order;
    this.#deadlines = deadlines;
    this.#journal = journal;
    this.#watched = watched;
  }

  get size(): number {
    return this.#order.size;
  }

  /** The rows as they lie in the file, for whoever reads all of them. */
  get native(): NativeTable {
    return this.#rows;
  }

  get(key: string): Row | undefined {
    const row = this.#read(key);
    this.#foundKey = key;
    this.#found = row;
    return row;
  }

  // No table has the key "", which the file would refuse.
  #read(key: string): Row | undefined {
    if (key === "") return undefined;
    const row = this.#rows.getString(key);
    if (row === undefined) return undefined;
    if (isTextRow(row)) return decodeText(row);
    const bytes = this.#rows.getBinary(key);
    return bytes === undefined ? undefined : decodeBytes(bytes);
  }

  has(key: string): boolean {
    return key !== "" && this.#rows.getBinaryFast(key) !== undefined;
  }

  /** What was found last is no longer known to be so: another state of the file is read. */
  forgetFound(): void {
    this.#foundKey = "";
    this.#found = undefined;
  }

  put(key: string, value: Stored, deadline: number): void {
    const row = this.#foundKey === key ? this.#found : this.#read(key);
    this.#journal.record(this, key, row);
    this.#rows.putSync(key, encodeRow(value, deadline));
    if (row === undefined) this.#order.add(key);
    this.#schedule(key, row === undefined ? never : row.deadline, deadline);
    this.#foundKey = key;
    this.#found = { value, deadline };
  }

  delete(key: string): boolean {
    const row = this.#foundKey === key ? this.#found : this.#read(key);
    if (row === undefined) return false;
    this.#journal.record(this, key, row);
    this.#rows.removeSync(key);
    this.#order.remove(key);
    this.#schedule(key, row.deadline, never);
    this.#foundKey = key;
    this.#found = undefined;
    return true;
  }

  #schedule(key: string, before: number, after: number): void {
    const deadlines = this.#deadlines;
    if (this.#watched) this.#journal.watchedChanged = true;
    if (before === after || deadlines === undefined) return;
    this.#journal.watchedChanged = true;
    if (before !== never) deadlines.removeSync(deadlineKey(before, key));
    if (after !== never) deadlines.putSync(deadlineKey(after, key), "");
  }

  clear(): void {
    this.#journal.requireChild();
    this.#journal.watchedChanged = true;
    this.#rows.clearSync();
    this.#order.clear();
    this.#deadlines?.clearSync();
    this.forgetFound();
  }

  /** Rows that the file says it has, for comparison with `size`. O(1). */
  rowCount(): number {
    return this.#rows.getStats().entryCount;
  }

  rank(key: string): number {
    return this.#order.rank(key);
  }

  select(rank: number): string | undefined {
    return this.#order.select(rank);
  }

  prefixRange(prefix: string): RankRange {
    return this.#order.prefixRange(prefix);
  }

  slice(start: number, end: number): string[] {
    return this.#order.slice(start, end);
  }

  /** The earliest deadline of all rows, or `never`. */
  earliestDeadline(): number {
    const first = this.#firstDeadline();
    return first === undefined ? never : deadlineOf(first);
  }

  nextDue(now: number): string | undefined {
    const first = this.#firstDeadline();
    return first !== undefined && deadlineOf(first) <= now ? keyOf(first) : undefined;
  }

  #firstDeadline(): Uint8Array | undefined {
    for (const key of this.#deadlines?.getKeys({ start: undefined, limit: 1 }) ?? []) return key;
    return undefined;
  }

  forEachDue(now: number, visit: (key: string) => void): void {
    const end = deadlineKey(now + 1, "");
    for (const key of this.#deadlines?.getKeys({ start: undefined, end }) ?? []) visit(keyOf(key));
  }

  /** Every key, in order; the table is not changed meanwhile. */
  keys(): IterableIterator<string> {
    return allKeys(this.#rows);
  }

  /**
   * Computes order and deadlines anew from the rows, and drops what is no row. O(n). Only in a
   * transaction of its own. `raw` are the same rows by the bytes of their keys.
   * @returns how many rows it dropped
   */
  mend(raw: NativeTable<Uint8Array>): number {
    this.#journal.requireChild();
    this.forgetFound();
    this.#deadlines?.clearSync();
    const dropped: Buffer[] = [];
    for (const key of allKeys(raw)) {
      const bytes = raw.getBinary(key);
      const row = bytes === undefined ? undefined : decodeStrictly(bytes);
      if (row === undefined || !isUtf8(key)) dropped.push(Buffer.from(key));
      else this.#schedule(Buffer.from(key).toString("utf8"), never, row.deadline);
    }
    for (const key of dropped) raw.removeSync(key);
    this.rebuildOrder();
    return dropped.length;
  }

  /** Counts the keys anew. O(n). */
  rebuildOrder(): void {
    this.#order.clear();
    for (const key of this.keys()) this.#order.add(key);
  }
}
