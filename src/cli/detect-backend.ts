// Which backend a path belongs to: by what lies there, never by what its name looks like.

import { DiskPathError } from "../base/errors.js";
import { pathError } from "../engines/wal/open-errors.js";
import { isWalDirectory } from "../engines/wal/survey.js";
import type { Env } from "../env/env.js";

/** @throws DiskPathError when no backend of ours has written there, or nobody may look. */
export async function detectBackend(env: Env, path: string): Promise<"wal"> {
  if (await lookAt(env, path)) return "wal";
  throw new DiskPathError(`${path} is not the directory of a store`, {
    hint: "give the `path` with which the store was opened; a wal store has wal/, last_state/ and LOCK",
  });
}

async function lookAt(env: Env, path: string): Promise<boolean> {
  try {
    return await isWalDirectory(env, path);
  } catch (error) {
    throw pathError(path, error);
  }
}
