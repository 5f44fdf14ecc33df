// Memory engine: the tables in this thread's heap.
//
// JavaScript runs one callback at a time, so a transaction is a plain function call with a journal
// that can take it back. Reads and writes return bare results: there is nothing to wait for.

import type { ChangeTarget } from "../../engine/changes.js";
import {
  type Awaitable,
  type Capabilities,
  type Engine,
  type IndexReport,
  never,
  type Row,
  type Tables,
  type Transaction,
  type View,
} from "../../engine/engine.js";
import { type ExpiringTable, freeIndex, type TableName } from "../../engine/tables.js";
import type { Env, Random } from "../../env/env.js";
import { Journal } from "./journal.js";
import { MemoryKeyIndex } from "./memory-key-index.js";
import { MemoryTable } from "./memory-table.js";

class MemoryTransaction implements Transaction {
  readonly values: MemoryTable;
  readonly lists: MemoryTable;
  readonly items: MemoryTable;
  readonly claims: MemoryTable;
  readonly members: MemoryTable;
  readonly counters: MemoryTable;
  readonly garbage: MemoryTable;
  readonly free: MemoryKeyIndex;
  readonly random: Random;
  readonly #clock: Env["clock"];
  #now = 0;

  constructor(journal: Journal, env: Env, trackKeys: boolean) {
    this.values = new MemoryTable("values", journal, trackKeys);
    this.lists = new MemoryTable("lists", journal, false);
    this.items = new MemoryTable("items", journal, false);
    this.claims = new MemoryTable("claims", journal, false);
    this.members = new MemoryTable("members", journal, false);
    this.counters = new MemoryTable("counters", journal, false);
    this.garbage = new MemoryTable("garbage", journal, false);
    const { values, claims } = this;
    const tables = { values, claims };
    this.free = new MemoryKeyIndex(journal, tables[freeIndex.source], tables[freeIndex.without]);
    this.random = env.random;
    this.#clock = env.clock;
  }

  // Read at most once per transaction, and not at all by operations that meet no deadline.
  get now(): number {
    if (this.#now === 0) this.#now = this.#clock.now();
    return this.#now;
  }

  begin(): this {
    this.#now = 0;
    return this;
  }

  forEachDue(table: ExpiringTable, visit: (key: string) => void): void {
    this[table].forEachDue(this.now, visit);
  }

  nextDue(table: ExpiringTable): string | undefined {
    return this[table].nextDue(this.now);
  }
}

export interface MemoryEngineOptions {
  /** Build the ordered index of the values at once instead of when it is first asked for. */
  readonly trackKeys: boolean;
}

export class MemoryEngine implements Engine {
  readonly name = "memory";
  readonly capabilities: Capabilities = {
    sharing: "thread",
    durability: "nothing",
    atomicBatches: true,
    largerThanMemory: false,
  };
  readonly #journal = new Journal();
  readonly #transaction: MemoryTransaction;
  #writing = false;
  /** Told of every transaction before it is committed; what it throws takes the transaction back. */
  onCommit: ((journal: Journal) => void) | undefined;

  constructor(env: Env, options: MemoryEngineOptions) {
    this.#transaction = new MemoryTransaction(this.#journal, env, options.trackKeys);
  }

  read<Request, Result>(
    operation: (view: View, request: Request) => Result,
    request: Request,
  ): Awaitable<Result> {
    return operation(this.#transaction.begin(), request);
  }

  write<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result> {
    if (this.#writing) throw new Error("a write inside a write: transactions do not nest");
    this.#writing = true;
    try {
      const result = operation(this.#transaction.begin(), request);
      this.onCommit?.(this.#journal);
      this.#journal.commit();
      return result;
    } catch (error) {
      this.#journal.rollback();
      throw error;
    } finally {
      this.#writing = false;
    }
  }

  reap<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result> {
    return this.write(operation, request);
  }

  get #tables(): Tables<MemoryTable> {
    return this.#transaction;
  }

  rowCount(table: TableName): number {
    return this.#tables[table].size;
  }

  restoredRows(table: TableName): number {
    return this.#tables[table].restored;
  }

  rows(table: TableName): Iterator<[string, Row]> {
    return this.#tables[table].rows();
  }

  /** Takes changes straight into the tables, for an engine that brings them back from files. */
  loader(): ChangeTarget {
    const tables = this.#tables;
    return {
      put: (table, key, value, deadline) => tables[table].restore(key, value, deadline),
      delete: (table, key) => tables[table].restore(key, undefined, never),
      clear: (table) => tables[table].reset(),
    };
  }

  earliestDeadline(): number {
    const { values, claims, lists, members } = this.#transaction;
    const first = values.earliestDeadline;
    return claims.size + lists.size + members.size === 0
      ? first
      : Math.min(first, claims.earliestDeadline, lists.earliestDeadline, members.earliestDeadline);
  }

  hasGarbage(): boolean {
    return this.#transaction.garbage.size > 0;
  }

  indexReport(): IndexReport | null {
    const ordered = this.#transaction.values.indexSize;
    return ordered === null ? null : { ordered, table: this.#transaction.values.size };
  }

  rebuildIndexes(): void {
    this.#transaction.values.rebuildIndex();
    this.#transaction.free.forget();
  }

  diskReport(): null {
    return null;
  }

  async close(): Promise<void> {
    // Nothing is under way between calls, and there is nothing outside the heap to release.
  }
}
