// Making directories: so that they are still there after a power cut.
//
// A new directory outlives a power cut only when the one above it has been synced. A process that
// was killed between the two leaves a directory that is there and may yet vanish, so the lowest one
// that exists is not relied on before its name has been synced once more.

import { dirname } from "node:path";
import type { Env } from "../../env/env.js";
import type { Files } from "../../env/files.js";
import { directoriesIn } from "./recovery.js";

/** Creates what is missing of the directories of a store; durable when it resolves. */
export async function makeDirectories({ files }: Env, path: string): Promise<void> {
  const missing: string[] = [];
  let lowest = path;
  while (lowest !== dirname(lowest) && (await files.stat(lowest)) === undefined) {
    missing.unshift(lowest);
    lowest = dirname(lowest);
  }
  await syncName(files, lowest);
  for (const directory of missing) {
    await files.makeDirectory(directory);
    await syncName(files, directory);
  }
  for (const directory of Object.values(directoriesIn(path))) await files.makeDirectory(directory);
  await files.syncDirectory(path);
}

// A directory may be entered but not opened by us; then whoever may has to see to its names.
async function syncName(files: Files, directory: string): Promise<void> {
  try {
    await files.syncDirectory(dirname(directory));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM") throw error;
  }
}
