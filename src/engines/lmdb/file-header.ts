// File header: what the first bytes of a file say before LMDB maps it.
//
// A mapped file that is not what it claims to be can end the process, so a file is looked at first.
// LMDB keeps two meta pages at the beginning of a file and writes them in turn; the one with the
// higher transaction number is in force. Offsets are those of 64-bit systems, little-endian.

import { DiskStoreOpenError } from "../../base/errors.js";
import type { FileHandle } from "../../env/files.js";

const magic = 0xbeefc0de;
const dataVersion = 2;
const metaOffset = 24;
/** The kind of a meta page, which stands at byte 18. */
const metaFlag = 8;
const metaBytes = 144;
/** Where the first header says how long a page is, and each page of a header which transaction it is of. */
export const pageBytesAt = metaOffset + 24;
export const transactionAt = metaOffset + 128;
const pageBytesMin = 256;
const pageBytesMax = 65_536;
const headBytes = pageBytesMax + metaOffset + metaBytes;
const noPage = 0xffff_ffff_ffff_ffffn;

/** What the file says of one of its trees. Numbers that no file can have are `NaN`. */
export interface TreeRecord {
  readonly flags: number;
  /** Levels of pages from the root to the rows. */
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
  /** Undefined for an empty tree. */
  readonly root: number | undefined;
}

export const treeRecordBytes = 48;

export interface FileHeader {
  readonly pageBytes: number;
  /** Pages that may be used anew, by the transaction that gave them up. */
  readonly free: TreeRecord;
  /** The databases by name. */
  readonly main: TreeRecord;
  /** The file may be shorter when its last pages are free. */
  readonly lastPage: number;
  readonly transaction: number;
}

/** Both headers of a file. */
export interface FileHeaders {
  readonly current: FileHeader;
  /** The one that is written next. */
  readonly other: FileHeader;
}

/** A number of 8 bytes, where it is one that can be counted with. */
export function readNumber(bytes: Buffer, offset: number): number {
  const number = Number(bytes.readBigUInt64LE(offset));
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

export function readTreeRecord(bytes: Buffer, at: number): TreeRecord {
  const hasRoot = bytes.readBigUInt64LE(at + 40) !== noPage;
  return {
    flags: bytes.readUInt16LE(at + 4),
    depth: bytes.readUInt16LE(at + 6),
    branchPages: readNumber(bytes, at + 8),
    leafPages: readNumber(bytes, at + 16),
    overflowPages: readNumber(bytes, at + 24),
    entries: readNumber(bytes, at + 32),
    root: hasRoot ? readNumber(bytes, at + 40) : undefined,
  };
}

function readMeta(head: Buffer, page: number): FileHeader | undefined {
  const at = page + metaOffset;
  if (head.length < at + metaBytes || head.readUInt32LE(at) !== magic) return undefined;
  if (head.readUInt32LE(at + 4) !== dataVersion) return undefined;
  if ((head.readUInt16LE(page + 18) & metaFlag) === 0) return undefined;
  return {
    pageBytes: head.readUInt32LE(page + pageBytesAt),
    free: readTreeRecord(head, at + 24),
    main: readTreeRecord(head, at + 24 + treeRecordBytes),
    lastPage: readNumber(head, at + 120),
    transaction: readNumber(head, page + transactionAt),
  };
}

/** Undefined when the bytes are not the beginning of an LMDB file. */
export function parseHeaders(head: Buffer): FileHeaders | undefined {
  const first = readMeta(head, 0);
  if (first === undefined) return undefined;
  const { pageBytes } = first;
  if (pageBytes < pageBytesMin || pageBytes > pageBytesMax) return undefined;
  if ((pageBytes & (pageBytes - 1)) !== 0) return undefined;
  const second = readMeta(head, pageBytes);
  if (second === undefined || second.pageBytes !== pageBytes) return undefined;
  const isSecond = second.transaction > first.transaction;
  return isSecond ? { current: second, other: first } : { current: first, other: second };
}

/** The header in force, or undefined when the bytes are not the beginning of an LMDB file. */
export function parseHeader(head: Buffer): FileHeader | undefined {
  return parseHeaders(head)?.current;
}

async function readHead(file: FileHandle): Promise<Buffer> {
  const head = Buffer.alloc(headBytes);
  return head.subarray(0, await file.read(head, 0, head.length, 0));
}

/** The header of a file as it is now. */
export async function readHeader(file: FileHandle): Promise<FileHeader | undefined> {
  return parseHeader(await readHead(file));
}

/** Why the header in force may not be the newest one; undefined when it is. */
export async function headerFault(file: FileHandle): Promise<string | undefined> {
  const { current, other } = parseHeaders(await readHead(file)) ?? {};
  if (current === undefined || other === undefined) return undefined;
  const gap = current.transaction - other.transaction;
  // Also false for what is no number.
  if (gap <= 1) return undefined;
  return `the headers are of the transactions ${other.transaction} and ${current.transaction}`;
}

export function notAStore(path: string): DiskStoreOpenError {
  return new DiskStoreOpenError(`${path} is not the file of a store`, {
    hint: "choose another `path`; nothing in the file has been changed",
  });
}
