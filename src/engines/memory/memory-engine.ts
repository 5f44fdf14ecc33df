// Memory engine: the tables in this thread's heap.
//
// JavaScript runs one callback at a time, so a transaction is a plain function call with a journal
// that can take it back. Reads and writes return bare results: there is nothing to wait for.
// While the content is being replaced writes are refused; removing what has expired goes on.

import { RestoreInProgressError } from "../../base/errors.js";
import type { ChangeTarget } from "../../engine/changes.js";
import type { ContentSource } from "../../engine/content-source.js";
import {
  type Awaitable,
  type Capabilities,
  type Engine,
  type IndexReport,
  never,
  type Row,
  type Transaction,
  type View,
} from "../../engine/engine.js";
import type { SnapshotOptions, SnapshotRow } from "../../engine/snapshot.js";
import { type ExpiringTable, freeIndex, type TableName, tableNames } from "../../engine/tables.js";
import type { Env, Random } from "../../env/env.js";
import { ItemTable } from "./item-table.js";
import { Journal } from "./journal.js";
import { MemoryKeyIndex } from "./memory-key-index.js";
import { MemorySnapshot } from "./memory-snapshot.js";
import { MemoryTable } from "./memory-table.js";

class MemoryTransaction implements Transaction {
  readonly values: MemoryTable;
  readonly lists: MemoryTable;
  readonly items: ItemTable;
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
    this.items = new ItemTable(journal);
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
    oneStepAtAnySize: true,
    guardsAnyKey: true,
    exactSnapshots: true,
    waitsInTurn: true,
    largerThanMemory: false,
  };
  readonly #journal = new Journal();
  readonly #transaction: MemoryTransaction;
  readonly #env: Env;
  readonly #options: MemoryEngineOptions;
  #writing = false;
  // Those that are open; what changes while there are any is told to them.
  readonly #snapshots: MemorySnapshot[] = [];
  #isReplacing = false;
  /** Told of every transaction before it is committed; what it throws takes the transaction back. */
  onCommit: ((journal: Journal) => void) | undefined;

  constructor(env: Env, options: MemoryEngineOptions) {
    this.#env = env;
    this.#options = options;
    this.#transaction = new MemoryTransaction(this.#journal, env, options.trackKeys);
  }

  read<Request, Result>(
    operation: (view: View, request: Request) => Result,
    request: Request,
  ): Awaitable<Result> {
    return operation(this.#transaction.begin(), request);
  }

  /** @throws RestoreInProgressError while the content is being replaced. */
  write<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result> {
    if (this.#isReplacing) throw restoring();
    return this.reap(operation, request);
  }

  reap<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result> {
    if (this.#writing) throw new Error("a write inside a write: transactions do not nest");
    this.#writing = true;
    try {
      const result = operation(this.#transaction.begin(), request);
      this.onCommit?.(this.#journal);
      if (this.#snapshots.length > 0) this.#tellSnapshots(true);
      this.#journal.commit();
      return result;
    } catch (error) {
      if (this.#snapshots.length > 0) this.#tellSnapshots(false);
      this.#journal.rollback();
      throw error;
    } finally {
      this.#writing = false;
    }
  }

  #tellSnapshots(committed: boolean): void {
    for (const snapshot of this.#snapshots) snapshot.keep(this.#journal, committed);
  }

  snapshot(options: SnapshotOptions): MemorySnapshot {
    if (this.#isReplacing) throw restoring();
    const tables = options.tables.map((name) => this.#tables[name]);
    const snapshot = new MemorySnapshot(tables, this.#env.clock.now(), options, () => {
      const at = this.#snapshots.indexOf(snapshot);
      if (at >= 0) this.#snapshots.splice(at, 1);
    });
    this.#snapshots.push(snapshot);
    return snapshot;
  }

  /**
   * `secure` is given the new content when it is complete; what it resolves with is called when that
   * has taken its place, before anything else happens.
   */
  async replace<Request, Result>(
    source: ContentSource,
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
    secure?: (content: MemoryEngine) => Promise<() => void>,
  ): Promise<Result> {
    if (this.#isReplacing) throw restoring();
    this.#isReplacing = true;
    try {
      const content = new MemoryEngine(this.#env, this.#options);
      for (let rows = source.next(); rows !== undefined; rows = source.next()) {
        content.#take(rows);
        await source.pause();
      }
      for (const [name, { value, deadline }] of this.#tables.counters.rows()) {
        content.#tables.counters.restore(name, value, deadline);
      }
      const result = (await content.write(operation, request)) as Result;
      const adopted = await secure?.(content);
      this.#adopt(content);
      adopted?.();
      return result;
    } finally {
      this.#isReplacing = false;
    }
  }

  #take(rows: readonly SnapshotRow[]): void {
    for (const { table, key, value, deadline } of rows) {
      this.#tables[table].restore(key, value, deadline);
    }
  }

  // Open snapshots go on with the former content, which nobody changes any more.
  #adopt(content: MemoryEngine): void {
    for (const snapshot of this.#snapshots) snapshot.detach();
    const [mine, others] = [this.#tables, content.#tables];
    for (const name of tableNames) {
      if (name === "items") mine.items.adopt(others.items);
      else mine[name].adopt(others[name]);
    }
    this.#transaction.free.forget();
  }

  get #tables(): MemoryTransaction {
    return this.#transaction;
  }

  rowCount(table: TableName): number {
    return this.#tables[table].size;
  }

  /** Every row that is there now and does not go meanwhile; see the tables. */
  rows(table: TableName): IterableIterator<[string, Row]> {
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

function restoring(): RestoreInProgressError {
  return new RestoreInProgressError("a restore is replacing the data", {
    hint: "wait until it has settled and call again",
  });
}
