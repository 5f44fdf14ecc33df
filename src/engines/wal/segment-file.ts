// Segment file: the segment that is being written, and how much of it is on the disk.
//
// Invariants
// 1. One write at a time; a sync may go on meanwhile, and claims only what was written before it.
// 2. Syncs follow each other. After one has failed none is begun any more: the system may have
//    dropped what it had taken, and a later success would mean nothing.
// 3. The header of a new segment and its name are on the disk before the first frame is written.

import type { KvError } from "../../base/errors.js";
import type { LogObserver } from "../../engine/log-events.js";
import type { Env } from "../../env/env.js";
import type { FileHandle } from "../../env/files.js";
import { fileHeaderBytes, placeAt } from "./file-header.js";
import { segmentHeader, segmentName } from "./log-format.js";

export interface OpenSegment {
  readonly path: string;
  /** Sequence number of its first record. */
  readonly first: number;
  readonly lengthBytes: number;
  /** Where its last record ends, and how much of it its frames know to be on the disk. */
  readonly recordsEnd: number;
  readonly claimedBytes: number;
}

/** What the segments of a log have in common. */
export interface LogHome {
  readonly env: Env;
  readonly directory: string;
  /** The mark of the store. */
  readonly store: Uint8Array;
  readonly observer: LogObserver;
}

type Present = Omit<OpenSegment, "path">;

export class SegmentFile {
  /** Sequence number of the first record. */
  readonly first: number;
  readonly #home: LogHome;
  readonly #file: FileHandle;
  readonly #origin: number;
  #bytes: number;
  #durableBytes: number;
  #recordsEnd: number;
  // What the frame written last says of the length that is on the disk.
  #claimedBytes: number;
  // Sequence numbers of the last records that are in the file, and on the disk.
  #written: number;
  #durable: number;
  #syncing: Promise<number> = Promise.resolve(0);
  #failure: KvError | undefined;

  private constructor(home: LogHome, file: FileHandle, segment: Present, next: number) {
    const { first, lengthBytes, recordsEnd, claimedBytes } = segment;
    this.first = first;
    this.#home = home;
    this.#file = file;
    this.#origin = segmentHeader.origin(first, home.store);
    this.#bytes = lengthBytes;
    this.#durableBytes = lengthBytes;
    this.#recordsEnd = recordsEnd;
    this.#claimedBytes = claimedBytes;
    this.#written = next - 1;
    this.#durable = next - 1;
  }

  static async create(home: LogHome, first: number): Promise<SegmentFile> {
    const { directory, store, observer } = home;
    const { files } = home.env;
    const file = await files.open(`${directory}/${segmentName(first)}`, "create");
    try {
      await file.write(segmentHeader.encode(first, store));
      await file.sync();
      await files.syncDirectory(directory);
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    if (observer.active) observer.report({ event: "segment_begun", first });
    const bytes = fileHeaderBytes;
    const segment = { first, lengthBytes: bytes, recordsEnd: bytes, claimedBytes: bytes };
    return new SegmentFile(home, file, segment, first);
  }

  /** Continues a segment of which all is on the disk; `next` is the number of the next record. */
  static async reopen(home: LogHome, segment: OpenSegment, next: number): Promise<SegmentFile> {
    const file = await home.env.files.open(segment.path, "append");
    return new SegmentFile(home, file, segment, next);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get durableBytes(): number {
    return this.#durableBytes;
  }

  get written(): number {
    return this.#written;
  }

  get durable(): number {
    return this.#durable;
  }

  /** Where the next frame belongs. */
  get place(): number {
    return placeAt(this.#origin, this.#bytes);
  }

  get isEmpty(): boolean {
    return this.#bytes === fileHeaderBytes;
  }

  /**
   * Whether records are on the disk of which no frame says so. Until one does, a reader takes damage
   * to them for the torn end of a write.
   */
  get owesClaim(): boolean {
    return this.#claimedBytes < this.#recordsEnd && this.#recordsEnd <= this.#durableBytes;
  }

  /** Appends a frame that claims `claimedBytes` to be on the disk; `last` is its last record. */
  async write(frame: Buffer, last: number, claimedBytes: number): Promise<void> {
    await this.#file.write(frame);
    this.#bytes += frame.length;
    if (last > this.#written) this.#recordsEnd = this.#bytes;
    this.#claimedBytes = claimedBytes;
    this.#written = last;
  }

  /** Resolves when all that is written by now is on the disk, with the bytes that it covered. */
  sync(): Promise<number> {
    this.#syncing = this.#syncing.then(() => this.#sync());
    return this.#syncing;
  }

  /** The log has failed: syncs that have not begun reject with this. */
  abandon(failure: KvError): void {
    this.#failure ??= failure;
  }

  async #sync(): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = this.#bytes;
    const written = this.#written;
    const covered = bytes - this.#durableBytes;
    if (covered === 0) return 0;
    const { clock } = this.#home.env;
    const { observer } = this.#home;
    const records = written - this.#durable;
    const startedMs = observer.active ? clock.monotonic() : undefined;
    await this.#file.dataSync();
    this.#durableBytes = bytes;
    this.#durable = written;
    if (startedMs !== undefined) {
      const durationMs = clock.monotonic() - startedMs;
      observer.report({ event: "flushed", bytes: covered, records, durationMs });
    }
    return covered;
  }

  // What was to be kept has been synced by now, or the log has failed: closing decides nothing, so
  // its errors concern nobody. A call that is under way keeps the descriptor until it has settled.
  async close(): Promise<void> {
    await this.#syncing.catch(() => {});
    await this.#file.close().catch(() => {});
  }
}
