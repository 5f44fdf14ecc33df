// Frame queue: records that are not in the file yet, gathered into frames to be.
//
// Invariants
// 1. Records leave in the order in which they came, and each frame holds some that followed each
//    other.
// 2. A frame is closed when it has grown beyond `frameBytesMin`: only a single transaction that is
//    larger than this makes a larger one.

import type { ChangeTarget } from "../../engine/changes.js";
import { ChangeEncoder } from "./change-codec.js";
import { frameHeaderBytes } from "./log-format.js";

const initialBufferBytes = 1 << 16;
const frameBytesMin = 1 << 22;

export interface Batch {
  /** Space for the header, and the payload. */
  readonly frame: Buffer;
  readonly records: number;
  /** Sequence number of the last record. */
  readonly last: number;
}

export class FrameQueue {
  readonly #encoder = new ChangeEncoder(frameHeaderBytes, initialBufferBytes);
  readonly #closed: Batch[] = [];
  #closedBytes = 0;
  // Records in the encoder, and the sequence number of the next one.
  #open = 0;
  #next: number;
  /** Records since the last `take`. */
  records = 0;

  constructor(next: number) {
    this.#next = next;
  }

  /** Sequence number of the record appended last. */
  get last(): number {
    return this.#next - 1;
  }

  get bytes(): number {
    return this.#closedBytes + this.#encoder.length;
  }

  /**
   * Takes in one transaction; false when it has changed nothing.
   *
   * @throws DiskStoreWriteError when it is too large; nothing of it stays here.
   */
  append(transaction: { report(target: ChangeTarget): void }): boolean {
    const encoder = this.#encoder;
    encoder.beginRecord();
    try {
      transaction.report(encoder);
      if (!encoder.endRecord()) return false;
    } catch (error) {
      // The transaction is taken back, so nothing of it may stay in the buffer.
      encoder.cancelRecord();
      throw error;
    }
    this.#next++;
    this.#open++;
    this.records++;
    if (encoder.length >= frameBytesMin) this.#close();
    return true;
  }

  /** Everything that is here, oldest first. */
  take(): Batch[] {
    if (this.#open > 0) this.#close();
    this.#closedBytes = 0;
    this.records = 0;
    return this.#closed.splice(0);
  }

  /** Gives back the buffer of a frame that nobody reads any more. */
  recycle({ frame }: Batch): void {
    this.#encoder.recycle(frame);
  }

  #close(): void {
    this.#closedBytes += this.#encoder.length;
    this.#closed.push({ frame: this.#encoder.take(), records: this.#open, last: this.last });
    this.#open = 0;
  }
}
