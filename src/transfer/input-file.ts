// Input file: a file that is read from its beginning to its end, with what can go wrong as errors
// that name it.

import {
  type KvError,
  SnapshotIOError,
  SnapshotNotFoundError,
  SnapshotPermissionError,
  SnapshotReadError,
} from "../base/errors.js";
import type { Env } from "../env/env.js";
import type { FileHandle } from "../env/files.js";
import { messageOf } from "./transfer.js";

export class InputFile {
  readonly #name: string;
  readonly #handle: FileHandle;
  #position = 0;

  private constructor(name: string, handle: FileHandle) {
    this.#name = name;
    this.#handle = handle;
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
    try {
      return await use(new InputFile(name, handle));
    } finally {
      // Nothing was written: what closing has to say changes nothing about what was read.
      await handle.close().catch(() => {});
    }
  }

  /**
   * Reads on, up to `length` bytes; fewer only at the end of the file.
   *
   * @throws SnapshotReadError
   */
  async read(buffer: Buffer, offset: number, length: number): Promise<number> {
    try {
      const count = await this.#handle.read(buffer, offset, length, this.#position);
      this.#position += count;
      return count;
    } catch (cause) {
      throw readError(this.#name, cause);
    }
  }
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
