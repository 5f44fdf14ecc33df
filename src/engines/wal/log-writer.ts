// Log writer: records into frames, frames into segments, and who waits for which of them.
//
//   append --> buffer --> [write one frame] --> [dataSync] --> settled
//
// Invariants
// 1. One loop writes; appends that come meanwhile collect in the buffer and become the next frame.
// 2. Frames follow each other without gaps, in the order of their sequence numbers.
// 3. Memory is bounded: beyond `bufferedBytesMax` a writer waits until its record leaves the buffer,
//    and that happens when the frame before it has been written. A writer that awaits nothing but us
//    would keep the event loop from its turns, and the frame from its end: every `breathBytes` one
//    is made to wait for a turn.
// 4. After the first failure nothing is written, synced or retried any more: the system may have
//    dropped what it had taken, so every later success would be a lie. Reads of the store go on.
// 5. Before a segment gets a successor all of it has been synced.

import { DiskStoreWriteError, type KvError } from "../../base/errors.js";
import type { ChangeTarget } from "../../engine/changes.js";
import { type LogObserver, silentObserver } from "../../engine/log-events.js";
import type { Env, Timer } from "../../env/env.js";
import { ChangeEncoder } from "./change-codec.js";
import { FramePacker } from "./frame-packer.js";
import { frameHeaderBytes, sealFrame } from "./log-format.js";
import { troubleOf } from "./log-trouble.js";
import { type LogHome, type OpenSegment, SegmentFile } from "./segment-file.js";

export interface LogOptions {
  /** Acknowledge a write only when it is on the disk. */
  readonly syncWrites: boolean;
  /** Without `syncWrites`: how long a written record may be missing on the disk, in ms. */
  readonly flushIntervalMs: number;
  /** A segment that has grown beyond this gets a successor. */
  readonly segmentBytesMax: number;
  /** Payloads of frames are compressed from this size on, if that pays. */
  readonly packedBytesMin: number;
  readonly observer?: LogObserver;
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
  /** As written, and as they were before large frames were compressed. */
  bytes: number;
  rawBytes: number;
  syncs: number;
  rotations: number;
}

const bufferedBytesMax = 1 << 20;
const breathBytes = 1 << 18;
const initialBufferBytes = 1 << 16;

/** Somebody who waits for the log. */
interface Waiter {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function newWaiter(): Waiter {
  let resolve: () => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever waits is told; a promise that nobody waits for must not bring the process down.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

export class LogWriter {
  readonly counters: LogCounters = {
    records: 0,
    frames: 0,
    bytes: 0,
    rawBytes: 0,
    syncs: 0,
    rotations: 0,
  };
  readonly #home: LogHome;
  readonly #options: LogOptions;
  readonly #encoder = new ChangeEncoder(frameHeaderBytes, initialBufferBytes);
  readonly #packer: FramePacker;
  #segment: SegmentFile;
  // Sequence number of the next record, and how many before it are still in the buffer.
  #next: number;
  #buffered = 0;
  #breathAt = breathBytes;
  #working: Promise<void> | undefined;
  // Those whose records are in the buffer; with `syncWrites` they wait for the sync, else for room.
  #writers: Waiter | undefined;
  #syncAsked: Waiter | undefined;
  #rotationAsked: Waiter | undefined;
  // Whose step is under way: told of its failure.
  #underway: readonly (Waiter | undefined)[] = [];
  #syncTimer: Timer | undefined;
  #failure: KvError | undefined;

  private constructor(home: LogHome, options: LogOptions, next: number, segment: SegmentFile) {
    this.#home = home;
    this.#options = options;
    this.#packer = new FramePacker(options.packedBytesMin);
    this.#next = next;
    this.#segment = segment;
  }

  static async open(
    env: Env,
    directory: string,
    options: LogOptions,
    position: LogPosition,
  ): Promise<LogWriter> {
    const { segment, next, store } = position;
    const home = { env, directory, store, observer: options.observer ?? silentObserver };
    const file =
      segment === undefined
        ? await SegmentFile.create(home, next)
        : await SegmentFile.reopen(home, segment, next);
    return new LogWriter(home, options, next, file);
  }

  /** Sequence number of the record appended last. */
  get last(): number {
    return this.#next - 1;
  }

  /** How far the records have come. */
  get progress(): { appended: number; written: number; durable: number } {
    const { written, durable } = this.#segment;
    return { appended: this.last, written, durable };
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
   * covers it with `syncWrites`, otherwise room in the buffer when that is too full, a turn of the
   * event loop now and then, and mostly nothing.
   */
  append(transaction: { report(target: ChangeTarget): void }): Promise<void> | undefined {
    const encoder = this.#encoder;
    encoder.beginRecord();
    try {
      transaction.report(encoder);
      if (!encoder.endRecord()) return undefined;
    } catch (error) {
      // The transaction is taken back, so nothing of it may stay in the buffer.
      encoder.cancelRecord();
      throw error;
    }
    this.#next++;
    this.#buffered++;
    this.#start();
    if (!this.#options.syncWrites && encoder.length <= bufferedBytesMax) {
      return encoder.length < this.#breathAt ? undefined : this.#breath();
    }
    this.#writers ??= newWaiter();
    return this.#writers.promise;
  }

  #breath(): Promise<void> {
    this.#breathAt = this.#encoder.length + breathBytes;
    return this.#home.env.timers.breathe();
  }

  /** Resolves when everything appended so far is on the disk. */
  async sync(): Promise<void> {
    this.assertWritable();
    this.#syncAsked ??= newWaiter();
    const { promise } = this.#syncAsked;
    this.#start();
    await promise;
  }

  /**
   * Ends the segment unless it is empty; resolves with the number of the last record before the
   * present segment, at least what `last` was at the call.
   */
  async rotate(): Promise<number> {
    this.assertWritable();
    this.#rotationAsked ??= newWaiter();
    const { promise } = this.#rotationAsked;
    this.#start();
    await promise;
    return this.#segment.first - 1;
  }

  /**
   * Drains, syncs and closes.
   *
   * @throws DiskStoreWriteError when the log has failed and records are lost by it whose writers
   * were told that all was well, as they are without `syncWrites`.
   */
  async close(): Promise<void> {
    this.#syncTimer?.cancel();
    try {
      if (this.#failure === undefined) await this.sync();
      await this.#working;
      // With `syncWrites` every writer has been told.
      if (!this.#options.syncWrites && this.#segment.durable < this.last) this.assertWritable();
    } finally {
      await this.#segment.close();
    }
  }

  #start(): void {
    this.#working ??= this.#work();
  }

  get #hasWork(): boolean {
    return this.#buffered > 0 || this.#syncAsked !== undefined || this.#rotationAsked !== undefined;
  }

  async #work(): Promise<void> {
    // Writers of the same turn of the loop join the first frame.
    if (this.#options.syncWrites) await Promise.resolve();
    else await this.#home.env.timers.breathe();
    try {
      while (this.#failure === undefined && this.#hasWork) await this.#step();
    } catch (cause) {
      this.#fail(cause);
    } finally {
      this.#working = undefined;
    }
  }

  // One frame and what was asked for until now. Whatever is asked meanwhile is for the next step.
  async #step(): Promise<void> {
    const writers = this.#writers;
    const syncAsked = this.#syncAsked;
    const rotationAsked = this.#rotationAsked;
    this.#writers = undefined;
    this.#syncAsked = undefined;
    this.#rotationAsked = undefined;
    this.#underway = [writers, syncAsked, rotationAsked];
    if (this.#buffered > 0) await this.#writeFrame(writers);
    if (this.#options.syncWrites) {
      await this.#sync();
      writers?.resolve();
      syncAsked?.resolve();
    } else if (syncAsked !== undefined) this.#syncBehind(syncAsked);
    else this.#syncLater();
    if (rotationAsked !== undefined || this.#segment.bytes > this.#options.segmentBytesMax) {
      await this.#rotate();
    }
    rotationAsked?.resolve();
  }

  async #writeFrame(writers: Waiter | undefined): Promise<void> {
    const records = this.#buffered;
    const last = this.last;
    const frame = this.#encoder.take();
    this.#buffered = 0;
    this.#breathAt = breathBytes;
    // There is room again, and the next frame is gathered while this one is written.
    if (!this.#options.syncWrites) writers?.resolve();
    const packed = await this.#packer.pack(frame);
    this.assertWritable();
    const written = packed ?? frame;
    const { place, durableBytes: durable } = this.#segment;
    const first = last - records + 1;
    sealFrame(written, { packed: packed !== undefined, records, first, durable, place });
    await this.#segment.write(written, last);
    this.counters.records += records;
    this.counters.frames++;
    this.counters.bytes += written.length;
    this.counters.rawBytes += frame.length;
    this.#encoder.recycle(frame);
  }

  async #sync(): Promise<void> {
    if ((await this.#segment.sync()) > 0) this.counters.syncs++;
  }

  // Without `syncWrites` frames go on reaching the file while the disk is busy.
  #syncBehind(asked: Waiter): void {
    this.#sync().then(asked.resolve, (cause: unknown) => asked.reject(this.#fail(cause)));
  }

  #syncLater(): void {
    const { durableBytes, bytes } = this.#segment;
    if (this.#syncTimer !== undefined || durableBytes === bytes) return;
    this.#syncTimer = this.#home.env.timers.after(this.#options.flushIntervalMs, () => {
      this.#syncTimer = undefined;
      if (this.#failure === undefined) void this.sync().catch(() => {});
    });
  }

  async #rotate(): Promise<void> {
    if (this.#segment.isEmpty) return;
    await this.#sync();
    await this.#segment.close();
    const { first, bytes } = this.#segment;
    const { observer } = this.#home;
    if (observer.active) observer.report({ event: "segment_ended", first, bytes });
    this.#segment = await SegmentFile.create(this.#home, this.#next - this.#buffered);
    this.counters.rotations++;
  }

  #fail(cause: unknown): KvError {
    const isFirst = this.#failure === undefined;
    this.#failure ??= new DiskStoreWriteError(
      `the log cannot be written any more: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, hint: "reads go on; make room or mend the disk, then open the store again" },
    );
    if (isFirst) this.#home.observer.report({ event: "failed", ...troubleOf(this.#failure) });
    this.#syncTimer?.cancel();
    this.#segment.abandon(this.#failure);
    const told = [...this.#underway, this.#writers, this.#syncAsked, this.#rotationAsked];
    for (const waiter of told) waiter?.reject(this.#failure);
    this.#writers = undefined;
    this.#syncAsked = undefined;
    this.#rotationAsked = undefined;
    return this.#failure;
  }
}
