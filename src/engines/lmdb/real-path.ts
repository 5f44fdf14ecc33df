// Real path: what a file is known by, whatever links lead to it.
//
// The lock file lies beside the real path. Under two names one store would have two lock files, and
// nobody would keep its writers apart.

import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Of a file that need not be there yet. */
export async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const directory = dirname(path);
    return directory === path ? path : join(await realPathOf(directory), basename(path));
  }
}
