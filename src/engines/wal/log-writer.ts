// Log writer: records into frames, frames into segments, and who waits for which of them.
//
//   append --> buffer --> [write one frame] --> [dataSync] --> settled
//
// Invariants
// 1. One loop writes; appends that come meanwhile collect in the buffer and become the next frame.
// 2. Frames follow each other without gaps, in the order of their sequence numbers.
// 3. Memory is bounded: beyond `bufferedBytesMax` a writer waits until its record leaves the buffer,
//    and that happens when the frame before it has been written. A writer that awaits nothing but us
//    would keep the event loop from its turns, and what it wrote from the file: every `breathBytes`,
//    and when something has been in the buffer for `breathMs`, one is made to wait for a turn.
// 4. After the first failure nothing is written, synced or retried any more: the system may have
//    dropped what it had taken, so every later success would be a lie. Reads of the store go on.
// 5. Before a segment gets a successor all of it has been synced.
// 6. What is on the disk is claimed by a frame when nothing more comes, and when the log is closed: a
//    reader takes damage to it for damage then, not for the torn end of a write.

import { type Deferred, newDeferred } from "../../base/deferred.js";
import { DiskStoreWriteError, type KvError } from "../../base/errors.js";
import type { ChangeTarget } from "../../engine/changes.js";
import { type LogObserver, silentObserver } from "../../engine/log-events.js";
import type { Env, Timer } from "../../env/env.js";
import { FramePacker } from "./frame-packer.js";
import { type Batch, FrameQueue } from "./frame-queue.js";
import { frameHeaderBytes, sealFrame } from "./log-format.js";
import { troubleOf } from "./log-trouble.js";
import { type LogHome, type OpenSegment, SegmentFile } from "./segment-file.js";

export interface LogOptions {
  /** Acknowledge a write only when it is on the disk. */
  readonly syncWrites: boolean;
  /**
   * Without `syncWrites`: how long a written record may be missing on the disk, in ms. At both levels
   * how long a log is idle before it claims what is on the disk.
   */
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
const breathMs = 4;
// Of the records after the first ones, every so many look at the clock.
const clockRecords = 8;

export class LogWriter {
  readonly counters: LogCounters = {
    records: 0,
    frames: 0,
    bytes: 0,
    rawBytes: 0,
    syncs: 0,
    rotations: 0,
  };
  /** Told once, when the log has failed. */
  onFailure: (failure: Error) => void = () => {};
  readonly #home: LogHome;
  readonly #options: LogOptions;
  readonly #queue: FrameQueue;
  readonly #packer: FramePacker;
  #segment: SegmentFile;
  #breathAt = breathBytes;
  // When the first of the buffered records came, or somebody waited for a turn since.
  #breathedMs = 0;
  #working: Promise<void> | undefined;
  // Those whose records are in the buffer; with `syncWrites` they wait for the sync, else for room.
  #writers: Deferred | undefined;
  #syncAsked: Deferred | undefined;
  #rotationAsked: Deferred | undefined;
  #claimAsked = false;
  // Whose step is under way: told of its failure.
  #underway: readonly (Deferred | undefined)[] = [];
  #syncTimer: Timer | undefined;
  #isClosing = false;
  #failure: KvError | undefined;

  private constructor(home: LogHome, options: LogOptions, next: number, segment: SegmentFile) {
    this.#home = home;
    this.#options = options;
    this.#packer = new FramePacker(options.packedBytesMin);
    this.#queue = new FrameQueue(next);
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
    return this.#queue.last;
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
    const queue = this.#queue;
    if (!queue.append(transaction)) return undefined;
    this.#start();
    if (!this.#options.syncWrites && queue.bytes <= bufferedBytesMax) {
      return queue.bytes < this.#breathAt && !this.#isLate() ? undefined : this.#breath();
    }
    this.#writers ??= newDeferred();
    return this.#writers.promise;
  }

  /**
   * What somebody has to wait for who has seen everything that is visible and changed nothing: with
   * `syncWrites` nobody is told of what a power cut may yet undo.
   */
  get pending(): Promise<void> | undefined {
    if (!this.#options.syncWrites || this.#segment.durable === this.last) return undefined;
    return (this.#writers ?? this.#underway[0])?.promise;
  }

  // Whether something has been in the buffer for too long. Looking at the clock each time would cost
  // more than it brings.
  #isLate(): boolean {
    const { records } = this.#queue;
    if (records > 2 && records % clockRecords !== 0) return false;
    const now = this.#home.env.clock.monotonic();
    if (records === 1) this.#breathedMs = now;
    return now - this.#breathedMs >= breathMs;
  }

  #breath(): Promise<void> {
    const { clock, timers } = this.#home.env;
    this.#breathAt = this.#queue.bytes + breathBytes;
    this.#breathedMs = clock.monotonic();
    return timers.breathe();
  }

  /** Resolves when everything appended so far is on the disk. */
  async sync(): Promise<void> {
    this.assertWritable();
    this.#syncAsked ??= newDeferred();
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
    this.#rotationAsked ??= newDeferred();
    const { promise } = this.#rotationAsked;
    this.#start();
    await promise;
    return this.#segment.first - 1;
  }

  /** Takes nothing any more, because the files may not be what was to be written on. */
  abandon(cause: unknown): KvError {
    return this.#fail(cause);
  }

  /**
   * Drains, syncs and closes.
   *
   * @throws DiskStoreWriteError when the log has failed and records are lost by it whose writers
   * were told that all was well, as they are without `syncWrites`.
   */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#syncTimer?.cancel();
    try {
      if (this.#failure === undefined) await this.sync();
      await this.#working;
      await this.#claimAtLast();
      // With `syncWrites` every writer has been told.
      if (!this.#options.syncWrites && this.#segment.durable < this.last) this.assertWritable();
    } finally {
      await this.#segment.close();
    }
  }

  // Nothing depends on it but how much a reader can tell.
  async #claimAtLast(): Promise<void> {
    if (this.#failure !== undefined || !this.#segment.owesClaim) return;
    try {
      await this.#writeClaim();
      await this.#sync();
    } catch {
      // What there is of the claim is a torn end.
    }
  }

  #start(): void {
    this.#working ??= this.#work();
  }

  get #hasWork(): boolean {
    const isAsked = this.#syncAsked ?? this.#rotationAsked;
    return this.#queue.records > 0 || isAsked !== undefined || this.#claimAsked;
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

  // What has been gathered and asked for until now. Whatever comes meanwhile is for the next step.
  async #step(): Promise<void> {
    const writers = this.#writers;
    const syncAsked = this.#syncAsked;
    const rotationAsked = this.#rotationAsked;
    this.#writers = undefined;
    this.#syncAsked = undefined;
    this.#rotationAsked = undefined;
    this.#underway = [writers, syncAsked, rotationAsked];
    await this.#writeBatches(writers);
    if (this.#options.syncWrites) {
      await this.#sync();
      writers?.resolve();
      syncAsked?.resolve();
    } else if (syncAsked !== undefined) this.#syncBehind(syncAsked);
    this.#flushLater();
    if (rotationAsked !== undefined) await this.#rotate();
    rotationAsked?.resolve();
  }

  async #writeBatches(writers: Deferred | undefined): Promise<void> {
    const isClaimWanted = this.#claimAsked;
    this.#claimAsked = false;
    const batches = this.#queue.take();
    this.#breathAt = breathBytes;
    // There is room again, and the next frame is gathered while this one is written.
    if (!this.#options.syncWrites) writers?.resolve();
    for (const batch of batches) {
      await this.#writeFrame(batch);
      if (this.#segment.bytes > this.#options.segmentBytesMax) await this.#rotate();
    }
    if (isClaimWanted && batches.length === 0 && this.#segment.owesClaim) await this.#writeClaim();
  }

  async #writeFrame(batch: Batch): Promise<void> {
    const { frame, records, last } = batch;
    const packed = await this.#packer.pack(frame);
    this.assertWritable();
    const written = packed ?? frame;
    const { place, durableBytes: durable } = this.#segment;
    const first = last - records + 1;
    sealFrame(written, { packed: packed !== undefined, records, first, durable, place });
    await this.#segment.write(written, last, durable);
    this.counters.records += records;
    this.counters.frames++;
    this.counters.bytes += written.length;
    this.counters.rawBytes += frame.length;
    this.#queue.recycle(batch);
  }

  /** A frame without records, for the sake of what it says of those before it. */
  async #writeClaim(): Promise<void> {
    const { place, durableBytes: durable, written: last } = this.#segment;
    const frame = Buffer.alloc(frameHeaderBytes);
    sealFrame(frame, { packed: false, records: 0, first: last + 1, durable, place });
    await this.#segment.write(frame, last, durable);
  }

  async #sync(): Promise<void> {
    if ((await this.#segment.sync()) > 0) this.counters.syncs++;
  }

  // Without `syncWrites` frames go on reaching the file while the disk is busy.
  #syncBehind(asked: Deferred): void {
    const done = (): void => {
      asked.resolve();
      this.#flushLater();
    };
    this.#sync().then(done, (cause: unknown) => asked.reject(this.#fail(cause)));
  }

  // Syncs what is not on the disk yet; then, if nothing has come meanwhile, has it claimed.
  #flushLater(): void {
    const { durableBytes, bytes, owesClaim } = this.#segment;
    if (this.#syncTimer !== undefined || this.#isClosing) return;
    if (durableBytes === bytes && !owesClaim) return;
    this.#syncTimer = this.#home.env.timers.after(this.#options.flushIntervalMs, () => {
      this.#syncTimer = undefined;
      if (this.#failure === undefined) this.#flush();
    });
  }

  #flush(): void {
    const { durableBytes, bytes } = this.#segment;
    if (durableBytes < bytes) void this.sync().catch(() => {});
    else {
      this.#claimAsked = true;
      this.#start();
    }
  }

  async #rotate(): Promise<void> {
    if (this.#segment.isEmpty) return;
    await this.#sync();
    await this.#segment.close();
    const { first, bytes } = this.#segment;
    const { observer } = this.#home;
    if (observer.active) observer.report({ event: "segment_ended", first, bytes });
    this.#segment = await SegmentFile.create(this.#home, this.#segment.written + 1);
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
    if (isFirst) this.onFailure(this.#failure);
    return this.#failure;
  }
}
