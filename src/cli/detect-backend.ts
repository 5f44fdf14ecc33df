// Which backend a path belongs to: by what lies there, never by what its name looks like.

import { DiskPathError } from "../base/errors.js";
import { pathError } from "../engines/wal/open-errors.js";
import { isWalDirectory } from "../engines/wal/survey.js";
import type { Env } from "../env/env.js";

export type BackendOfFiles = "wal" | "disk";

/** @throws DiskPathError when no backend of ours has written there, or nobody may look. */
export async function detectBackend(env: Env, path: string): Promise<BackendOfFiles> {
  const found = await findBackend(env, path);
  if (found !== undefined) return found;
  throw new DiskPathError(`${path} is neither the file nor the directory of a store`, {
    hint:
      "give the `path` with which the store was opened; " +
      "a disk store is a file, a wal store has wal/, last_state/ and LOCK",
  });
}

/** As `detectBackend`, but undefined where there is nothing of ours. */
export async function findBackend(env: Env, path: string): Promise<BackendOfFiles | undefined> {
  try {
    // Whether it is the file of a store is for those to tell who read it.
    if ((await env.files.stat(path))?.kind === "file") return "disk";
    return (await isWalDirectory(env, path)) ? "wal" : undefined;
  } catch (error) {
    throw pathError(path, error);
  }
}
