// Frames of a segment in memory: walking them, finding them behind damage, replaying them.

import type { ChangeTarget } from "../../engine/changes.js";
import { ChangeDecoder, forEachRecord, MalformedChanges } from "./change-codec.js";
import { unpacked } from "./frame-packer.js";
import { decodeFrame, frameHeaderBytes, frameMagicStart } from "./log-format.js";

export interface FoundFrame {
  readonly offset: number;
  readonly end: number;
  /** Sequence number of the first record. */
  readonly first: number;
  readonly records: number;
  readonly durable: number;
  /** Whether its payload is compressed. */
  readonly packed: boolean;
}

function frameAt(bytes: Buffer, offset: number, origin: number): FoundFrame | undefined {
  const frame = decodeFrame(bytes, offset, origin);
  if (frame === undefined) return undefined;
  const { length, first, records, durable, packed } = frame;
  return { offset, end: offset + frameHeaderBytes + length, first, records, durable, packed };
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
  for (let at = bytes.indexOf(frameMagicStart, offset); at >= 0; ) {
    const frame = frameAt(bytes, at, origin);
    if (frame !== undefined) return frame;
    at = bytes.indexOf(frameMagicStart, at + 1);
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
 * `decoder` reads `bytes`.
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
  const start = frame.offset + frameHeaderBytes;
  if (!frame.packed)
    return replayRecords(decoder, { bytes, start, end: frame.end }, frame, from, target);
  const raw = unpacked(bytes.subarray(start, frame.end));
  const payload = { bytes: raw, start: 0, end: raw.length };
  return replayRecords(new ChangeDecoder(raw), payload, frame, from, target);
}

interface Payload {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

function replayRecords(
  decoder: ChangeDecoder,
  { bytes, start, end }: Payload,
  frame: FoundFrame,
  from: number,
  target: ChangeTarget,
): number {
  let sequence = frame.first;
  let applied = 0;
  const records = forEachRecord(bytes, start, end, (recordStart, recordEnd) => {
    if (sequence++ < from) return;
    decoder.decode(recordStart, recordEnd, target);
    applied++;
  });
  if (records !== frame.records) throw new MalformedChanges("the number of records is wrong");
  return applied;
}
