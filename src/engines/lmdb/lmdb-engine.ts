// LMDB engine: tables in one file that any number of threads and processes have open at once.
//
// Reads see a snapshot of the file (see file-access.ts), writes share transactions (see
// write-queue.ts). The order of the keys is counted in the file itself, so that nothing has to be
// read when a store is opened, and nothing is kept in memory.

import { DiskStoreReadError, isKvError, StoreReadOnlyError } from "../../base/errors.js";
import type { ContentSource } from "../../engine/content-source.js";
import {
  type Awaitable,
  type Capabilities,
  type DiskReport,
  type Engine,
  type IndexReport,
  never,
  type Transaction,
  type View,
} from "../../engine/engine.js";
import type { Snapshot, SnapshotOptions } from "../../engine/snapshot.js";
import { tableNames } from "../../engine/tables.js";
import type { Env } from "../../env/env.js";
import type { FileTables } from "./file-tables.js";
import { LmdbSnapshot } from "./lmdb-snapshot.js";
import type { OpenFile } from "./open-file.js";

export interface LmdbEngineParts {
  readonly name: "disk" | "shared";
  readonly capabilities: Capabilities;
  readonly env: Env;
  readonly file: OpenFile;
  readonly path: string;
  readonly readOnly: boolean;
  /** Gives the file back. */
  readonly release: () => Promise<void>;
}

export class LmdbEngine implements Engine {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly #parts: LmdbEngineParts;
  readonly #file: OpenFile;
  #listener: ((failure: Error) => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: LmdbEngineParts) {
    this.name = parts.name;
    this.capabilities = parts.capabilities;
    this.#parts = parts;
    this.#file = parts.file;
    this.refresh();
  }

  read<Request, Result>(
    operation: (view: View, request: Request) => Result,
    request: Request,
  ): Awaitable<Result> {
    const { access, tables } = this.#file;
    access.beginRead();
    try {
      return operation(tables.begin(), request);
    } catch (error) {
      throw this.#readFailure(error);
    }
  }

  #readFailure(error: unknown): unknown {
    // Errors of the file have a number for a code.
    if (isKvError(error) || typeof (error as { code?: unknown }).code !== "number") return error;
    return new DiskStoreReadError(`${this.#parts.path} cannot be read: ${String(error)}`, {
      cause: error,
    });
  }

  write<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result> {
    if (this.#parts.readOnly) {
      throw new StoreReadOnlyError("disk store was opened in read-only mode");
    }
    return this.#file.writes.add(operation, request);
  }

  reap<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result> {
    return this.write(operation, request);
  }

  snapshot({ tables: names }: SnapshotOptions): Snapshot {
    const { access, tables } = this.#file;
    const reader = access.openReader();
    access.beginRead();
    const rows = names.reduce((count, name) => count + tables[name].size, 0);
    const natives = names.map((name) => ({ name, rows: tables[name].native }));
    return new LmdbSnapshot(reader, natives, rows, this.#parts.env.clock.now());
  }

  /** In one write transaction: the thread and all writers of the file wait for its end. */
  async replace<Request, Result>(
    source: ContentSource,
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Promise<Result> {
    return this.write((transaction) => {
      const tables = transaction as FileTables;
      for (const name of tableNames) if (name !== "counters") tables[name].clear();
      tables.free.clear();
      tables.free.forget();
      for (let rows = source.next(); rows !== undefined; rows = source.next()) {
        for (const { table, key, value, deadline } of rows) tables[table].put(key, value, deadline);
      }
      return operation(tables, request);
    }, undefined);
  }

  /** Looks what is due next: other threads and processes write too. */
  refresh(): void {
    const { access, tables } = this.#file;
    access.beginRead();
    tables.lookAhead();
  }

  // Whoever only reads removes nothing, and operations look past what is due.
  earliestDeadline(): number {
    return this.#parts.readOnly ? never : this.#file.tables.earliestDeadline;
  }

  hasGarbage(): boolean {
    return !this.#parts.readOnly && this.#file.tables.hasGarbage;
  }

  indexReport(): IndexReport {
    const { access, tables } = this.#file;
    access.beginRead();
    return { ordered: tables.values.size, table: tables.values.rowCount() };
  }

  rebuildIndexes(): Awaitable<void> {
    if (this.#parts.readOnly) return;
    return this.write((tables) => (tables as FileTables).rebuildIndexes(), undefined);
  }

  /** Builds the index of free keys, if it is not there. */
  async buildIndexes(): Promise<void> {
    await this.write((tables) => {
      const { free } = tables as FileTables;
      if (!free.built) free.build();
    }, undefined);
  }

  /** Removes everything; tokens and ids go on rising. */
  async empty(): Promise<void> {
    await this.write((tables) => {
      for (const name of tableNames) if (name !== "counters") tables[name].clear();
      tables.free.clear();
    }, undefined);
  }

  async diskReport(): Promise<DiskReport> {
    const { env, path, readOnly } = this.#parts;
    const stat = await env.files.stat(path);
    return { path, sizeBytes: stat?.sizeBytes ?? 0, readOnly };
  }

  onFailure(listener: (failure: Error) => void): void {
    this.#listener = listener;
    this.#file.writes.failureListeners.add(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#file.writes.drained();
    if (this.#listener !== undefined) this.#file.writes.failureListeners.delete(this.#listener);
    await this.#parts.release();
  }
}
