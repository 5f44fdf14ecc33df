// Files: what durable engines ask of a file system, small enough to simulate and to wrap.
//
// What is durable
// 1. Bytes and length of a file: after its `sync` or `dataSync` has resolved. Before that, a crash
//    may keep any part of what was written, in any order.
// 2. Names (creation, rename, removal): after `syncDirectory` of the directory that holds the name.
//    Before that, a crash may keep or undo each of them on its own.
// 3. Nothing else. `close` in particular makes nothing durable.
//
// Errors are those of the system, unchanged (Node's own, with `code`, `syscall` and mostly `path`);
// each method names those that callers tell apart. What failed once may have been done in part. A
// failed `sync` or `dataSync` is final: the system may have dropped the bytes, and a repeated call
// would report a success that means nothing.

/**
 * - `read`: the file must exist (`ENOENT`) and is not written to.
 * - `write`: read and write; created empty when there is none, kept as it is otherwise.
 * - `append`: as `write`, and every write goes to the end of the file.
 * - `create`: read and write a new file; `EEXIST` when the name is taken. Of several at once, one wins.
 *
 * New files belong to their owner alone: mode 0600.
 */
export type OpenMode = "read" | "write" | "append" | "create";

export interface FileStat {
  readonly kind: "file" | "directory" | "other";
  readonly sizeBytes: number;
}

/**
 * One open file. The calls on a handle are not queued: the caller awaits one write before the next.
 * Buffers belong to the handle until the call has settled, and to the caller again afterwards.
 */
export interface FileHandle {
  /**
   * Fills `length` bytes of `buffer` from `offset` on with those at `position` of the file, and
   * resolves with how many there were: fewer than `length` only at the end of the file.
   */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  /**
   * Writes all bytes at `position`; without one behind the previous such write of this handle (the
   * first at 0), or at the end in mode `append`, which takes no `position`. Durable: nothing yet.
   * After a rejection (`ENOSPC`, `EIO`, `EFBIG`) any first part of the bytes may have been written.
   */
  write(bytes: Uint8Array, position?: number): Promise<void>;
  /** Makes bytes and length durable; a rejection is final. */
  dataSync(): Promise<void>;
  /** `dataSync`, and times and permissions too. */
  sync(): Promise<void>;
  /** Cuts the file, or extends it by zeros, to `length` bytes. Durable after a sync. */
  truncate(length: number): Promise<void>;
  /** The present length in bytes. */
  size(): Promise<number>;
  /** Gives the handle back; durable is what was synced before. A second call does nothing. */
  close(): Promise<void>;
}

export interface Files {
  /** Opens or creates a file; a new name is durable after `syncDirectory`. */
  open(path: string, mode: OpenMode): Promise<FileHandle>;
  /**
   * Gives a file another name, atomically replacing a file of that name: everyone sees the old or
   * the new one. Durable after `syncDirectory` of both directories; sync the file itself first.
   */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file: `ENOENT` when there is none. Durable after `syncDirectory`. */
  remove(path: string): Promise<void>;
  /** The names in a directory, ascending by code unit, without `.` and `..`. */
  list(directory: string): Promise<string[]>;
  /**
   * Creates a directory of mode 0750 and those missing above it; fine when it exists. Resolves with
   * the topmost one created: all from its parent down need `syncDirectory` to be durable.
   */
  makeDirectory(path: string): Promise<string | undefined>;
  /** Makes the names in a directory durable. Where a system has no such call, it does nothing. */
  syncDirectory(path: string): Promise<void>;
  /** What stands under a path, links followed; undefined when there is nothing. */
  stat(path: string): Promise<FileStat | undefined>;
  /** The whole content of a file; the bytes belong to the caller. */
  readAll(path: string): Promise<Uint8Array>;
}
