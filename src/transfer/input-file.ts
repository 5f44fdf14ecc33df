// Input file: a file that is read from its beginning to its end, with what can go wrong as errors
// that name it. While a piece is being worked on, the next one is read already.

import {
  type KvError,
  SnapshotIOError,
  SnapshotNotFoundError,
  SnapshotPermissionError,
  SnapshotReadError,
} from "../base/errors.js";
import type { Env } from "../env/env.js";
import type { FileHandle } from "../env/files.js";
import { chunkBytes, messageOf } from "./transfer.js";

export class InputFile {
  readonly #name: string;
  readonly #handle: FileHandle;
  #position = 0;
  readonly #ahead: Buffer = Buffer.allocUnsafe(chunkBytes);
  /** The reading of the next piece into `#ahead`; it never rejects. */
  #reading: Promise<number | Failure>;

  private constructor(name: string, handle: FileHandle) {
    this.#name = name;
    this.#handle = handle;
    this.#reading = this.#readAhead();
  }

  /**
   * Opens the file for as long as `use` takes.
   *
   * @throws SnapshotNotFoundError, SnapshotPermissionError, SnapshotIOError; SnapshotReadError for a
   * directory.
   */
  static async with<Result>(
    { files }: Env,
    name: string,
    use: (file: InputFile) => Promise<Result>,
  ): Promise<Result> {
    const handle = await files.open(name, "read").catch((cause: unknown) => {
      throw openError(name, cause);
    });
    const file = new InputFile(name, handle);
    try {
      return await use(file);
    } finally {
      await file.#reading;
      // Nothing was written: what closing has to say changes nothing about what was read.
      await handle.close().catch(() => {});
    }
  }

  /**
   * Puts the next piece of the file into the buffer and resolves with its length: `chunkBytes`, or
   * less at the end of the file and only there.
   *
   * @throws SnapshotReadError
   */
  async read(buffer: Buffer, offset: number): Promise<number> {
    const count = await this.#reading;
    if (typeof count !== "number") throw readError(this.#name, count.cause);
    this.#ahead.copy(buffer, offset, 0, count);
    this.#position += count;
    if (count === chunkBytes) this.#reading = this.#readAhead();
    return count;
  }

  #readAhead(): Promise<number | Failure> {
    const reading = this.#handle.read(this.#ahead, 0, chunkBytes, this.#position);
    return reading.catch((cause: unknown) => ({ cause }));
  }
}

interface Failure {
  readonly cause: unknown;
}

function openError(name: string, cause: unknown): KvError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT") {
    return new SnapshotNotFoundError(`the file ${name} does not exist`, { cause });
  }
  if (code === "EACCES" || code === "EPERM") {
    return new SnapshotPermissionError(`the file ${name} may not be read`, { cause });
  }
  if (code === "EISDIR") return readError(name, cause);
  const message = `the file ${name} cannot be opened: ${messageOf(cause)}`;
  return new SnapshotIOError(message, { cause });
}

function readError(name: string, cause: unknown): KvError {
  if ((cause as NodeJS.ErrnoException).code === "EISDIR") {
    return new SnapshotReadError(`${name} is a directory, not a file`, { cause });
  }
  const message = `the file ${name} cannot be read: ${messageOf(cause)}`;
  return new SnapshotReadError(message, { cause });
}
