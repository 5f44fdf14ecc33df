// Import batches: rows on their way into the store, so many at a time.
//
// Invariants
// 1. A batch is written entirely or not at all, and batches are written one after the other.
// 2. `rows` and `bytes` count what has been written: rows, and the bytes of the file up to there.
// 3. While one batch is being written the next one is collected: two are held at most. A batch ends
//    early when its rows take more than `batchBytesMax` of the file.

import { errorClasses, isKvError, type KvError, OperationCanceledError } from "../base/errors.js";
import type { Entry } from "../operations/requests.js";
import { checkCanceled, type Transfer, tellProgress } from "./transfer.js";

const batchBytesMax = 16_777_216;

export interface ImportSubject {
  /** The name of the method, for messages. */
  readonly method: string;
  /** What the rows are called, in the plural. */
  readonly noun: string;
  /** What the place of one is called, and the place of the first. */
  readonly place: "line" | "row";
  readonly firstPlace: number;
}

export class ImportBatches {
  rows = 0;
  bytes = 0;
  readonly #transfer: Transfer;
  readonly #subject: ImportSubject;
  readonly #rowsMax: number;
  #entries: Entry[] = [];
  #collectedFrom = 0;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(transfer: Transfer, subject: ImportSubject, rowsMax: number) {
    this.#transfer = transfer;
    this.#subject = subject;
    this.#rowsMax = rowsMax;
  }

  /** Takes a row that ends at that byte of the file; true when it is time to `write`. */
  add(entry: Entry, endByte: number): boolean {
    const size = this.#entries.push(entry);
    return size >= this.#rowsMax || endByte - this.#collectedFrom > batchBytesMax;
  }

  /** Begins to write what has been collected, once the batch before is written. */
  async write(endByte: number): Promise<void> {
    await this.settle();
    checkCanceled(this.#transfer);
    const entries = this.#entries;
    if (entries.length === 0) return;
    this.#entries = [];
    this.#collectedFrom = endByte;
    try {
      const writing = this.#transfer.store.setMany({ entries });
      if (writing instanceof Promise) {
        this.#writing = writing.then(
          () => this.#written(entries.length, endByte),
          (failure: unknown) => {
            this.#failure = this.#placed(failure, entries);
          },
        );
      } else this.#written(entries.length, endByte);
    } catch (failure) {
      throw this.#placed(failure, entries);
    }
    this.#throwFailure();
  }

  /** Why a batch was not written, with the place of the row whose key it is about. */
  #placed(failure: unknown, entries: readonly Entry[]): unknown {
    if (!isKvError(failure) || failure.key === undefined) return failure;
    const index = entries.findIndex(({ key }) => key === failure.key);
    if (index === -1) return failure;
    const { place, firstPlace } = this.#subject;
    const at = `${place} ${firstPlace + this.rows + index}, key ${JSON.stringify(failure.key)}`;
    return retold(failure, `${at}: ${failure.message}`);
  }

  /** Waits for the batch that is being written. */
  async settle(): Promise<void> {
    if (this.#writing !== undefined) await this.#writing;
    this.#writing = undefined;
    this.#throwFailure();
  }

  /** The error of the whole import: what went wrong, and how far it had come. */
  async failed(cause: unknown): Promise<unknown> {
    // What is being written counts, and if that fails too, it was the first to go wrong.
    let first = cause;
    await this.settle().catch((failure: unknown) => {
      first = failure;
    });
    if (!isKvError(first) || first.name === "StoreReadOnlyError") return first;
    const { method, noun } = this.#subject;
    if (first.name === "OperationCanceledError") {
      const hint = `${this.rows} ${noun} (${this.bytes} bytes) were committed before`;
      return new OperationCanceledError(first.message, { cause: first.cause, hint });
    }
    const done = this.rows === 0 ? `no ${noun} were` : "previous batches may already be";
    const message =
      `${method} failed after ${this.rows} ${noun} and ${this.bytes} bytes; ` +
      `${done} committed: ${first.message}`;
    return retold(first, message);
  }

  #written(rows: number, endByte: number): void {
    this.rows += rows;
    this.bytes = endByte;
    try {
      tellProgress(this.#transfer, this.rows, this.bytes);
    } catch (failure) {
      this.#failure = failure;
    }
  }

  #throwFailure(): void {
    if (this.#failure === undefined) return;
    const failure = this.#failure;
    this.#failure = undefined;
    throw failure;
  }
}

/** The same error with another message; the first one is its cause. */
function retold(error: KvError, message: string): KvError {
  const { key, hint, errors } = error;
  const details = {
    cause: error.cause ?? error,
    ...(key === undefined ? {} : { key }),
    ...(hint === undefined ? {} : { hint }),
    ...(errors === undefined ? {} : { errors }),
  };
  return new errorClasses[error.name](message, details);
}
