// Replace file: a name has its old content until the new one is complete and on the disk.
//
//   directories made -> somebody fills a new file beside the target -> synced -> renamed over the
//   target -> directory synced
//
// Invariants
// 1. Until the rename the target is not touched, whatever fails; after it the target is the new
//    file. If the last step fails, the new content is there but a power cut may bring the old back.
// 2. When this function has rejected, its temporary file is gone, unless it cannot be removed. A
//    process that is killed leaves it behind, and the next one that replaces the same target removes
//    it (temporary-files.ts).
// 3. Two at once on one target do not disturb each other: the later rename wins.

import { dirname } from "node:path";
import { SnapshotExportError } from "../base/errors.js";
import type { Env } from "../env/env.js";
import type { Files } from "../env/files.js";
import { removeAbandoned, temporaryName } from "../env/temporary-files.js";

export interface Replacement<Result> {
  /** Absolute. A link is replaced itself, not what it leads to. */
  readonly target: string;
  /**
   * Makes the file of this name and closes it again. The name is unused and in the directory of the
   * target; syncing is not asked for. Other files that it needs beside this one are its own to
   * remove. New files should belong to their owner alone, mode 0600.
   */
  readonly fill: (temporary: string) => Promise<Result>;
  /**
   * Rejects when the target must stay. Called before anything is made, and again right before the
   * rename: until then somebody may have made a file there.
   */
  readonly refuse: (target: string) => Promise<void>;
  /** Called when the file is on the disk, right before the rename: the last moment to throw. */
  readonly beforeRename?: () => void;
}

/**
 * Resolves with the result of `fill` when the target durably is the file that it made.
 *
 * @throws SnapshotExportError when the target is a directory or a device; otherwise what `fill`,
 * `refuse`, `beforeRename` and the file system throw, unchanged.
 */
export async function replaceFile<Result>(
  env: Env,
  { target, fill, refuse, beforeRename }: Replacement<Result>,
): Promise<Result> {
  const { files } = env;
  await requireReplaceable(files, target);
  await refuse(target);
  await makeDirectories(files, dirname(target));
  await removeAbandoned(env, target);
  const temporary = await temporaryName(env, target);
  try {
    const result = await fill(temporary);
    await syncFile(files, temporary);
    // Writing took its time: somebody may have made or opened the target meanwhile.
    await refuse(target);
    beforeRename?.();
    await files.rename(temporary, target);
    await syncNames(files, dirname(target));
    return result;
  } catch (error) {
    // After the rename there is nothing of that name.
    await files.remove(temporary).catch(() => {});
    throw error;
  }
}

async function requireReplaceable(files: Files, target: string): Promise<void> {
  const found = await files.stat(target);
  if (found === undefined || found.kind === "file") return;
  const kind = found.kind === "directory" ? "a directory" : "neither a file nor a directory";
  throw new SnapshotExportError(`${target} is ${kind} and cannot be replaced by a file`, {
    hint: "choose another `fileName`",
  });
}

/** Directories that are made here outlive a power cut, as the file in them does. */
async function makeDirectories(files: Files, directory: string): Promise<void> {
  const topmost = await files.makeDirectory(directory);
  if (topmost === undefined) return;
  let made = directory;
  while (made !== topmost) {
    made = dirname(made);
    await syncNames(files, made);
  }
  await syncNames(files, dirname(topmost));
}

async function syncFile(files: Files, path: string): Promise<void> {
  const file = await files.open(path, "write");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

// A directory may be written but not opened by us; then whoever may has to see to its names.
async function syncNames(files: Files, directory: string): Promise<void> {
  try {
    await files.syncDirectory(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM") throw error;
  }
}
