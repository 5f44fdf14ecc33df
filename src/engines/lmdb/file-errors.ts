// Errors of a file: what this engine tells of a file that it cannot open, or write to.

import {
  BucketNotFoundError,
  DiskPathError,
  DiskStoreOpenError,
  DiskStoreWriteError,
  isKvError,
  type KvError,
} from "../../base/errors.js";
import { MissingTable } from "./file-tables.js";

/** EINVAL: what every transaction fails with where the locks have been destroyed. */
export const deadLocksCode = 22;

export function foreignFile(path: string): DiskStoreOpenError {
  return new DiskStoreOpenError(`${path} is an LMDB file of something else`, {
    hint: "choose another `path`; nothing in the file has been changed",
  });
}

/** Opening it for writing would make the table anew, empty, and nobody would notice what is lost. */
export function lacksTables(path: string, missing: readonly string[]): DiskStoreOpenError {
  return new DiskStoreOpenError(`${path} is damaged: it has no table ${missing.join(", ")}`, {
    hint: `run \`anykv repair ${path}\` to keep the other tables, or restore it from a backup`,
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** ENOSPC, as lmdb tells it. */
const noSpaceCode = 28;
const pathCodes: ReadonlySet<unknown> = new Set(["ELOOP", "ENOTDIR", "ENAMETOOLONG", "EISDIR"]);

export function openFailure(path: string, cause: unknown): KvError {
  if (isKvError(cause)) return cause;
  if ((cause as { code?: unknown } | null)?.code === deadLocksCode) {
    return new DiskStoreOpenError(`${path} cannot be opened: ${messageOf(cause)}`, {
      cause,
      hint: "if other processes open and close it all the time, try again",
    });
  }
  if (cause instanceof MissingTable) {
    return new BucketNotFoundError(`${path} has no data of a store: ${cause.message}`, {
      cause,
      hint: "check `path`, or open the store once for writing so that its tables are made",
    });
  }
  if (pathCodes.has((cause as NodeJS.ErrnoException | null)?.code)) {
    return new DiskPathError(`${path} cannot be used: ${messageOf(cause)}`, {
      cause,
      hint: "choose another `path`, or correct the links and names on the way to it",
    });
  }
  return new DiskStoreOpenError(`${path} cannot be opened: ${messageOf(cause)}`, {
    cause,
    hint: "check the rights of the file and its directory, and room on the disk",
  });
}

export function writeFailure(path: string, cause: unknown): KvError {
  if (isKvError(cause)) return cause;
  const isFull = (cause as { code?: unknown } | null)?.code === noSpaceCode;
  return new DiskStoreWriteError(`writing to ${path} has failed: ${messageOf(cause)}`, {
    cause,
    hint: `reads go on; ${isFull ? "make room on the disk" : "look at the disk"}, then open the store again`,
  });
}

/** What is written now would be gone with the last one who has the file open. */
export function replaced(path: string): KvError {
  return new DiskStoreWriteError(`the file of ${path} has been replaced or removed`, {
    hint: "nothing was written; close the store and open it again, and do so before replacing its file",
  });
}

// A second environment of this thread would wait for the first, and the first for this thread.
export function stillWaiting(path: string): KvError {
  return new DiskStoreOpenError(
    `${path} was given up here while another process was writing to it, and still is`,
    { hint: "look for a process that is stopped; when it goes on or ends, open the store again" },
  );
}

export function openLockedOut(path: string, timeoutMs: number): KvError {
  return new DiskStoreOpenError(
    `another process has been writing to ${path} for more than ${timeoutMs} ms`,
    {
      hint: "look for a process that is stopped, or raise the `timeout` of the store; nothing was changed",
    },
  );
}

export function lockedOut(path: string, timeoutMs: number): KvError {
  return new DiskStoreWriteError(
    `another process has been writing to ${path} for more than ${timeoutMs} ms`,
    { hint: "look for a process that is stopped, or raise `disk.timeout`; nothing was changed" },
  );
}
