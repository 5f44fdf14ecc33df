// File access: which state of the file is read right now.
//
// Outside write transactions reads share one snapshot, which is dropped before the next turn of
// the event loop, after `readsPerSnapshotMax` reads, and when it is older than `snapshotAgeMaxMs`. So
// a read sees everything that was acknowledged anywhere before the turn began in which it was asked
// for: whatever one process can have told another reaches it in a new turn, unless the thread waits
// within its turn (`execFileSync`, `Atomics.wait`); then the age decides. During a write transaction
// everything reads the state of the transaction.
//
// Parts of the file that are kept decoded are valid for the state in which they were confirmed.

import type { Clock } from "../../env/env.js";
import type { NativeReader, NativeRoot } from "./lmdb-module.js";

// A loop that awaits nothing but reads stays in one turn of the event loop: it must not be caught
// in the past for ever. Taking a new snapshot costs about as much as a read.
const readsPerSnapshotMax = 64;
// Less than starting a process takes, more than the reads of a turn mostly do.
const snapshotAgeMaxMs = 0.1;

export class FileAccess {
  readonly #root: NativeRoot;
  readonly #clock: Clock;
  // Whether a snapshot may have been taken, and how many read operations it has served.
  #shared = false;
  #reads = 0;
  #takenAt = 0;
  readonly #confirmed = new Set<object>();
  readonly #drop = (): void => this.dropSnapshot();

  constructor(root: NativeRoot, clock: Clock) {
    this.#root = root;
    this.#clock = clock;
  }

  /** Before each read operation. */
  beginRead(): void {
    const now = this.#clock.monotonic();
    if (this.#shared && ++this.#reads < readsPerSnapshotMax) {
      if (now - this.#takenAt <= snapshotAgeMaxMs) return;
    }
    if (!this.#shared) process.nextTick(this.#drop);
    // Also at the first one: lmdb takes snapshots for purposes of its own.
    this.#root.resetReadTxn();
    this.#confirmed.clear();
    this.#shared = true;
    this.#reads = 0;
    this.#takenAt = now;
  }

  /** The next read sees what has been committed by then. */
  dropSnapshot(): void {
    if (!this.#shared) return;
    this.#shared = false;
    this.#confirmed.clear();
    this.#root.resetReadTxn();
  }

  /** A reader of its own on what has been committed by now. The caller has to end it. */
  openReader(): NativeReader {
    this.dropSnapshot();
    // What lmdb shares among reads of this turn must neither be older than this, nor stay on it.
    this.#root.resetReadTxn();
    const reader = this.#root.useReadTransaction();
    this.#root.resetReadTxn();
    return reader;
  }

  /** Before and after a write transaction, and when one has been given up: another state is read. */
  turnPage(): void {
    this.dropSnapshot();
    this.#confirmed.clear();
  }

  /** Notes that a decoded part of the file is what the state being read holds. */
  confirm(part: object): void {
    this.#confirmed.add(part);
  }

  isConfirmed(part: object): boolean {
    return this.#confirmed.has(part);
  }
}
