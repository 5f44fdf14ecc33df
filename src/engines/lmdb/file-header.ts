// File header: what the first bytes of a file say before LMDB maps it.
//
// A mapped file that is not what it claims to be can end the process, so a file is looked at first.
// LMDB keeps two meta pages at the beginning of a file and writes them in turn; the one with the
// higher transaction number is in force. Offsets are those of 64-bit systems, little-endian.

import { DiskStoreOpenError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";

const magic = 0xbeefc0de;
const dataVersion = 2;
const metaOffset = 24;
const pageBytesMin = 256;
const pageBytesMax = 65_536;
const headBytes = 2 * pageBytesMax + 256;

export interface FileHeader {
  readonly pageBytes: number;
  /** Page numbers of the roots of the two trees, where there is something in them. */
  readonly roots: readonly number[];
  readonly lastPage: number;
  readonly transaction: number;
}

function readMeta(head: Buffer, page: number): FileHeader | undefined {
  const at = page + metaOffset;
  if (head.length < at + 144 || head.readUInt32LE(at) !== magic) return undefined;
  if (head.readUInt32LE(at + 4) !== dataVersion) return undefined;
  const roots = [head.readBigUInt64LE(at + 64), head.readBigUInt64LE(at + 112)];
  return {
    pageBytes: head.readUInt32LE(at + 24),
    roots: roots.filter((root) => root !== 0xffff_ffff_ffff_ffffn).map(Number),
    lastPage: Number(head.readBigUInt64LE(at + 120)),
    transaction: Number(head.readBigUInt64LE(at + 128)),
  };
}

/** The header in force, or undefined when the bytes are not the beginning of an LMDB file. */
export function parseHeader(head: Buffer): FileHeader | undefined {
  const first = readMeta(head, 0);
  if (first === undefined) return undefined;
  const { pageBytes } = first;
  if (pageBytes < pageBytesMin || pageBytes > pageBytesMax) return undefined;
  const second = readMeta(head, pageBytes);
  if (second === undefined) return undefined;
  return second.transaction > first.transaction ? second : first;
}

function foreign(path: string): DiskStoreOpenError {
  return new DiskStoreOpenError(`${path} is not the file of a store`, {
    hint: "choose another `path`; nothing in the file has been changed",
  });
}

/**
 * Refuses a file that LMDB must not map.
 * @throws DiskStoreOpenError for a file of something else, and for one whose end is missing
 */
export async function checkHeader(env: Env, path: string): Promise<void> {
  const buffer = Buffer.alloc(headBytes);
  const handle = await env.files.open(path, "read");
  let head: Buffer;
  let sizeBytes: number;
  try {
    head = buffer.subarray(0, await handle.read(buffer, 0, buffer.length, 0));
    // Measured afterwards: others may be writing, and files only grow.
    sizeBytes = await handle.size();
  } finally {
    await handle.close();
  }
  const header = parseHeader(head);
  if (header === undefined) throw foreign(path);
  const pages = Math.floor(sizeBytes / header.pageBytes);
  if (header.roots.some((root) => root >= pages)) {
    throw new DiskStoreOpenError(
      `the end of ${path} is missing: it has ${sizeBytes} bytes of ${(header.lastPage + 1) * header.pageBytes}`,
      { hint: "restore the file from a backup; nothing in it has been changed" },
    );
  }
}
