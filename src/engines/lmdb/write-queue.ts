// Write queue: operations that write, carried out many to a transaction of the file.
//
// Life of a write: it is queued; when the transaction before has been committed, all that are queued
// by then run in one write transaction, each taken back on its own if it throws; the transaction is
// committed, which makes it durable; then every result is told, in the order of the calls.
//
// Invariants
// 1. Nothing is told of an operation before the transaction that it ran in is durable, and if that
//    fails, every operation in it is told that it failed.
// 2. Operations are carried out in the order in which they were asked for.
// 3. What waits for `timeoutMs` for other writers of the file while none of them gets anything done
//    is given up, and is then never carried out. The transaction that was asked for cannot be taken
//    back: it stays under way, and is aborted as soon as it begins.
// 4. A transaction in which something unforeseen happens is aborted as a whole.
// 5. Nothing is written by a transaction that does not build on the last commit (current-state.ts).
// 6. A thread that is terminated while it carries operations out commits none of them
//    (whole-transaction.ts).

import { newDeferred } from "../../base/deferred.js";
import { isKvError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import { commitErrorOf } from "./commit-error.js";
import { buildsOnLastCommit, OutdatedState } from "./current-state.js";
import type { FileAccess } from "./file-access.js";
import type { FileTables } from "./file-tables.js";
import { type Journal, startAsChild } from "./journal.js";
import type { LastCommit } from "./last-commit.js";
import type { NativeRoot } from "./lmdb-module.js";
import { LockWait } from "./lock-wait.js";
import { wholeTransaction } from "./whole-transaction.js";

const readersCheckMs = 5_000;
type Outcome = "committed" | "given up" | "outdated";

// Turns of the event loop in which whoever has opened the file can put its lock file right; if it
// has been killed before it could, opening the file again does it.
const attemptsMax = 10_000;

type Operation = (tables: FileTables, request: unknown) => unknown;

interface QueuedWrite {
  readonly operation: Operation;
  readonly request: unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  threw: boolean;
  outcome: unknown;
}

export interface WriteQueueParts {
  readonly root: NativeRoot;
  readonly lastCommit: LastCommit;
  readonly access: FileAccess;
  readonly tables: FileTables;
  readonly journal: Journal;
  readonly env: Env;
  /** 0: wait for other writers without end. */
  readonly timeoutMs: number;
  /** Makes an error of the file one of ours. */
  readonly failure: (cause: unknown) => Error;
  readonly lockedOut: () => Error;
  readonly replaced: () => Error;
}

export class WriteQueue {
  readonly #parts: WriteQueueParts;
  #queued: QueuedWrite[] = [];
  #running: Promise<void> | undefined;
  #failure: Error | undefined;
  // Whether the transaction under way has been given up and still waits for the file.
  #stuck = false;
  // How long those wait that have been queued behind it.
  #waitBehind: LockWait | undefined;
  // Settles when something has been given up.
  #givenUp = newDeferred();
  // Whether a transaction waits until the event loop runs its operations.
  #waiting = false;
  #readersChecked = Number.NEGATIVE_INFINITY;
  // The number of the last write transaction of this thread.
  #lastTransaction = 0;
  /** Told when a transaction could not be committed. */
  readonly failureListeners = new Set<(failure: Error) => void>();

  constructor(parts: WriteQueueParts) {
    this.#parts = parts;
  }

  get isWaiting(): boolean {
    return this.#waiting;
  }

  /** Why nothing is written any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  add<Result>(
    operation: (tables: FileTables, request: never) => Result,
    request: unknown,
  ): Promise<Result> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise<Result>((resolve, reject) => {
      this.#queued.push({
        operation: operation as Operation,
        request,
        resolve: resolve as (result: unknown) => void,
        reject,
        threw: false,
        outcome: undefined,
      });
      this.#running ??= this.#run();
      if (this.#stuck) this.#waitBehind ??= this.#lockWait(() => this.#giveUp([]));
    });
  }

  #lockWait(giveUp: () => void): LockWait {
    return new LockWait(this.#parts, giveUp);
  }

  /** Settles when no operation waits: true; or false when a transaction is under way for nobody. */
  async drained(): Promise<boolean> {
    while (this.#running !== undefined) {
      if (this.#stuck && this.#queued.length === 0) return false;
      await Promise.race([this.#running, this.#givenUp.promise]);
    }
    return true;
  }

  /** Resolves when nothing is under way. */
  async ended(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // What is asked for in the same turn shares a transaction.
    await Promise.resolve();
    while (this.#queued.length > 0) {
      const writes = this.#queued;
      this.#queued = [];
      await this.#commit(writes);
    }
    this.#running = undefined;
  }

  async #commit(writes: QueuedWrite[]): Promise<void> {
    const { env } = this.#parts;
    let outcome: Outcome = "outdated";
    try {
      for (let count = 0; outcome === "outdated"; count++) {
        if (count === attemptsMax) throw new OutdatedState("the lock file names an old state");
        if (count > 0) await env.timers.breathe();
        outcome = await this.#attempt(writes);
      }
    } catch (cause) {
      this.#endWaits();
      this.#fail(writes, await commitErrorOf(env.timers, cause));
      return;
    }
    if (outcome === "given up") return;
    this.#parts.access.turnPage();
    this.#parts.tables.turnPage();
    settle(writes);
  }

  async #attempt(writes: QueuedWrite[]): Promise<Outcome> {
    const { root, lastCommit } = this.#parts;
    let outcome: Outcome = "given up";
    const attempt = this.#lockWait(() => this.#giveUp(writes));
    this.#waiting = true;
    try {
      await wholeTransaction(root, () => {
        this.#endWaits();
        if (!attempt.begin()) return;
        if (lastCommit.isReplaced) throw this.#parts.replaced();
        const transaction = root.getWriteTxnId();
        outcome = buildsOnLastCommit(transaction, lastCommit) ? "committed" : "outdated";
        if (outcome === "committed") this.#carryOut(writes, transaction);
      });
    } finally {
      // Also where the file could not be had at all.
      attempt.begin();
    }
    return outcome;
  }

  #endWaits(): void {
    this.#waiting = false;
    this.#stuck = false;
    this.#waitBehind?.begin();
    this.#waitBehind = undefined;
  }

  #giveUp(writes: readonly QueuedWrite[]): void {
    const error = this.#parts.lockedOut();
    const queued = this.#queued;
    this.#queued = [];
    this.#stuck = true;
    this.#waitBehind = undefined;
    for (const { reject } of [...writes, ...queued]) reject(error);
    this.#givenUp.resolve();
    this.#givenUp = newDeferred();
  }

  #fail(writes: readonly QueuedWrite[], cause: unknown): void {
    const { access, tables, failure } = this.#parts;
    access.turnPage();
    tables.forget();
    const error = failure(cause);
    const queued = this.#queued;
    this.#queued = [];
    this.#failure ??= error;
    for (const { reject } of [...writes, ...queued]) reject(error);
    for (const tell of this.failureListeners) tell(error);
  }

  /** Inside the write transaction: runs every operation, then writes what has been counted. */
  #carryOut(writes: readonly QueuedWrite[], transaction: number): void {
    const { access, journal, tables } = this.#parts;
    this.#releaseReaders();
    access.turnPage();
    tables.turnPage();
    // Whoever wrote in between may have changed what is due next.
    if (transaction !== this.#lastTransaction + 1) journal.watchedChanged = true;
    this.#lastTransaction = transaction;
    for (const write of writes) {
      try {
        write.outcome = this.#runOne(write);
      } catch (error) {
        // What is none of ours comes from the file: the transaction cannot be trusted any more.
        if (!isKvError(error)) throw error;
        write.threw = true;
        write.outcome = error;
      }
    }
    tables.flush(transaction);
    if (journal.watchedChanged) tables.lookAhead();
    journal.watchedChanged = false;
    access.turnPage();
  }

  // Snapshots of processes that were killed keep the file from using its room again.
  #releaseReaders(): void {
    const now = this.#parts.env.clock.monotonic();
    if (now - this.#readersChecked < readersCheckMs) return;
    this.#readersChecked = now;
    this.#parts.root.readerCheck();
  }

  #runOne(write: QueuedWrite): unknown {
    const { journal, tables } = this.#parts;
    journal.begin(false);
    try {
      return write.operation(tables.begin(), write.request);
    } catch (error) {
      if (error !== startAsChild && !isKvError(error)) throw error;
      journal.rollback();
      if (error !== startAsChild) throw error;
      return this.#runAsChild(write);
    }
  }

  #runAsChild(write: QueuedWrite): unknown {
    const { root, access, journal, tables } = this.#parts;
    tables.flush(root.getWriteTxnId());
    journal.begin(true);
    try {
      return root.childTransaction(() => {
        const result = write.operation(tables.begin(), write.request);
        tables.flush(root.getWriteTxnId());
        return result;
      });
    } catch (error) {
      access.turnPage();
      tables.forget();
      throw error;
    }
  }
}

function settle(writes: readonly QueuedWrite[]): void {
  for (const { threw, outcome, resolve, reject } of writes) {
    if (threw) reject(outcome);
    else resolve(outcome);
  }
}
