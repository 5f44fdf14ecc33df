// Scratch: a directory on a real disk, for the workloads that measure one.
//
// ANYKV_BENCH_DIR names the place; by default it is the directory for temporary files, unless that
// lies in memory, and then the present directory.

import { mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const tmpfsType = 0x0102_1994;
const kinds: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x5846_5342, "xfs"],
  [0x9123_683e, "btrfs"],
  [0x794c_7630, "overlayfs"],
  [tmpfsType, "tmpfs (memory)"],
]);

export interface Scratch {
  readonly path: string;
  /** The file system that it lies on. */
  readonly kind: string;
}

export function scratchPlace(): Scratch {
  const asked = process.env.ANYKV_BENCH_DIR;
  const path = resolve(asked ?? (statfsSync(tmpdir()).type === tmpfsType ? "." : tmpdir()));
  const { type } = statfsSync(path);
  return { path, kind: kinds.get(type) ?? `file system 0x${type.toString(16)}` };
}

/** Runs `work` with a fresh directory, and removes that afterwards. */
export async function withScratch<Result>(
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  const { path } = scratchPlace();
  mkdirSync(path, { recursive: true });
  const directory = mkdtempSync(join(path, "anykv-bench-"));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
