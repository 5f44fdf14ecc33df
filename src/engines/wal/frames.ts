// Frames of a segment in memory: walking them, finding them behind damage, replaying them.

import type { ChangeTarget } from "../../engine/changes.js";
import { type ChangeDecoder, forEachRecord, MalformedChanges } from "./change-codec.js";
import { decodeFrame, frameHeaderBytes, frameMagic } from "./log-format.js";

export interface FoundFrame {
  readonly offset: number;
  readonly end: number;
  /** Sequence number of the first record. */
  readonly first: number;
  readonly records: number;
  readonly durable: number;
}

function frameAt(bytes: Buffer, offset: number, origin: number): FoundFrame | undefined {
  const frame = decodeFrame(bytes, offset, origin);
  if (frame === undefined) return undefined;
  const { length, first, records, durable } = frame;
  return { offset, end: offset + frameHeaderBytes + length, first, records, durable };
}

/** The whole, checked frames from `start` on, up to the first that does not check out. */
export function* framesFrom(bytes: Buffer, start: number, origin: number): Generator<FoundFrame> {
  let frame = frameAt(bytes, start, origin);
  for (; frame !== undefined; frame = frameAt(bytes, frame.end, origin)) yield frame;
}

/**
 * The first checked frame at or after `offset`. Bytes that merely look like one are told apart by
 * their place before their checksum is taken, so the search takes time in proportion to the bytes.
 */
export function findFrame(bytes: Buffer, offset: number, origin: number): FoundFrame | undefined {
  for (let at = bytes.indexOf(frameMagic, offset); at >= 0; ) {
    const frame = frameAt(bytes, at, origin);
    if (frame !== undefined) return frame;
    at = bytes.indexOf(frameMagic, at + 1);
  }
  return undefined;
}

/** Whether a later frame proves that the bytes at `offset` were on the disk once. */
export function wasDurable(bytes: Buffer, offset: number, origin: number): boolean {
  let frame = findFrame(bytes, offset, origin);
  while (frame !== undefined && frame.durable <= offset) {
    frame = findFrame(bytes, frame.end, origin);
  }
  return frame !== undefined;
}

/**
 * Applies the records of a frame from the sequence number `from` on; returns how many there were.
 *
 * @throws MalformedChanges when checked bytes make no sense.
 */
export function replayFrame(
  decoder: ChangeDecoder,
  bytes: Buffer,
  frame: FoundFrame,
  from: number,
  target: ChangeTarget,
): number {
  let sequence = frame.first;
  let applied = 0;
  const records = forEachRecord(bytes, frame.offset + frameHeaderBytes, frame.end, (start, end) => {
    if (sequence++ < from) return;
    decoder.decode(start, end, target);
    applied++;
  });
  if (records !== frame.records) throw new MalformedChanges("the number of records is wrong");
  return applied;
}
