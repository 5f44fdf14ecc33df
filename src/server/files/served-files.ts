// Served files: the directory of a door, as its options name it, and what callers are told of paths.

import { homedir } from "node:os";
import { dirname, isAbsolute, sep } from "node:path";
import { InvalidOptionsError } from "../../base/errors.js";
import { refuse } from "../../kv/arguments.js";
import { ConfinedDirectory } from "./confined-directory.js";
import type { Naming } from "./named-error.js";

/** @throws InvalidOptionsError when there is no such directory. */
export async function openFiles(
  directory: string | undefined,
  option: string,
): Promise<ConfinedDirectory | undefined> {
  if (directory === undefined) return undefined;
  // Node takes it for the present one.
  if (directory === "") refuse(`option "${option}"`, "the name of a directory", directory);
  try {
    return await ConfinedDirectory.open(directory);
  } catch (cause) {
    throw new InvalidOptionsError(`option "${option}" must be a directory that is there`, {
      cause,
    });
  }
}

/** What errors say instead of these paths, and of others that tell where the server is. */
export function namingOf(...paths: readonly (string | undefined)[]): Naming {
  const known = [...paths, process.cwd(), homedir()].flatMap((path) => {
    return path !== undefined && isAbsolute(path) ? [path, dirname(path)] : [];
  });
  // Longest first: one may be the beginning of another.
  const long = known.filter((path) => path.length > 1).sort((a, b) => b.length - a.length);
  return long.flatMap((path) => [
    [`${path}${sep}`, ""],
    [path, "a directory of the server"],
  ]);
}
