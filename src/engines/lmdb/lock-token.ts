// Lock token: a second name of the lock file, which its maker keeps as long as it means to take the
// file away again. So reading a store, or a backup, that nobody else uses leaves nothing beside it.
//
// Whoever else opens the store removes the token first, and the lock file stays. The maker ends it
//
//   <token> renamed to <token>-ending --> <path>-lock removed --> <token>-ending removed
//
// Invariants
// 1. A lock file without a token is never taken away; one that is opened has none. Otherwise two
//    would work on one store with a lock file each.
// 2. Either the maker renames the token or somebody else removes it; nobody can do both.
// 3. Whoever finds a token that is ending waits until the file has gone, and makes one anew.
//
// Programs that know nothing of this must not open a store at the moment in which its last reader
// leaves it. A lock file of LMDB's own, or one whose maker was killed, stays.

import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DiskStoreOpenError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import { removeAbandoned } from "../../env/temporary-files.js";

const endingSuffix = "-ending";
// Ending takes two calls of the file system, unless the process is stopped between them.
const turnsMax = 10_000;

/** Which file a name stands for, and whether it has got or lost a name since. */
export interface NamedFile {
  readonly ino: bigint;
  readonly dev: bigint;
  readonly nlink: bigint;
  readonly ctimeNs: bigint;
}

/** undefined when there is nothing of that name. */
export async function namedFile(path: string): Promise<NamedFile | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Sees to it that nobody takes the lock file away any more; false when there is none (any more).
 * @throws DiskStoreOpenError when a process is stopped while it takes it away
 */
export async function keepLockFile(env: Env, lock: string): Promise<boolean> {
  for (let turn = 0; turn < turnsMax; turn++) {
    const found = await namedFile(lock);
    if (found === undefined) return false;
    if (found.nlink === 1n) return true;
    await removeAbandoned(env, lock);
    const tokens = await tokensOf(env, lock, found);
    // The other names of the file are none of ours.
    if (tokens.length === 0 && isUnchanged(found, await namedFile(lock))) return true;
    for (const token of tokens) {
      if (!token.endsWith(endingSuffix)) await env.files.remove(token).catch(() => {});
    }
    await env.timers.breathe();
  }
  throw new DiskStoreOpenError(
    `${lock} is being removed by another process, which does not go on`,
    {
      hint: `look for a process that is stopped; when there is none, remove ${lock}.*`,
    },
  );
}

/** Takes the lock file away if nobody has opened it since it was made. Nobody may have it open. */
export async function endLockFile({ files }: Env, lock: string, token: string): Promise<void> {
  const ending = token + endingSuffix;
  try {
    await files.rename(token, ending);
  } catch {
    // Somebody else uses it.
    return;
  }
  // What cannot be removed stays, and then for good.
  await files.remove(lock).catch(() => {});
  await files.remove(ending).catch(() => {});
}

async function tokensOf({ files }: Env, lock: string, file: NamedFile): Promise<string[]> {
  const directory = dirname(lock);
  const prefix = `${basename(lock)}.`;
  const tokens: string[] = [];
  for (const name of await files.list(directory).catch((): string[] => [])) {
    const path = join(directory, name);
    if (!name.startsWith(prefix)) continue;
    const found = await namedFile(path).catch(() => undefined);
    if (found?.ino === file.ino && found.dev === file.dev) tokens.push(path);
  }
  return tokens;
}

function isUnchanged(before: NamedFile, after: NamedFile | undefined): boolean {
  const { ino, dev, nlink, ctimeNs } = before;
  return (
    after?.ino === ino && after.dev === dev && after.nlink === nlink && after.ctimeNs === ctimeNs
  );
}
