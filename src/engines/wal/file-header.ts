// File header: the first 36 bytes of segments and of states, in every version of the format.
//
//   | magic 6 | version 2 | number 8 | store 16 | crc 4 |
//
// `number` is that of the first record of a segment, and of the last record that a state is sure to
// hold. The checksum tells one file from every other: what lies in a file carries its `place`, which
// is counted from it.

import { crc32 } from "node:zlib";

export const formatVersion = 1;
export const storeIdBytes = 16;
export const fileHeaderBytes = 36;
const magicBytes = 6;
const checkedBytes = 32;

export interface FileHeader {
  readonly version: number;
  readonly number: number;
  readonly store: Uint8Array;
  /** The checksum, from which the places in the file are counted. */
  readonly origin: number;
}

/** What a frame or block at `offset` carries in a file whose header has the checksum `origin`. */
export function placeAt(origin: number, offset: number): number {
  return (origin + offset) >>> 0;
}

/** The headers of one kind of file. */
export class HeaderFormat {
  readonly #magic: Buffer;

  constructor(magic: string) {
    this.#magic = Buffer.from(magic, "latin1");
  }

  encode(number: number, store: Uint8Array): Buffer {
    const header = Buffer.alloc(fileHeaderBytes);
    this.#magic.copy(header, 0);
    header.writeUInt16LE(formatVersion, 6);
    header.writeBigUInt64LE(BigInt(number), 8);
    header.set(store, 16);
    header.writeUInt32LE(crc32(header.subarray(0, checkedBytes)), checkedBytes);
    return header;
  }

  /** Whether the bytes begin as such a header does, be it intact or not. */
  begins(bytes: Buffer): boolean {
    return bytes.subarray(0, magicBytes).equals(this.#magic);
  }

  /** undefined when the bytes are no such header; the version is for the caller to judge. */
  decode(bytes: Buffer): FileHeader | undefined {
    if (bytes.length < fileHeaderBytes) return undefined;
    if (!this.begins(bytes)) return undefined;
    const origin = bytes.readUInt32LE(checkedBytes);
    if (origin !== crc32(bytes.subarray(0, checkedBytes))) return undefined;
    return {
      version: bytes.readUInt16LE(6),
      number: Number(bytes.readBigUInt64LE(8)),
      store: Uint8Array.from(bytes.subarray(16, 16 + storeIdBytes)),
      origin,
    };
  }

  /** The checksum in the header of a file. */
  origin(number: number, store: Uint8Array): number {
    return this.encode(number, store).readUInt32LE(checkedBytes);
  }
}
