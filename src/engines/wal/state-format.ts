// State format, version 1: the whole data at some point of the log; see docs/formats/wal.md.
//
//   header  | "AKVSTA" header (file-header.ts) |                                      36 bytes
//   block   | "AKVB" | crc 4 | length 4 | rawLength 4 | codec 1 | pad 3 | place 4 |   24, payload
//   footer  | "AKVE" | crc 4 | blocks 4 | place 4 | rows 8 | until 8 |                32 bytes
//
// `place` binds blocks and footer to their file and offset, as with the frames of a segment.

import { crc32 } from "node:zlib";
import { HeaderFormat } from "./file-header.js";

export const stateHeader = new HeaderFormat("AKVSTA");
export const blockMagic = Buffer.from("AKVB", "latin1");
export const footerMagic = Buffer.from("AKVE", "latin1");
export const blockHeaderBytes = 24;
export const footerBytes = 32;
/** A block holds some hundred KiB of rows, or one row that is larger than that. */
export const blockPayloadBytesMax = 2 ** 31 - 1 - blockHeaderBytes;
const checkedFrom = 8;

export const codecs = { none: 0, deflate: 1 } as const;

export interface BlockHeader {
  readonly length: number;
  readonly rawLength: number;
  readonly codec: number;
  readonly place: number;
}

export interface StateFooter {
  readonly blocks: number;
  readonly rows: number;
  /** The last record that may be contained. */
  readonly until: number;
  readonly place: number;
}

export function encodeBlock(payload: Uint8Array, header: Omit<BlockHeader, "length">): Buffer {
  const block = Buffer.alloc(blockHeaderBytes + payload.length);
  blockMagic.copy(block, 0);
  block.writeUInt32LE(payload.length, 8);
  block.writeUInt32LE(header.rawLength, 12);
  block[16] = header.codec;
  block.writeUInt32LE(header.place, 20);
  block.set(payload, blockHeaderBytes);
  block.writeUInt32LE(crc32(block.subarray(checkedFrom)), 4);
  return block;
}

/** What the block at the start of `bytes` says about itself, unchecked; undefined when none begins there. */
export function peekBlock(bytes: Buffer): BlockHeader | undefined {
  if (bytes.length < blockHeaderBytes) return undefined;
  if (blockMagic.compare(bytes, 0, blockMagic.length) !== 0) return undefined;
  const length = bytes.readUInt32LE(8);
  if (length > blockPayloadBytesMax) return undefined;
  return {
    length,
    rawLength: bytes.readUInt32LE(12),
    codec: bytes[16] as number,
    place: bytes.readUInt32LE(20),
  };
}

/** The block at the start of `bytes`, or undefined when no whole, checked block lies there. */
export function decodeBlock(bytes: Buffer): BlockHeader | undefined {
  const header = peekBlock(bytes);
  if (header === undefined) return undefined;
  const end = blockHeaderBytes + header.length;
  if (end > bytes.length) return undefined;
  return bytes.readUInt32LE(4) === crc32(bytes.subarray(checkedFrom, end)) ? header : undefined;
}

export function encodeFooter(footer: StateFooter): Buffer {
  const bytes = Buffer.alloc(footerBytes);
  footerMagic.copy(bytes, 0);
  bytes.writeUInt32LE(footer.blocks, 8);
  bytes.writeUInt32LE(footer.place, 12);
  bytes.writeBigUInt64LE(BigInt(footer.rows), 16);
  bytes.writeBigUInt64LE(BigInt(footer.until), 24);
  bytes.writeUInt32LE(crc32(bytes.subarray(checkedFrom)), 4);
  return bytes;
}

/** The footer at the start of `bytes`, or undefined when no checked footer lies there. */
export function decodeFooter(bytes: Buffer): StateFooter | undefined {
  if (bytes.length < footerBytes) return undefined;
  if (footerMagic.compare(bytes, 0, footerMagic.length) !== 0) return undefined;
  if (bytes.readUInt32LE(4) !== crc32(bytes.subarray(checkedFrom, footerBytes))) return undefined;
  return {
    blocks: bytes.readUInt32LE(8),
    place: bytes.readUInt32LE(12),
    rows: Number(bytes.readBigUInt64LE(16)),
    until: Number(bytes.readBigUInt64LE(24)),
  };
}
