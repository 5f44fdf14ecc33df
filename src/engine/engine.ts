// Engine: the contract of a local storage engine.
//
// What an engine promises
// 1. `write` runs one synchronous callback against one consistent state. Everything that the
//    callback put or deleted becomes visible at once when it returns, or nothing does when it throws.
// 2. `read` and `write` callbacks never overlap with another write: transactions are serial.
// 3. The result of `write` settles when the write is as durable as the engine's options promise.
//    An engine that has nothing to wait for returns the bare result, so that the path above it
//    stays synchronous and cheap.
// 4. Keys are ordered by the bytes of their UTF-8 form.
//
// What an engine may rely on: callbacks do not await, do not keep views or rows after they have
// returned, and never hand in keys of more than `tableKeyBytesMax` bytes.
// Everything that has meaning (expiry, claims, comparison) stands above, in `operations`.

import type { Random } from "../env/env.js";
import type { ContentSource } from "./content-source.js";
import type { Snapshot, SnapshotOptions } from "./snapshot.js";
import type { Stored } from "./stored.js";
import type { ExpiringTable, TableName } from "./tables.js";

export type Awaitable<Result> = Result | Promise<Result>;

/** The deadline of a row that never expires. */
export const never = Infinity;

/** Owned by the engine and valid until the callback returns; callers do not change it. */
export interface Row {
  readonly value: Stored;
  /** Unix milliseconds, or `never`. A row is gone for every observer once `now >= deadline`. */
  readonly deadline: number;
}

/** Ranks of neighbouring keys, `start` included, `end` excluded. */
export interface RankRange {
  readonly start: number;
  readonly end: number;
}

/** Keys in byte order that know their positions: everything here is O(log n). */
export interface KeyOrder {
  readonly size: number;
  has(key: string): boolean;
  /** How many keys stand before `key`, whether or not it is there. */
  rank(key: string): number;
  select(rank: number): string | undefined;
  /** The ranks of all keys that begin with `prefix`; `""` means every key. */
  prefixRange(prefix: string): RankRange;
  /** The keys with ranks in `[start, end)`: O(log n) plus their number. A fresh array. */
  slice(start: number, end: number): string[];
}

export interface ReadTable extends KeyOrder {
  get(key: string): Row | undefined;
}

export interface Table extends ReadTable {
  /** Inserts or replaces. The engine keeps `value`; the caller no longer changes it. */
  put(key: string, value: Stored, deadline: number): void;
  delete(key: string): boolean;
  /** Empties the table in bounded time. */
  clear(): void;
}

/** The table `items`, whose rows are asked for by list id and index most of the time. */
export interface ReadItems extends ReadTable {
  element(list: number, index: number): Stored | undefined;
}

/** As `put` and `delete` with the key of the element and without a deadline, for less. */
export interface Items extends Table, ReadItems {
  putElement(list: number, index: number, value: Stored): void;
  deleteElement(list: number, index: number): boolean;
}

/** A recomputable set of keys (see `freeIndex`). */
export interface KeyIndex extends KeyOrder {
  add(key: string): void;
  delete(key: string): void;
  clear(): void;
}

export type Tables<T> = { readonly [Name in TableName]: T };

/** What every transaction has beside its tables. */
export interface Moment {
  /** Unix milliseconds, the same during the whole callback. */
  readonly now: number;
  readonly random: Random;
  /** Visits the keys of the rows with `deadline <= now`, in no particular order. O(their number). */
  forEachDue(table: ExpiringTable, visit: (key: string) => void): void;
}

/** One consistent state at one instant. */
export interface View extends Moment, Tables<ReadTable> {
  readonly items: ReadItems;
  readonly free: KeyOrder;
}

/** A view that can be changed. */
export interface Transaction extends Moment, Tables<Table> {
  readonly items: Items;
  readonly free: KeyIndex;
  /** The key of a row of `table` whose deadline has come, or undefined. The row stays until it is deleted. */
  nextDue(table: ExpiringTable): string | undefined;
}

/** What an engine can do, as data: read by the store, the documents and the tests. */
export interface Capabilities {
  /** Who may have the same store open at once. */
  readonly sharing: "thread" | "process" | "machine" | "hosts";
  /**
   * What an acknowledged write survives. "process exit": it reaches the system within milliseconds,
   * so a process that is killed loses no more than its last moments. "server": what the server that
   * keeps the data is set up for.
   */
  readonly durability: "nothing" | "process exit" | "power cut" | "server";
  /** Whether an operation on several keys is applied entirely or not at all. */
  readonly atomicBatches: boolean;
  /**
   * Whether pages, deletions by prefix and random allocations are one step each however many keys
   * they concern. Where many hosts share one thread of a server they go in steps of a bounded number
   * of keys, so that nobody waits long, and others may come between them.
   */
  readonly oneStepAtAnySize: boolean;
  /** Whether a claim guards writes to any key, or only to keys that lie in the same partition. */
  readonly guardsAnyKey: boolean;
  /** Whether a backup is of one instant whatever is written meanwhile. */
  readonly exactSnapshots: boolean;
  /** Whether waiting pops of different processes are served in the order in which they came. */
  readonly waitsInTurn: boolean;
  /** Whether the data may exceed the memory of the process. */
  readonly largerThanMemory: boolean;
}

export interface IndexReport {
  /** Keys in the ordered index. */
  readonly ordered: number;
  /** Keys in the table itself. */
  readonly table: number;
}

export interface DiskReport {
  readonly path: string;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  /** Only of engines that keep a log. */
  readonly log?: LogReport;
}

/** The work of a log since it was opened. Records are numbered from the first one of the store. */
export interface LogReport {
  /** The record appended last, the last one in the file, the last one on the disk. */
  readonly appended: number;
  readonly written: number;
  readonly durable: number;
  readonly segments: number;
  /** Frames and bytes written, the bytes before compression, syncs of the log, segments ended. */
  readonly frames: number;
  readonly bytes: number;
  readonly rawBytes: number;
  readonly syncs: number;
  readonly rotations: number;
  /** States written, and why the last attempt failed, if it did. */
  readonly states: number;
  readonly stateError: string | null;
  /** Size of the last state against its rows uncompressed; null while there is none. */
  readonly compressionRatio: number | null;
  /** What opening found: rows of the state, records replayed, bytes of a torn write cut off. */
  readonly recovered: {
    readonly stateRows: number;
    readonly records: number;
    readonly tornBytes: number;
  };
}

export interface Engine {
  readonly name: string;
  readonly capabilities: Capabilities;
  read<Request, Result>(
    operation: (view: View, request: Request) => Result,
    request: Request,
  ): Awaitable<Result>;
  write<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result>;
  /**
   * As `write`, for what changes nothing that anyone can observe: removing what has expired or
   * cannot be reached any more. It waits for nothing to become durable, and goes on when the engine
   * refuses writes, so that reads which come after it go on as well.
   */
  reap<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result>;
  /**
   * The rows as they are now, to be read while writers go on. O(1).
   *
   * @throws RestoreInProgressError while the content is being replaced, on engines of one process.
   */
  snapshot(options: SnapshotOptions): Snapshot;
  /**
   * Puts the rows of the source in the place of all that is there, runs the operation on them, and
   * settles as `write` does. See content-source.ts.
   *
   * @throws RestoreInProgressError while another one is under way, and what writes throw.
   */
  replace<Request, Result>(
    source: ContentSource,
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Promise<Result>;
  /**
   * The earliest deadline of any row of an expiring table, or `never`. O(1). Where others write to
   * the same tables: as this engine has last seen them.
   */
  earliestDeadline(): number;
  /** Whether `garbage` holds anything, in the same sense. O(1). */
  hasGarbage(): boolean;
  /** How many transactions have been committed so far, by whomever; of engines that others write to. */
  commits?(): number;
  /** Looks anew at what `earliestDeadline` and `hasGarbage` tell. */
  refresh?(): void;
  /** The key index of `values`, or null while none is kept. */
  indexReport(): IndexReport | null;
  /** Recomputes every derived structure from the tables. O(n). */
  rebuildIndexes(): Awaitable<void>;
  diskReport(): Awaitable<DiskReport | null>;
  /** Has `listener` told when the engine begins to refuse writes for good, and why. */
  onFailure?(listener: (failure: Error) => void): void;
  /** Settles everything under way, then releases the files. Idempotent. */
  close(): Promise<void>;
}
