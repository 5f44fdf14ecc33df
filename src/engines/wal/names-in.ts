// Names in a directory of a store, which may have been lost.

import type { Env } from "../../env/env.js";

/** The names in a directory, ascending; none when there is no directory. */
export async function namesIn({ files }: Env, directory: string): Promise<string[]> {
  return (await files.stat(directory)) === undefined ? [] : files.list(directory);
}
