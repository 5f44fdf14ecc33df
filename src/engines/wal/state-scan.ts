// State scan: the parts of a state in the order in which they lie, with what is unreadable between
// them. Opening takes the first unreadable part for damage; repair goes on behind it.

import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import { placeAt } from "./file-header.js";
import type { FileWindow } from "./file-window.js";
import {
  type BlockHeader,
  blockHeaderBytes,
  blockMagic,
  codecs,
  decodeBlock,
  decodeFooter,
  footerBytes,
  footerMagic,
  peekBlock,
  type StateFooter,
} from "./state-format.js";

const decompress = promisify(inflateRaw);

// How far the search for the next part looks at once.
const searchBytes = 1 << 20;

interface Span {
  readonly offset: number;
  readonly end: number;
}

export type StatePart =
  | (Span & { readonly kind: "block"; readonly raw: Buffer })
  | (Span & { readonly kind: "footer"; readonly footer: StateFooter })
  | (Span & { readonly kind: "unreadable"; readonly what: string });

/** The parts from `start` on; those that do not belong to `origin` are unreadable. */
export async function* scanState(
  file: FileWindow,
  start: number,
  origin: number | undefined,
): AsyncGenerator<StatePart> {
  for (let offset = start; offset < file.sizeBytes; ) {
    const part = (await partAt(file, offset, origin)) ?? (await gapAt(file, offset, origin));
    yield part;
    offset = part.end;
  }
}

/** The first part that checks out wherever it belongs: its `place` tells the origin of the file. */
export async function inferOrigin(file: FileWindow, start: number): Promise<number | undefined> {
  const offset = await findPart(file, start, undefined);
  if (offset === undefined) return undefined;
  const found = await headerAt(file, offset, undefined);
  return found === undefined ? undefined : (found.place - offset) >>> 0;
}

async function headerAt(
  file: FileWindow,
  offset: number,
  origin: number | undefined,
): Promise<BlockHeader | StateFooter | undefined> {
  const start = await file.at(offset, footerBytes);
  const belongs = (place: number): boolean =>
    origin === undefined || place === placeAt(origin, offset);
  const footer = decodeFooter(start);
  if (footer !== undefined) return belongs(footer.place) ? footer : undefined;
  const block = peekBlock(start);
  if (block === undefined || !belongs(block.place)) return undefined;
  const length = blockHeaderBytes + block.length;
  return length > file.sizeBytes - offset ? undefined : decodeBlock(await file.at(offset, length));
}

async function partAt(
  file: FileWindow,
  offset: number,
  origin: number | undefined,
): Promise<StatePart | undefined> {
  const header = await headerAt(file, offset, origin);
  if (header === undefined) return undefined;
  if ("until" in header) {
    return { kind: "footer", offset, end: offset + footerBytes, footer: header };
  }
  const end = offset + blockHeaderBytes + header.length;
  const bytes = await file.at(offset, end - offset);
  const raw = await unpack(bytes.subarray(blockHeaderBytes, end - offset), header);
  if (typeof raw === "string") return { kind: "unreadable", offset, end, what: raw };
  return { kind: "block", offset, end, raw };
}

/** The rows of a block, or what is wrong with it. */
async function unpack(
  payload: Buffer,
  { codec, rawLength }: BlockHeader,
): Promise<Buffer | string> {
  if (codec === codecs.none) return payload;
  if (codec !== codecs.deflate) return `unknown codec ${codec}`;
  try {
    const raw = await decompress(payload, { maxOutputLength: Math.max(1, rawLength) });
    return raw.length === rawLength ? raw : "a block of wrong length";
  } catch {
    return "a block that cannot be unpacked";
  }
}

async function gapAt(
  file: FileWindow,
  offset: number,
  origin: number | undefined,
): Promise<StatePart> {
  const end = (await findPart(file, offset + 1, origin)) ?? file.sizeBytes;
  return { kind: "unreadable", offset, end, what: "unreadable block" };
}

async function findPart(
  file: FileWindow,
  start: number,
  origin: number | undefined,
): Promise<number | undefined> {
  for (let from = start; from < file.sizeBytes; ) {
    const bytes = (await file.at(from, searchBytes)).subarray(0, searchBytes);
    for (const at of magicsIn(bytes)) {
      if ((await headerAt(file, from + at, origin)) !== undefined) return from + at;
    }
    // A magic may lie across the end of what was searched.
    from += Math.max(1, bytes.length - blockMagic.length + 1);
  }
  return undefined;
}

function* magicsIn(bytes: Buffer): Generator<number> {
  let block = bytes.indexOf(blockMagic);
  let footer = bytes.indexOf(footerMagic);
  while (block >= 0 || footer >= 0) {
    if (footer < 0 || (block >= 0 && block < footer)) {
      yield block;
      block = bytes.indexOf(blockMagic, block + 1);
    } else {
      yield footer;
      footer = bytes.indexOf(footerMagic, footer + 1);
    }
  }
}
