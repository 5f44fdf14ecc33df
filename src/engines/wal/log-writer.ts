// Log writer: records into frames, frames into segments, and who waits for which of them.
//
//   append --> buffer --> [write one frame] --> [dataSync] --> settled
//
// Invariants
// 1. One loop writes; appends that come meanwhile collect in the buffer and become the next frame.
// 2. Frames follow each other without gaps, in the order of their sequence numbers.
// 3. `durable` never exceeds the length of the segment at the moment when a sync of it began.
// 4. After the first failure nothing is written, synced or retried any more: the system may have
//    dropped what it had taken, so every later success would be a lie. Reads of the store go on.
// 5. Before a segment gets a successor all of it has been synced.

import { DiskStoreWriteError, type KvError } from "../../base/errors.js";
import type { ChangeTarget } from "../../engine/changes.js";
import type { Env, Timer } from "../../env/env.js";
import type { FileHandle } from "../../env/files.js";
import { ChangeEncoder } from "./change-codec.js";
import {
  encodeSegmentHeader,
  frameHeaderBytes,
  placeAt,
  sealFrame,
  segmentHeaderBytes,
  segmentName,
  segmentOrigin,
} from "./log-format.js";

export interface LogOptions {
  /** Acknowledge a write only when it is on the disk. */
  readonly syncWrites: boolean;
  /** Without `syncWrites`: how long a written record may be missing on the disk, in ms. */
  readonly flushIntervalMs: number;
  /** A segment that has grown beyond this gets a successor. */
  readonly segmentBytesMax: number;
}

export interface OpenSegment {
  readonly path: string;
  /** Sequence number of its first record. */
  readonly first: number;
  readonly lengthBytes: number;
}

export interface LogPosition {
  /** The segment to continue, or undefined to begin a new one. */
  readonly segment: OpenSegment | undefined;
  /** Sequence number of the next record. */
  readonly next: number;
  readonly store: Uint8Array;
}

/** Counters for `stats()`; they only rise. */
export interface LogCounters {
  records: number;
  frames: number;
  bytes: number;
  syncs: number;
  rotations: number;
}

// Writers wait while more than this is buffered: memory stays bounded when the disk is slow.
const bufferedBytesMax = 1 << 20;
const initialBufferBytes = 1 << 16;

interface Batch {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function newBatch(): Batch {
  let resolve: () => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever waits is told; a batch for which nobody waits must not bring the process down.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

export class LogWriter {
  readonly counters: LogCounters = { records: 0, frames: 0, bytes: 0, syncs: 0, rotations: 0 };
  readonly #env: Env;
  readonly #directory: string;
  readonly #options: LogOptions;
  readonly #store: Uint8Array;
  readonly #encoder = new ChangeEncoder(frameHeaderBytes, initialBufferBytes);
  #file: FileHandle | undefined;
  #segmentFirst = 0;
  #segmentOrigin = 0;
  #segmentBytes = 0;
  #durableBytes = 0;
  #next: number;
  // Sequence numbers of the last records that are in the file, and on the disk.
  #written: number;
  #durable: number;
  #buffered = 0;
  #batch: Batch | undefined;
  #working: Promise<void> | undefined;
  #syncAsked: Batch | undefined;
  #rotationAsked: Batch | undefined;
  // Whose step is under way: told of its failure.
  #underway: readonly (Batch | undefined)[] = [];
  #syncTimer: Timer | undefined;
  #failure: KvError | undefined;

  private constructor(env: Env, directory: string, options: LogOptions, position: LogPosition) {
    this.#env = env;
    this.#directory = directory;
    this.#options = options;
    this.#store = position.store;
    this.#next = position.next;
    this.#written = position.next - 1;
    this.#durable = position.next - 1;
  }

  static async open(
    env: Env,
    directory: string,
    options: LogOptions,
    position: LogPosition,
  ): Promise<LogWriter> {
    const writer = new LogWriter(env, directory, options, position);
    try {
      if (position.segment === undefined) await writer.#beginSegment(position.next);
      else await writer.#continueSegment(position.segment);
    } catch (error) {
      await writer.#closeFile();
      throw error;
    }
    return writer;
  }

  /** Sequence number of the record appended last. */
  get last(): number {
    return this.#next - 1;
  }

  /** How far the records have come. */
  get progress(): { appended: number; written: number; durable: number } {
    return { appended: this.last, written: this.#written, durable: this.#durable };
  }

  get failure(): KvError | undefined {
    return this.#failure;
  }

  /** @throws DiskStoreWriteError once a write or a sync has failed. */
  assertWritable(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Takes one transaction into the buffer. Returns what its writer has to wait for: the sync that
   * covers it with `syncWrites`, the buffer to drain when it is too full, otherwise nothing.
   */
  append(transaction: { report(target: ChangeTarget): void }): Promise<void> | undefined {
    this.#encoder.beginRecord();
    try {
      transaction.report(this.#encoder);
    } catch (error) {
      // The transaction is taken back, so nothing of it may stay in the buffer.
      this.#encoder.cancelRecord();
      throw error;
    }
    if (!this.#encoder.endRecord()) return undefined;
    this.#next++;
    this.#buffered++;
    this.#start();
    if (!this.#options.syncWrites && this.#encoder.length <= bufferedBytesMax) return undefined;
    this.#batch ??= newBatch();
    return this.#batch.promise;
  }

  /** Resolves when everything appended so far is on the disk. */
  async sync(): Promise<void> {
    this.assertWritable();
    this.#syncAsked ??= newBatch();
    const asked = this.#syncAsked.promise;
    this.#start();
    await asked;
  }

  /**
   * Ends the segment unless it is empty; resolves with the number of the last record before the
   * present segment, at least what `last` was at the call.
   */
  async rotate(): Promise<number> {
    this.assertWritable();
    this.#rotationAsked ??= newBatch();
    const asked = this.#rotationAsked.promise;
    this.#start();
    await asked;
    return this.#segmentFirst - 1;
  }

  /** Drains, syncs and closes. After a failure it only closes. */
  async close(): Promise<void> {
    this.#syncTimer?.cancel();
    try {
      if (this.#failure === undefined) await this.sync();
      await this.#working;
    } finally {
      await this.#closeFile();
    }
  }

  // What was to be kept has been synced by now, or the writer has failed: closing decides nothing,
  // so its errors concern nobody.
  async #closeFile(): Promise<void> {
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
  }

  #start(): void {
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    // Writers of the same turn of the loop join the first frame.
    if (this.#options.syncWrites) await Promise.resolve();
    else await this.#env.timers.breathe();
    try {
      while (this.#buffered > 0 || this.#syncAsked || this.#rotationAsked) await this.#step();
    } catch (cause) {
      this.#fail(cause);
    } finally {
      this.#working = undefined;
    }
  }

  // One frame and what was asked for until now. Whatever is asked meanwhile is for the next step.
  async #step(): Promise<void> {
    const batch = this.#batch;
    const syncAsked = this.#syncAsked;
    const rotationAsked = this.#rotationAsked;
    this.#batch = undefined;
    this.#syncAsked = undefined;
    this.#rotationAsked = undefined;
    this.#underway = [batch, syncAsked, rotationAsked];
    if (this.#buffered > 0) await this.#writeFrame();
    if (this.#options.syncWrites || syncAsked !== undefined) await this.#syncFile();
    else this.#syncLater();
    batch?.resolve();
    syncAsked?.resolve();
    if (rotationAsked !== undefined || this.#segmentBytes > this.#options.segmentBytesMax) {
      await this.#rotate();
    }
    rotationAsked?.resolve();
  }

  async #writeFrame(): Promise<void> {
    const records = this.#buffered;
    const frame = this.#encoder.take();
    this.#buffered = 0;
    const first = this.#next - records;
    const place = placeAt(this.#segmentOrigin, this.#segmentBytes);
    sealFrame(frame, { records, first, durable: this.#durableBytes, place });
    await (this.#file as FileHandle).write(frame);
    this.#segmentBytes += frame.length;
    this.#written += records;
    this.counters.records += records;
    this.counters.frames++;
    this.counters.bytes += frame.length;
  }

  async #syncFile(): Promise<void> {
    const length = this.#segmentBytes;
    const written = this.#written;
    if (this.#durableBytes === length) return;
    await (this.#file as FileHandle).dataSync();
    this.#durableBytes = length;
    this.#durable = written;
    this.counters.syncs++;
  }

  #syncLater(): void {
    if (this.#syncTimer !== undefined || this.#durableBytes === this.#segmentBytes) return;
    this.#syncTimer = this.#env.timers.after(this.#options.flushIntervalMs, () => {
      this.#syncTimer = undefined;
      if (this.#failure === undefined) void this.sync().catch(() => {});
    });
  }

  async #rotate(): Promise<void> {
    if (this.#segmentBytes === segmentHeaderBytes) return;
    await this.#syncFile();
    await this.#closeFile();
    await this.#beginSegment(this.#next - this.#buffered);
    this.counters.rotations++;
  }

  async #beginSegment(first: number): Promise<void> {
    const path = `${this.#directory}/${segmentName(first)}`;
    this.#file = await this.#env.files.open(path, "create");
    await this.#file.write(encodeSegmentHeader(first, this.#store));
    await this.#file.sync();
    await this.#env.files.syncDirectory(this.#directory);
    this.#segmentFirst = first;
    this.#segmentOrigin = segmentOrigin(first, this.#store);
    this.#segmentBytes = segmentHeaderBytes;
    this.#durableBytes = segmentHeaderBytes;
  }

  async #continueSegment(segment: OpenSegment): Promise<void> {
    this.#segmentFirst = segment.first;
    this.#segmentOrigin = segmentOrigin(segment.first, this.#store);
    this.#file = await this.#env.files.open(segment.path, "append");
    this.#segmentBytes = segment.lengthBytes;
    // Recovery has synced what it kept.
    this.#durableBytes = segment.lengthBytes;
  }

  #fail(cause: unknown): KvError {
    this.#failure ??= new DiskStoreWriteError(
      `the log cannot be written any more: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, hint: "reads go on; make room or mend the disk, then open the store again" },
    );
    this.#syncTimer?.cancel();
    const told = [...this.#underway, this.#batch, this.#syncAsked, this.#rotationAsked];
    for (const batch of told) batch?.reject(this.#failure);
    this.#batch = undefined;
    this.#syncAsked = undefined;
    this.#rotationAsked = undefined;
    return this.#failure;
  }
}
