// File window: a file of any size, read forward in pieces of bounded size; and a file in one piece.

import type { FileHandle, Files } from "../../env/files.js";

const windowBytes = 1 << 20;

export class FileWindow {
  readonly sizeBytes: number;
  readonly #file: FileHandle;
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(file: FileHandle, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  /**
   * The bytes from `offset` on, at least `length` of them unless the file ends before. They are
   * the caller's to keep and nobody's to change: later windows are buffers of their own.
   */
  async at(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(offset + length, this.sizeBytes);
    if (offset < this.#start || end > this.#start + this.#bytes.length) {
      await this.#load(offset, Math.max(length, windowBytes));
    }
    return this.#bytes.subarray(offset - this.#start);
  }

  async #load(offset: number, length: number): Promise<void> {
    const wanted = Math.max(0, Math.min(length, this.sizeBytes - offset));
    const bytes = Buffer.allocUnsafeSlow(wanted);
    const found = await this.#file.read(bytes, 0, wanted, offset);
    this.#bytes = bytes.subarray(0, found);
    this.#start = offset;
  }
}

/** The whole file, without a copy of what was read. */
export async function readWhole(files: Files, path: string): Promise<Buffer> {
  const { buffer, byteOffset, length } = await files.readAll(path);
  return Buffer.from(buffer, byteOffset, length);
}
