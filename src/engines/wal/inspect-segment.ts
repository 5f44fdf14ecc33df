// Segment inspection: everything in a segment that checks out, wherever it lies, and what does not.

import type { Env } from "../../env/env.js";
import { ChangeDecoder, MalformedChanges } from "./change-codec.js";
import { fileHeaderBytes } from "./file-header.js";
import { readWhole } from "./file-window.js";
import { type FoundFrame, findFrame, framesFrom, replayFrame } from "./frames.js";
import { decodeFrame, frameHeaderBytes, frameMagicStart, segmentHeader } from "./log-format.js";
import { ChangeCounter } from "./row-counters.js";
import type { SurveyedFile } from "./survey.js";

/** Bytes between frames that are none themselves. */
export interface Gap {
  readonly offset: number;
  readonly end: number;
  /** The record that is due here. */
  readonly due: number;
  /** What was readable before it. */
  readonly records: number;
  readonly rows: number;
  /** Whether a later frame proves that these bytes were on the disk once. */
  wasDurable: boolean;
}

export interface SegmentFindings {
  /** The first record, by header or name. */
  readonly first: number;
  /** The record after the last one that is readable. */
  readonly next: number;
  readonly records: number;
  /** Rows put, rows deleted and tables cleared. */
  readonly rows: number;
  readonly gaps: readonly Gap[];
  /** Frames that check out and make no sense all the same. */
  readonly malformed: readonly { offset: number; bytes: number; what: string }[];
}

/** Told of each frame that checks out, in the order in which they lie. */
export type FrameVisitor = (bytes: Buffer, frame: FoundFrame) => void;

/**
 * Reads a segment. `stores` are those whose frames are looked for when the header is unreadable.
 * O(bytes), in memory as large as the file.
 */
export async function inspectSegment(
  env: Env,
  file: SurveyedFile,
  stores: readonly Uint8Array[],
  visit: FrameVisitor = () => {},
): Promise<SegmentFindings> {
  const bytes = await readWhole(env.files, file.path);
  const origin = file.header?.origin ?? originOf(bytes, file.named, stores);
  const run = new Inspection(file.header?.number ?? file.named, bytes, visit);
  // Without any frame the whole file is one gap, or the remains of a segment being created.
  if (origin !== undefined) run.frames(file.header === undefined ? 0 : fileHeaderBytes, origin);
  else run.gap(0, bytes.length);
  return run;
}

/**
 * Where the frames of a segment without a header are counted from: see `placeAt`. What belongs to
 * none of the stores that are known here is not ours.
 */
function originOf(bytes: Buffer, first: number, stores: readonly Uint8Array[]): number | undefined {
  if (stores.length === 0) return inferOrigin(bytes);
  const origins = stores.map((store) => segmentHeader.origin(first, store));
  return origins.find((origin) => findFrame(bytes, 0, origin) !== undefined);
}

/** The origin on which the most bytes agree; a log inside a value is always in the minority. */
function inferOrigin(bytes: Buffer): number | undefined {
  const votes = new Map<number, number>();
  for (let at = bytes.indexOf(frameMagicStart); at >= 0; ) {
    const frame = decodeFrame(bytes, at, undefined);
    const length = frame === undefined ? 1 : frameHeaderBytes + frame.length;
    if (frame !== undefined) {
      const origin = (frame.place - at) >>> 0;
      votes.set(origin, (votes.get(origin) ?? 0) + length);
    }
    at = bytes.indexOf(frameMagicStart, at + length);
  }
  return [...votes].sort(([, a], [, b]) => b - a)[0]?.[0];
}

class Inspection implements SegmentFindings {
  readonly first: number;
  readonly gaps: Gap[] = [];
  readonly malformed: { offset: number; bytes: number; what: string }[] = [];
  next: number;
  records = 0;
  readonly #bytes: Buffer;
  readonly #visit: FrameVisitor;
  readonly #decoder: ChangeDecoder;
  readonly #counter = new ChangeCounter();
  // Gaps before this one are proven; `durable` only rises, so none needs a second look.
  #proven = 0;

  constructor(first: number, bytes: Buffer, visit: FrameVisitor) {
    this.first = first;
    this.next = first;
    this.#bytes = bytes;
    this.#visit = visit;
    this.#decoder = new ChangeDecoder(bytes);
  }

  get rows(): number {
    return this.#counter.rows;
  }

  frames(start: number, origin: number): void {
    let offset = start;
    while (offset < this.#bytes.length) {
      for (const frame of framesFrom(this.#bytes, offset, origin)) {
        this.#frame(frame);
        offset = frame.end;
      }
      if (offset === this.#bytes.length) return;
      const end = findFrame(this.#bytes, offset, origin)?.offset ?? this.#bytes.length;
      this.gap(offset, end);
      offset = end;
    }
  }

  gap(offset: number, end: number): void {
    if (offset === end) return;
    const { next: due, records, rows } = this;
    this.gaps.push({ offset, end, due, records, rows, wasDurable: false });
  }

  #frame(frame: FoundFrame): void {
    for (; this.#proven < this.gaps.length; this.#proven++) {
      const gap = this.gaps[this.#proven] as Gap;
      if (gap.offset >= frame.durable) break;
      gap.wasDurable = true;
    }
    const fault = this.#faultOf(frame);
    if (fault !== undefined) {
      this.malformed.push({ offset: frame.offset, bytes: frame.end - frame.offset, what: fault });
      return;
    }
    this.records += frame.records;
    this.next = frame.first + frame.records;
    this.#visit(this.#bytes, frame);
  }

  #faultOf(frame: FoundFrame): string | undefined {
    // Only behind a gap may numbers be missing.
    const isNext = frame.first === this.next || this.gaps.at(-1)?.end === frame.offset;
    if (!isNext || frame.first < this.next) {
      return `record ${frame.first} where ${this.next} is due`;
    }
    try {
      replayFrame(this.#decoder, this.#bytes, frame, 0, this.#counter);
      return undefined;
    } catch (error) {
      if (error instanceof MalformedChanges) return error.message;
      throw error;
    }
  }
}
