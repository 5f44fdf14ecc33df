// Real path: what a file is known by, whatever links lead to it.
//
// The lock file lies beside the real path. Under two names one store would have two lock files, and
// nobody would keep its writers apart.

import { readlink, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";

/** Links that are followed before what they lead to is left to fail: as many as Linux follows. */
const linksMax = 40;

/** Of a file that need not be there yet, also where a link already leads to it. */
export async function realPathOf(path: string, links = linksMax): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const directory = dirname(path);
    if (directory === path) return path;
    const real = await realPathOf(directory, links);
    const to = links > 0 ? await readlink(path).catch(() => undefined) : undefined;
    if (to === undefined) return join(real, basename(path));
    return realPathOf(isAbsolute(to) ? to : `${real}/${to}`, links - 1);
  }
}
