// Lock file: the file beside the data in which LMDB keeps who reads and who writes.
//
// LMDB makes it by setting its length and maps it. Its pages are then claimed when they are touched,
// and where there is no room left for one the system ends the process (SIGBUS). So it is made here,
// with all its pages:
//
//   zeros written to a temporary file --> link to <path>-lock --> temporary name removed
//
// Whoever only reads keeps the temporary name until it leaves: see lock-token.ts.
//
// Invariants
// 1. The lock file appears with its full length, or not at all. Of several who make it at once one
//    wins, and the others take what is there: a lock file that exists is never written to here.
// 2. Zeros are what LMDB finds in a file that it has made itself: whoever opens it as the only one
//    has an exclusive lock on it, makes the locks, and only then lets the others in.
// 3. The file is not opened here once it has its name. Closing it would take away what other threads
//    of this process have locked in it.
//
// File systems without hard links, and directories that may not be written, leave it to LMDB. A file
// that LMDB has made stays as it is, and file systems that write every page to a new place (Btrfs,
// ZFS) may claim room at each touch: there a full disk can still end the process.

import { link } from "node:fs/promises";
import type { Env } from "../../env/env.js";
import { removeAbandoned, temporaryName } from "../../env/temporary-files.js";
import { endLockFile, keepLockFile, namedFile } from "./lock-token.js";

// Threads and processes that read at the same time; the first one to open a file decides.
export const readersMax = 1_024;

/** A slot of 64 bytes for each reader, and what LMDB has before them, in whole pages. */
export const lockBytes = readersMax * 64 + 8_192;

// What a new store has to write before it is one. LMDB writes its first two pages at once, and does
// not take a file for its own in which there was room for one of them only.
const firstPagesBytes = 131_072;

/** The file in which LMDB keeps who reads and who writes. */
export function lockPathOf(path: string): string {
  return `${path}-lock`;
}

const noRoom: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EIO"]);

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException | null)?.code;

export interface LockNeeds {
  /** There has to be room for the first pages of a store as well. */
  readonly isNew: boolean;
  /** A lock file that is made here is taken away again when nobody else has come. */
  readonly isPassing: boolean;
}

/** To be called when the file has been closed again, or could not be opened. */
export type LeaveLock = () => Promise<void>;

const stay: LeaveLock = async () => {};

// Every failed attempt means that somebody else has come or gone in between.
const attemptsMax = 1_000;

/**
 * Sees to it that there is a lock file.
 * @throws what the file system throws when there is no room: nothing is left behind then
 */
export async function provideLockFile(
  env: Env,
  path: string,
  needs: LockNeeds,
): Promise<LeaveLock> {
  const lock = lockPathOf(path);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (await keepLockFile(env, lock)) return stay;
    await removeAbandoned(env, lock);
    const made = await makeLockFile(env, lock, needs);
    if (made !== undefined) return made;
  }
  return stay;
}

/** undefined when another one was faster. */
async function makeLockFile(
  env: Env,
  lock: string,
  { isNew, isPassing }: LockNeeds,
): Promise<LeaveLock | undefined> {
  const temporary = await temporaryName(env, lock);
  const removeTemporary = () => env.files.remove(temporary).catch(() => {});
  try {
    await writeZeros(env, temporary, isNew ? firstPagesBytes : 0);
    await link(temporary, lock);
    // Where the names of a file are not counted, nobody would see the token.
    if (isPassing && (await namedFile(temporary))?.nlink === 2n) {
      return () => endLockFile(env, lock, temporary);
    }
  } catch (error) {
    await removeTemporary();
    const code = codeOf(error);
    if (noRoom.has(code)) throw error;
    return code === "EEXIST" ? undefined : stay;
  }
  await removeTemporary();
  return stay;
}

async function writeZeros({ files }: Env, path: string, roomBytes: number): Promise<void> {
  const file = await files.open(path, "create");
  try {
    await file.write(Buffer.alloc(lockBytes + roomBytes));
    await file.truncate(lockBytes);
  } finally {
    await file.close();
  }
}
