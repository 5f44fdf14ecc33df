// Restore: a backup, or the file of a `disk` store, in the place of everything that a store holds.
//
// The file is read and checked as a whole while the new content is put together beside the present
// one; then the store changes over at once. Whatever is wrong before that leaves data and claims as
// they are.

import {
  isKvError,
  type KvError,
  SnapshotBudgetExceededError,
  SnapshotIOError,
  SnapshotNotFoundError,
  SnapshotPermissionError,
  SnapshotReadError,
} from "../base/errors.js";
import { type Engine, never } from "../engine/engine.js";
import type { Snapshot, SnapshotRow } from "../engine/snapshot.js";
import type { Env } from "../env/env.js";
import type { CountedSource } from "../store/store.js";
import { type Copying, type CopyProgress, closing, stepRows } from "./backup.js";
import { CarriedRows, carriedTables, RowTally } from "./carried-rows.js";
import { Pace } from "./pace.js";
import { checkCanceled, messageOf } from "./transfer.js";

export interface RestoreRequest {
  /** Absolute. */
  readonly source: string;
  /** 0: no bound. */
  readonly maxEntries: number;
  /** Of keys, values, elements and items; 0: no bound. */
  readonly maxBytes: number;
}

export interface RestoreSummary {
  totalEntries: number;
}

/**
 * @throws SnapshotNotFoundError, SnapshotPermissionError, SnapshotIOError, SnapshotReadError,
 * SnapshotBudgetExceededError, RestoreInProgressError, OperationCanceledError,
 * BackendUnavailableError, and what writes of the store throw.
 */
export async function restore(copying: Copying, request: RestoreRequest): Promise<RestoreSummary> {
  checkCanceled(copying);
  await requireFile(copying.env, request.source);
  const engine = await openSource(copying, request.source);
  return closing(engine, () => restoreFrom(copying, request, engine));
}

async function restoreFrom(
  copying: Copying,
  request: RestoreRequest,
  engine: Engine,
): Promise<RestoreSummary> {
  const snapshot = read(request.source, () =>
    engine.snapshot({ tables: carriedTables, bestEffort: false }),
  );
  try {
    const content = new SnapshotContent(copying, request, snapshot);
    await copying.store.replace(content);
    return { totalEntries: content.entries };
  } finally {
    snapshot.close();
  }
}

/** The rows of a file on their way into a store, checked as they pass. */
class SnapshotContent implements CountedSource {
  readonly counters: SnapshotRow[] = [];
  readonly #request: RestoreRequest;
  readonly #snapshot: Snapshot;
  readonly #carried: CarriedRows;
  readonly #totalRows: number;
  readonly #tally = new RowTally();
  readonly #pace: Pace<CopyProgress>;
  #bytes = 0;

  constructor(copying: Copying, request: RestoreRequest, snapshot: Snapshot) {
    this.#request = request;
    this.#snapshot = snapshot;
    this.#carried = new CarriedRows(snapshot.takenAt);
    this.#totalRows = snapshot.rows;
    this.#pace = new Pace(copying.env, copying);
  }

  get entries(): number {
    return this.#tally.entries;
  }

  next(): SnapshotRow[] | undefined {
    const { source } = this.#request;
    const given = read(source, () => this.#snapshot.next(stepRows));
    if (given === undefined) {
      this.#end();
      return undefined;
    }
    const rows = this.#carried.of(given);
    for (const row of rows) {
      this.#tally.add(row);
      this.#charge(row);
      if (row.table === "counters") this.counters.push(row);
    }
    return rows.filter(({ table }) => table !== "counters");
  }

  pause(): Promise<void> {
    const { rows } = this.#tally;
    return this.#pace.step({ phase: "copy", rows, totalRows: this.#totalRows });
  }

  #end(): void {
    const { rows, isWhole, highestList } = this.#tally;
    if (!isWhole) {
      throw new SnapshotReadError(
        `${this.#request.source} is damaged: arrays and their elements do not match`,
      );
    }
    // Files of the first versions lack the counter of arrays, and the next array would be one of these.
    if (highestList > 0) this.counters.push(listCounter(highestList));
    this.#pace.tell({ phase: "copy", rows, totalRows: rows });
    this.#pace.check();
  }

  #charge(row: SnapshotRow): void {
    const { source, maxEntries, maxBytes } = this.#request;
    if (maxEntries > 0 && this.#tally.entries > maxEntries) {
      throw exceeded(source, `more than ${maxEntries} entries (maxEntries, MaxEntries)`);
    }
    if (maxBytes === 0) return;
    this.#bytes += bytesOf(row);
    if (this.#bytes > maxBytes) {
      throw exceeded(source, `more than ${maxBytes} bytes (maxBytes, MaxBytes)`);
    }
  }
}

function listCounter(highest: number): SnapshotRow {
  return { table: "counters", key: "list", value: `${highest}`, deadline: never, again: false };
}

function exceeded(source: string, what: string): SnapshotBudgetExceededError {
  return new SnapshotBudgetExceededError(`${source} holds ${what}; nothing was changed`);
}

/** Of what users put in: keys of values and arrays, values, elements, items of filters. */
function bytesOf({ table, key, value }: SnapshotRow): number {
  if (table === "counters") return 0;
  const keyBytes = table === "items" ? 0 : Buffer.byteLength(key);
  if (table === "lists") return keyBytes;
  return keyBytes + (typeof value === "string" ? Buffer.byteLength(value) : value.length);
}

async function requireFile({ files }: Env, source: string): Promise<void> {
  try {
    const found = await files.stat(source);
    if (found === undefined) {
      throw new SnapshotNotFoundError(`the snapshot ${source} does not exist`, {
        hint: "`fileName` is relative to the working directory of the process",
      });
    }
    if (found.kind !== "file") throw new SnapshotIOError(`${source} is not a file`);
    await (await files.open(source, "read")).close();
  } catch (cause) {
    if (isKvError(cause)) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") {
      throw new SnapshotPermissionError(`the snapshot ${source} may not be read`, { cause });
    }
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new SnapshotNotFoundError(`the snapshot ${source} does not exist`, { cause });
    }
    throw new SnapshotIOError(`the snapshot ${source} cannot be opened: ${cause}`, { cause });
  }
}

async function openSource({ env, files }: Copying, source: string): Promise<Engine> {
  try {
    return await files.open(env, source);
  } catch (cause) {
    if (!isKvError(cause) || cause.name !== "BackendUnavailableError") {
      throw sourceError(source, cause);
    }
    throw cause;
  }
}

function sourceError(source: string, cause: unknown): KvError {
  const message = messageOf(cause);
  if (isKvError(cause) && cause.name === "BucketNotFoundError") {
    return new SnapshotReadError(`${source} holds no store: ${message}`, { cause });
  }
  return new SnapshotIOError(`${source} is not a snapshot, or is damaged: ${message}`, { cause });
}

function read<Result>(source: string, step: () => Result): Result {
  try {
    return step();
  } catch (cause) {
    if (isKvError(cause) && cause.name !== "DiskStoreReadError") throw cause;
    const message = messageOf(cause);
    throw new SnapshotReadError(`${source} cannot be read: ${message}`, { cause });
  }
}
