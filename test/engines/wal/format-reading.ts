// A reading of the format as its document tells it, which shares nothing with the code. For files in
// order only.

export const headerBytes = 36;

export interface RawFrame {
  readonly offset: number;
  readonly end: number;
  readonly first: number;
  readonly records: number;
  readonly durable: number;
}

export function framesOf(segment: Buffer): RawFrame[] {
  const frames: RawFrame[] = [];
  for (let offset = headerBytes; offset < segment.length; ) {
    const end = offset + 36 + segment.readUInt32LE(offset + 8);
    const records = segment.readUInt32LE(offset + 12);
    const first = Number(segment.readBigUInt64LE(offset + 16));
    const durable = Number(segment.readBigUInt64LE(offset + 24));
    frames.push({ offset, end, first, records, durable });
    offset = end;
  }
  return frames;
}

/** Where the block or the footer around `place` begins. */
export function partOf(state: Buffer, place: number): number {
  for (let offset = headerBytes; ; ) {
    const isBlock = state.toString("latin1", offset, offset + 4) === "AKVB";
    const end = offset + (isBlock ? 24 + state.readUInt32LE(offset + 8) : 32);
    if (place < end) return offset;
    offset = end;
  }
}

/**
 * The files as a power cut may leave them: without the frame that closing appends to the last segment
 * to claim what is before it.
 */
export function unclaimed(files: ReadonlyMap<string, Buffer>): Map<string, Buffer> {
  const last = [...files.keys()]
    .filter((path) => path.endsWith(".log"))
    .sort()
    .at(-1);
  const segment = files.get(last ?? "") ?? Buffer.alloc(0);
  const frame = framesOf(segment).at(-1);
  if (last === undefined || frame === undefined || frame.records > 0) return new Map(files);
  return new Map(files).set(last, segment.subarray(0, frame.offset));
}
