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
    return this.#reading((tables) => operation(tables.begin(), request));
  }

  #reading<Result>(read: (tables: FileTables) => Result): Result {
    const { access, tables } = this.#file;
    access.beginRead();
    try {
      return read(tables);
    } catch (error) {
      throw this.#readFailure(error);
    }
  }

  #readFailure(error: unknown): unknown {
    if (isKvError(error)) return error;
    const { path } = this.#parts;
    return new DiskStoreReadError(`${path} cannot be read: ${String(error)}`, {
      cause: error,
      hint: `run \`anykv verify ${path}\` to see whether the file is damaged`,
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
    const reader = this.#file.access.openReader();
    try {
      return this.#reading((tables) => {
        const rows = names.reduce((count, name) => count + tables[name].size, 0);
        const natives = names.map((name) => ({ name, rows: tables[name].native }));
        return new LmdbSnapshot(reader, natives, rows, this.#parts.env.clock.now());
      });
    } catch (error) {
      reader.done();
      throw error;
    }
  }

  /** In one write transaction: the thread and all writers of the file wait for its end. */
  async replace<Request, Result>(
    source: ContentSource,
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Promise<Result> {
    return this.write((transaction) => {
      const tables = transaction as FileTables;
      tables.empty();
      tables.free.forget();
      for (let rows = source.next(); rows !== undefined; rows = source.next()) {
        for (const { table, key, value, deadline } of rows) tables[table].put(key, value, deadline);
      }
      return operation(tables, request);
    }, undefined);
  }

  /** Looks what is due next: other threads and processes write too. */
  refresh(): void {
    this.#reading((tables) => tables.lookAhead());
  }

  // Whoever only reads removes nothing, and operations look past what is due.
  earliestDeadline(): number {
    return this.#parts.readOnly ? never : this.#file.tables.earliestDeadline;
  }

  hasGarbage(): boolean {
    return !this.#parts.readOnly && this.#file.tables.hasGarbage;
  }

  commits(): number {
    return this.#file.commits();
  }

  indexReport(): IndexReport {
    return this.#reading(({ values }) => ({ ordered: values.size, table: values.rowCount() }));
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

  /** Removes everything for `truncate`. */
  async empty(): Promise<void> {
    await this.write((tables) => (tables as FileTables).empty(), undefined);
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
