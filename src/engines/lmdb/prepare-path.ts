// The place of a file: what stands under its path, and what is made before LMDB opens it.

import { dirname } from "node:path";
import { DiskPathError, DiskStoreOpenError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import { checkFile } from "./check-file.js";
import { type LeaveLock, lockPathOf, provideLockFile } from "./lock-file.js";
import type { OpenFileOptions } from "./open-file.js";

/** Looks at what stands under the path, and creates what is missing. */
export async function preparePath(
  env: Env,
  { path, readOnly }: OpenFileOptions,
): Promise<LeaveLock> {
  const stat = await env.files.stat(path);
  if (stat !== undefined && stat.kind !== "file") {
    throw new DiskPathError(`${path} is not a file, so it cannot hold a store`, {
      hint: "choose another `path`; the directory of a `wal` store is opened with that backend",
    });
  }
  // Where there is something else, LMDB ends the process. Nobody opens it here: closing it again
  // would take away what the other threads of this process have locked in it.
  const lock = await env.files.stat(lockPathOf(path));
  if (lock !== undefined && lock.kind !== "file") {
    throw new DiskPathError(`${lockPathOf(path)} is not a file, and is needed beside the store`, {
      hint: "remove it, or choose another `path`",
    });
  }
  if (stat !== undefined && stat.sizeBytes > 0) {
    await checkFile(env, path);
    return provideLockFile(env, path, { isNew: false, isPassing: readOnly });
  }
  if (readOnly) {
    throw new DiskStoreOpenError(`there is no store at ${path} to be read`, {
      hint: "check `path`, or open the store once for writing so that it is created",
    });
  }
  await makeParent(env, path);
  // First of all: where there is no room for it, nothing is left behind.
  const leave = await provideLockFile(env, path, { isNew: true, isPassing: false });
  const handle = await env.files.open(path, "write");
  await handle.close();
  await env.files.syncDirectory(dirname(path));
  return leave;
}

async function makeParent(env: Env, path: string): Promise<void> {
  try {
    await env.files.makeDirectory(dirname(path));
  } catch (cause) {
    throw new DiskPathError(
      `the directory of ${path} cannot be created: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
        hint: "choose another `path`, or give the process the right to create and write it",
      },
    );
  }
}
