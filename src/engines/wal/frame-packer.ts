// Frame packer: the payloads of large frames compressed, where that pays.
//
//   packed payload | rawLength 4 | raw DEFLATE of the payload |
//
// Large frames come from writers that are faster than the disk, or from large values: then fewer
// bytes are worth the work, which a thread of Node's pool does while the next frame is gathered.
// Small frames would gain little, and their writers wait for them.

import { promisify } from "node:util";
import { deflateRaw, inflateRawSync } from "node:zlib";
import { MalformedChanges } from "./change-codec.js";
import { frameHeaderBytes } from "./log-format.js";

const compress = promisify(deflateRaw);

const rawLengthBytes = 4;
const zlibChunkBytes = 1 << 16;
// Fast rather than small: a log is short-lived.
const compressionLevel = 1;
/** It pays to save at least this part of a payload. */
const savedPartMin = 1 / 8;
/** After payloads that did not pay, at most so many frames go without an attempt. */
const pauseFramesMax = 16;

export class FramePacker {
  readonly #payloadBytesMin: number;
  // Frames that go without an attempt: now, and after the next payload that does not pay.
  #pause = 0;
  #nextPause = 1;

  /** Payloads below `payloadBytesMin` are left as they are. */
  constructor(payloadBytesMin: number) {
    this.#payloadBytesMin = payloadBytesMin;
  }

  /**
   * A frame, its header still to be filled in, with the payload of `frame` compressed; undefined
   * when `frame` is to be written as it is.
   */
  async pack(frame: Buffer): Promise<Buffer | undefined> {
    const payload = frame.subarray(frameHeaderBytes);
    if (payload.length < this.#payloadBytesMin) return undefined;
    if (this.#pause > 0) {
      this.#pause--;
      return undefined;
    }
    // In few pieces: every piece waits for its turn of the event loop.
    const packed = await compress(payload, { level: compressionLevel, chunkSize: zlibChunkBytes });
    if (packed.length + rawLengthBytes > payload.length * (1 - savedPartMin)) {
      this.#pause = this.#nextPause;
      this.#nextPause = Math.min(this.#nextPause * 2, pauseFramesMax);
      return undefined;
    }
    this.#nextPause = 1;
    const head = Buffer.alloc(frameHeaderBytes + rawLengthBytes);
    head.writeUInt32LE(payload.length, frameHeaderBytes);
    return Buffer.concat([head, packed]);
  }
}

/**
 * The payload behind a packed one.
 *
 * @throws MalformedChanges when it cannot be unpacked to the length that it tells.
 */
export function unpacked(payload: Buffer): Buffer {
  if (payload.length < rawLengthBytes) throw new MalformedChanges("a packed frame is cut");
  const rawLength = payload.readUInt32LE(0);
  let raw: Buffer;
  try {
    const maxOutputLength = Math.max(1, rawLength);
    raw = inflateRawSync(payload.subarray(rawLengthBytes), { maxOutputLength });
  } catch {
    throw new MalformedChanges("a frame that cannot be unpacked");
  }
  if (raw.length === rawLength) return raw;
  throw new MalformedChanges("a packed frame of wrong length");
}
