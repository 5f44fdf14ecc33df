// Log format, version 1: the frozen numbers of docs/formats/wal.md and the frames built from them.
//
//   segment  | "AKVLOG" header (file-header.ts) | frame ... |
//   frame    | "AKVF" | crc 4 | length 4 | records 4 | first 8 | durable 8 | place 4 |   36, payload
//   packed   | "AKVZ" | as above, and the payload is rawLength 4 | raw DEFLATE of the payload |
//
// A frame belongs to one place: `place` is the checksum of its segment's header plus its offset.
// Bytes of another store, another segment or another offset (blocks that the file system has used
// before, a log that a user stored as a value) are thereby never mistaken for a frame of the log.
//
// A change of any of these is a new version, with golden files of its own.

import { crc32 } from "node:zlib";
import { HeaderFormat, placeAt } from "./file-header.js";

export const segmentHeader = new HeaderFormat("AKVLOG");

const frameMagic = Buffer.from("AKVF", "latin1");
const packedFrameMagic = Buffer.from("AKVZ", "latin1");
/** What both magics begin with, to search for. */
export const frameMagicStart = Buffer.from("AKV", "latin1");
export const frameHeaderBytes = 36;
/**
 * More than this is not taken into one frame: a reader takes a segment in one piece. A transaction
 * that does not fit is refused before it is logged.
 */
export const framePayloadBytesMax = 2 ** 30;

/** Where the checksum of a frame begins: behind the magic and the checksum itself. */
const frameCheckedFrom = 8;

export interface FrameHeader {
  /** Whether the payload is compressed. */
  readonly packed: boolean;
  /** Bytes of the payload, as it lies in the file. */
  readonly length: number;
  readonly records: number;
  /** Sequence number of the first record. */
  readonly first: number;
  /** Bytes of this segment that were on the disk when the frame was put together. */
  readonly durable: number;
  /** Where the frame belongs; see `placeAt`. */
  readonly place: number;
}

/** Completes a frame whose payload already lies behind the space for its header. */
export function sealFrame(frame: Buffer, header: Omit<FrameHeader, "length">): void {
  (header.packed ? packedFrameMagic : frameMagic).copy(frame, 0);
  frame.writeUInt32LE(frame.length - frameHeaderBytes, 8);
  frame.writeUInt32LE(header.records, 12);
  frame.writeBigUInt64LE(BigInt(header.first), 16);
  frame.writeBigUInt64LE(BigInt(header.durable), 24);
  frame.writeUInt32LE(header.place, 32);
  frame.writeUInt32LE(crc32(frame.subarray(frameCheckedFrom)), 4);
}

function isMagic(magic: Buffer, bytes: Buffer, offset: number): boolean {
  return magic.compare(bytes, offset, offset + magic.length) === 0;
}

/**
 * The header of the frame at `offset`, or undefined when no whole, checked frame lies there that
 * belongs there. Without an `origin` any frame will do, wherever it belongs.
 */
export function decodeFrame(
  bytes: Buffer,
  offset: number,
  origin: number | undefined,
): FrameHeader | undefined {
  if (bytes.length - offset < frameHeaderBytes) return undefined;
  const packed = isMagic(packedFrameMagic, bytes, offset);
  if (!packed && !isMagic(frameMagic, bytes, offset)) return undefined;
  const place = bytes.readUInt32LE(offset + 32);
  if (origin !== undefined && place !== placeAt(origin, offset)) return undefined;
  const length = bytes.readUInt32LE(offset + 8);
  const end = offset + frameHeaderBytes + length;
  if (end > bytes.length) return undefined;
  if (bytes.readUInt32LE(offset + 4) !== crc32(bytes.subarray(offset + frameCheckedFrom, end))) {
    return undefined;
  }
  return {
    packed,
    length,
    records: bytes.readUInt32LE(offset + 12),
    first: Number(bytes.readBigUInt64LE(offset + 16)),
    durable: Number(bytes.readBigUInt64LE(offset + 24)),
    place,
  };
}

const nameDigits = 20;
/** Sequence numbers, and the numbers in names, stay below: they are exact in a double. */
export const numberMax = 2 ** 52;

export function segmentName(first: number): string {
  return `${String(first).padStart(nameDigits, "0")}.log`;
}

export function stateName(replay: number): string {
  return `${String(replay).padStart(nameDigits, "0")}.state`;
}

/** The number in the name of a segment or a state; undefined for names that are not ours. */
export function numberInName(name: string, extension: ".log" | ".state"): number | undefined {
  if (name.length !== nameDigits + extension.length || !name.endsWith(extension)) return undefined;
  const digits = name.slice(0, nameDigits);
  const number = /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
  return number < numberMax ? number : undefined;
}
