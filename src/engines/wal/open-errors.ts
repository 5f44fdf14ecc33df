// Why files do not open: damage, a version from elsewhere, a path or a system that refuses.
//
// Every refusal names the file, the offset where there is one, and what the user can do.

import { dirname } from "node:path";
import { DiskPathError, DiskStoreOpenError, isKvError, type KvError } from "../../base/errors.js";
import { formatVersion } from "./file-header.js";

/** Bytes that were durable once and are wrong now. */
export function damage(path: string, offset: number, what: string, cause?: unknown): never {
  throw new DiskStoreOpenError(`${what} at byte ${offset} of ${path}`, {
    cause,
    hint:
      `run \`anykv verify ${storeOf(path)}\` to see the extent, ` +
      `\`anykv repair ${storeOf(path)}\` to keep what checks out`,
  });
}

/** Refuses a file of another version of the format: nothing in it is touched. */
export function requireVersion(path: string, version: number): void {
  if (version === formatVersion) return;
  throw new DiskStoreOpenError(
    `the format version at byte 6 of ${path} is ${version}, this is version ${formatVersion}`,
    { hint: "open it with the version of anykv that wrote it" },
  );
}

/** The directory of the store that a file, or one of its two directories, belongs to. */
function storeOf(path: string): string {
  return /\.(log|state)$/.test(path) ? dirname(dirname(path)) : dirname(path);
}

// Opening writes a little: the lock, and what recovery makes sure of.
const roomCodes: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EROFS"]);

function noRoom(path: string, cause: unknown): DiskStoreOpenError | undefined {
  if (!roomCodes.has((cause as NodeJS.ErrnoException | null)?.code)) return undefined;
  return new DiskStoreOpenError(`the files in ${path} cannot be written: ${messageOf(cause)}`, {
    cause,
    hint: "make room on the disk, or make it writable, then open the store again",
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** What a failed call on the directory itself means to the user. */
export function pathError(path: string, cause: unknown): KvError {
  if (isKvError(cause)) return cause;
  const full = noRoom(path, cause);
  if (full !== undefined) return full;
  return new DiskPathError(
    `${path} cannot be used as the directory of a store: ${messageOf(cause)}`,
    {
      cause,
      hint:
        (cause as NodeJS.ErrnoException | null)?.code === "ENOTDIR"
          ? "a `wal` store is a directory: choose another `path`; the file of a `disk` store is opened with that backend"
          : "choose another `path`, or give the process the right to create and write it",
    },
  );
}

/** What a failed call on one of the files means to the user. */
export function openError(path: string, cause: unknown): KvError {
  if (isKvError(cause)) return cause;
  const full = noRoom(path, cause);
  if (full !== undefined) return full;
  return new DiskStoreOpenError(`the files in ${path} cannot be read: ${messageOf(cause)}`, {
    cause,
    hint: "check the rights of the files and the health of the disk, then open the store again",
  });
}
