// State format, version 1: the whole data at some point of the log; see docs/formats/wal.md.
//
//   header  | "AKVSTA" | version 2 | replay 8 | store 16 | crc 4 |                      36 bytes
//   block   | "AKVB" | crc 4 | length 4 | rawLength 4 | codec 1 | pad 3 | payload       20 bytes, payload
//   footer  | "AKVE" | crc 4 | blocks 4 | rows 8 | until 8 |                            28 bytes

import { crc32 } from "node:zlib";
import { formatVersion, storeIdBytes } from "./log-format.js";

const headerMagic = Buffer.from("AKVSTA", "latin1");
const blockMagic = Buffer.from("AKVB", "latin1");
const footerMagic = Buffer.from("AKVE", "latin1");
export const stateHeaderBytes = 36;
export const blockHeaderBytes = 20;
export const footerBytes = 28;
const checkedFrom = 8;

export const codecs = { none: 0, deflate: 1 } as const;

export interface StateHeader {
  readonly version: number;
  /** Records after this one have to be replayed. */
  readonly replay: number;
  readonly store: Uint8Array;
}

export interface BlockHeader {
  readonly length: number;
  readonly rawLength: number;
  readonly codec: number;
}

export interface StateFooter {
  readonly blocks: number;
  readonly rows: number;
  /** The last record that may be contained. */
  readonly until: number;
}

export function encodeStateHeader(replay: number, store: Uint8Array): Buffer {
  const header = Buffer.alloc(stateHeaderBytes);
  headerMagic.copy(header, 0);
  header.writeUInt16LE(formatVersion, 6);
  header.writeBigUInt64LE(BigInt(replay), 8);
  header.set(store, 16);
  header.writeUInt32LE(crc32(header.subarray(0, 32)), 32);
  return header;
}

export function decodeStateHeader(bytes: Buffer): StateHeader | undefined {
  if (bytes.length < stateHeaderBytes || !bytes.subarray(0, 6).equals(headerMagic)) {
    return undefined;
  }
  if (bytes.readUInt32LE(32) !== crc32(bytes.subarray(0, 32))) return undefined;
  return {
    version: bytes.readUInt16LE(6),
    replay: Number(bytes.readBigUInt64LE(8)),
    store: Uint8Array.from(bytes.subarray(16, 16 + storeIdBytes)),
  };
}

export function encodeBlock(payload: Uint8Array, rawLength: number, codec: number): Buffer {
  const block = Buffer.alloc(blockHeaderBytes + payload.length);
  blockMagic.copy(block, 0);
  block.writeUInt32LE(payload.length, 8);
  block.writeUInt32LE(rawLength, 12);
  block[16] = codec;
  block.set(payload, blockHeaderBytes);
  block.writeUInt32LE(crc32(block.subarray(checkedFrom)), 4);
  return block;
}

/** The block at `offset`, or undefined when no whole, checked block lies there. */
export function decodeBlock(bytes: Buffer, offset: number): BlockHeader | undefined {
  if (bytes.length - offset < blockHeaderBytes) return undefined;
  if (blockMagic.compare(bytes, offset, offset + blockMagic.length) !== 0) return undefined;
  const length = bytes.readUInt32LE(offset + 8);
  const end = offset + blockHeaderBytes + length;
  if (end > bytes.length) return undefined;
  if (bytes.readUInt32LE(offset + 4) !== crc32(bytes.subarray(offset + checkedFrom, end))) {
    return undefined;
  }
  return {
    length,
    rawLength: bytes.readUInt32LE(offset + 12),
    codec: bytes[offset + 16] as number,
  };
}

export function encodeFooter(footer: StateFooter): Buffer {
  const bytes = Buffer.alloc(footerBytes);
  footerMagic.copy(bytes, 0);
  bytes.writeUInt32LE(footer.blocks, 8);
  bytes.writeBigUInt64LE(BigInt(footer.rows), 12);
  bytes.writeBigUInt64LE(BigInt(footer.until), 20);
  bytes.writeUInt32LE(crc32(bytes.subarray(checkedFrom)), 4);
  return bytes;
}

export function decodeFooter(bytes: Buffer, offset: number): StateFooter | undefined {
  if (bytes.length - offset !== footerBytes) return undefined;
  if (footerMagic.compare(bytes, offset, offset + footerMagic.length) !== 0) return undefined;
  if (bytes.readUInt32LE(offset + 4) !== crc32(bytes.subarray(offset + checkedFrom))) {
    return undefined;
  }
  return {
    blocks: bytes.readUInt32LE(offset + 8),
    rows: Number(bytes.readBigUInt64LE(offset + 12)),
    until: Number(bytes.readBigUInt64LE(offset + 20)),
  };
}
