// Scratch: where workloads keep their files, and what kind of disk that is.
//
// A file system in memory would make every sync free, so it is chosen by nobody but the user.

import { mkdtempSync, readFileSync, realpathSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";

export interface Scratch {
  readonly directory: string;
  /** The directory and its file system, for people. */
  readonly description: string;
  remove(): void;
}

const inMemory: ReadonlySet<string> = new Set(["tmpfs", "ramfs"]);

/** A new directory in `parent`, or in the first of the usual places that is on a disk. */
export function makeScratch(parent: string | undefined): Scratch {
  const usual = [tmpdir(), "/var/tmp", process.cwd()];
  const chosen = parent ?? usual.find((place) => isOnDisk(place)) ?? tmpdir();
  const directory = mkdtempSync(join(realpathSync(chosen), "anykv-bench-"));
  return {
    directory,
    description: `${directory} (${fileSystemOf(directory)})`,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** A new, empty directory in there. */
export function freshDirectory(parent: string): string {
  return mkdtempSync(`${parent}${sep}`);
}

function isOnDisk(path: string): boolean {
  try {
    return !inMemory.has(fileSystemOf(path));
  } catch {
    return false; // Not every system has every place.
  }
}

/** By name where the system lists what is mounted, otherwise as the number that it has for it. */
function fileSystemOf(path: string): string {
  const { type } = statfsSync(path);
  const real = `${realpathSync(path)}/`;
  const mounts = mountedFileSystems().filter(({ root }) => real.startsWith(root));
  const innermost = mounts.toSorted((a, b) => a.root.length - b.root.length).at(-1);
  return innermost?.name ?? `file system 0x${type.toString(16)}`;
}

function mountedFileSystems(): { readonly root: string; readonly name: string }[] {
  try {
    const lines = readFileSync("/proc/self/mounts", "utf8").trimEnd().split("\n");
    return lines.map((line) => {
      const [, root = "", name = ""] = line.split(" ");
      return { root: root.endsWith("/") ? root : `${root}/`, name };
    });
  } catch {
    return [];
  }
}
