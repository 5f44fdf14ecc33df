// WAL engine: the memory engine, and a log that makes it come back.
//
//   write --> memory --> log buffer --> file --> disk
//                 visible   |              |        |
//              syncWrites: false: settled  |     true: settled
//
// With `syncWrites: false` a write settles when it is visible and in the log's buffer; the buffer
// reaches the file within milliseconds (a killed process loses no more), the disk within the flush
// interval (a power cut loses no more). With `syncWrites: true` it settles after the sync that
// covers it, one for all that came meanwhile. Either way a transaction comes back entirely or not
// at all, in the order in which it was applied.

import { randomBytes } from "node:crypto";
import {
  DiskStoreSizeError,
  DiskStoreWriteError,
  isKvError,
  type KvError,
} from "../../base/errors.js";
import type { ContentSource } from "../../engine/content-source.js";
import type {
  Awaitable,
  Capabilities,
  DiskReport,
  Engine,
  IndexReport,
  LogReport,
  Transaction,
  View,
} from "../../engine/engine.js";
import { type LogObserver, silentObserver } from "../../engine/log-events.js";
import type { Snapshot, SnapshotOptions } from "../../engine/snapshot.js";
import type { Env } from "../../env/env.js";
import { MemoryEngine } from "../memory/memory-engine.js";
import { DirectoryLock } from "./directory-lock.js";
import { storeIdBytes } from "./file-header.js";
import { LogWriter } from "./log-writer.js";
import { makeDirectories } from "./make-directories.js";
import { openError, pathError } from "./open-errors.js";
import {
  type Directories,
  directoriesIn,
  type Recovery,
  type RecoveryReport,
  recover,
} from "./recovery.js";
import { Snapshots } from "./snapshots.js";

export interface WalOptions {
  readonly path: string;
  readonly trackKeys: boolean;
  readonly syncWrites: boolean;
  readonly flushIntervalMs: number;
  readonly segmentBytesMax: number;
  /** Frames of the log are compressed from this size on, if that pays. */
  readonly packedBytesMin: number;
  /** Write a new state when the log has grown by this much since the last one. */
  readonly snapshotBytesMin: number;
  /** Told of everything the log does, from the opening on. */
  readonly observer?: LogObserver;
}

export class WalEngine implements Engine {
  readonly name = "wal";
  readonly capabilities: Capabilities;
  readonly recovered: RecoveryReport;
  readonly #path: string;
  readonly #memory: MemoryEngine;
  readonly #log: LogWriter;
  readonly #snapshots: Snapshots;
  readonly #lock: DirectoryLock;
  #wait: Promise<void> | undefined;
  // Whether the files are getting another content, after which nothing of this one may be logged.
  #isReplacing = false;
  #closed: Promise<void> | undefined;

  private constructor(
    options: WalOptions,
    memory: MemoryEngine,
    log: LogWriter,
    snapshots: Snapshots,
    lock: DirectoryLock,
    recovered: RecoveryReport,
  ) {
    this.#path = options.path;
    this.#memory = memory;
    this.#log = log;
    this.#snapshots = snapshots;
    this.#lock = lock;
    this.recovered = recovered;
    this.capabilities = {
      sharing: "process",
      durability: options.syncWrites ? "power cut" : "process exit",
      atomicBatches: true,
      oneStepAtAnySize: true,
      guardsAnyKey: true,
      exactSnapshots: true,
      waitsInTurn: true,
      largerThanMemory: false,
    };
    memory.onCommit = (journal) => {
      // A log that has failed keeps its end; only `reap` comes here then, and while it is replaced.
      // What has expired has expired for whoever reads the former log as well.
      if (log.failure !== undefined || this.#isReplacing) return;
      this.#wait = log.append(journal);
      snapshots.watch();
    };
  }

  static async open(env: Env, options: WalOptions): Promise<WalEngine> {
    const directories = directoriesIn(options.path);
    const lock = await takeDirectory(env, options.path);
    try {
      const memory = new MemoryEngine(env, { trackKeys: options.trackKeys });
      const found = await recoverObserved(env, directories, memory, options.observer);
      const store = found.store ?? randomBytes(storeIdBytes);
      const position = { segment: found.segment, next: found.next, store };
      const log = await LogWriter.open(env, directories.log, options, position);
      const { logBytes, state } = found;
      const snapshotOptions = { ...options, logBytes, state };
      const snapshots = new Snapshots(env, directories, memory, log, store, snapshotOptions);
      return new WalEngine(options, memory, log, snapshots, lock, found.report);
    } catch (error) {
      await lock.release().catch(() => {});
      throw openError(options.path, error);
    }
  }

  read<Request, Result>(
    operation: (view: View, request: Request) => Result,
    request: Request,
  ): Awaitable<Result> {
    return this.#memory.read(operation, request);
  }

  write<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result> {
    this.#log.assertWritable();
    this.#wait = undefined;
    const result = this.#memory.write(operation, request);
    const wait = this.#wait ?? this.#log.pending;
    return wait === undefined ? result : this.#settle(wait, result);
  }

  reap<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result> {
    return this.#memory.reap(operation, request);
  }

  snapshot(options: SnapshotOptions): Snapshot {
    return this.#memory.snapshot(options);
  }

  async replace<Request, Result>(
    source: ContentSource,
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Promise<Result> {
    this.#log.assertWritable();
    const secure = (content: MemoryEngine): Promise<() => void> => this.#secure(content);
    return this.#memory.replace(source, operation, request, secure);
  }

  // The new content becomes the state of the log. A crash leaves the former one until the state has
  // its name, and this one afterwards. Nothing is logged before the memory has changed over as well.
  async #secure(content: MemoryEngine): Promise<() => void> {
    const goOn = (): void => {
      this.#isReplacing = false;
    };
    this.#isReplacing = true;
    try {
      await this.#snapshots.replace(content);
      return goOn;
    } catch (cause) {
      goOn();
      throw stateError(cause);
    }
  }

  async #settle<Result>(wait: Promise<void>, result: Awaitable<Result>): Promise<Result> {
    await wait;
    return result;
  }

  /** Sequence number of the latest transaction; 0 before the first. */
  get last(): number {
    return this.#log.last;
  }

  earliestDeadline(): number {
    return this.#memory.earliestDeadline();
  }

  hasGarbage(): boolean {
    return this.#memory.hasGarbage();
  }

  indexReport(): IndexReport | null {
    return this.#memory.indexReport();
  }

  rebuildIndexes(): void {
    this.#memory.rebuildIndexes();
  }

  onFailure(listener: (failure: Error) => void): void {
    this.#log.onFailure = listener;
  }

  /** @throws DiskStoreSizeError when the files cannot be looked at. */
  async diskReport(): Promise<DiskReport> {
    try {
      const sizeBytes = await this.#snapshots.sizeBytes();
      return { path: this.#path, sizeBytes, readOnly: false, log: await this.#logReport() };
    } catch (cause) {
      throw new DiskStoreSizeError(`the files in ${this.#path} cannot be looked at: ${cause}`, {
        cause,
      });
    }
  }

  async #logReport(): Promise<LogReport> {
    const { frames, bytes, rawBytes, syncs, rotations } = this.#log.counters;
    const { states, last, lastError } = this.#snapshots;
    return {
      ...this.#log.progress,
      segments: await this.#snapshots.segments(),
      frames,
      bytes,
      rawBytes,
      syncs,
      rotations,
      states,
      stateError: lastError === undefined ? null : String(lastError),
      compressionRatio: last === undefined ? null : last.storedBytes / Math.max(1, last.rawBytes),
      recovered: this.recovered,
    };
  }

  /**
   * Writes the state now and cleans the log that it makes superfluous.
   *
   * @throws DiskStoreWriteError when that fails, which costs nothing but the state.
   */
  async compact(): Promise<void> {
    try {
      await this.#snapshots.write();
    } catch (cause) {
      throw stateError(cause);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    try {
      await this.#snapshots.close();
      await this.#log.close();
    } finally {
      await this.#lock.release();
    }
  }
}

function stateError(cause: unknown): KvError {
  if (isKvError(cause)) return cause;
  return new DiskStoreWriteError(`the state cannot be written: ${cause}`, { cause });
}

async function recoverObserved(
  env: Env,
  directories: Directories,
  memory: MemoryEngine,
  observer = silentObserver,
): Promise<Recovery> {
  const startedMs = env.clock.monotonic();
  const found = await recover(env, directories, memory.loader(), observer);
  if (observer.active) {
    const durationMs = env.clock.monotonic() - startedMs;
    observer.report({ event: "recovered", ...found.report, durationMs });
  }
  return found;
}

async function takeDirectory(env: Env, path: string): Promise<DirectoryLock> {
  try {
    await makeDirectories(env, path);
    return await DirectoryLock.acquire(env, `${path}/LOCK`);
  } catch (error) {
    throw pathError(path, error);
  }
}
