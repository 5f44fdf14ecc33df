// Power cuts: a real file system on a loop device that can be shut down under whoever writes to it,
// which drops every byte that was not synced.
//
// Beside the files of the test one is written that nothing syncs: that it is gone, mostly, shows that
// a cut is one. All this needs Linux, root, and `mkfs.xfs`, `mkfs.ext4` and `xfs_io` (Debian:
// xfsprogs, e2fsprogs).

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const imageSizes = { xfs: "320M", ext4: "64M" } as const;
const controlBytes = Buffer.alloc(20_000, "unsynced");
export type FileSystem = keyof typeof imageSizes;

/** Why power cannot be cut here, or undefined. */
export function missing(): string | undefined {
  if (process.platform !== "linux") return "file systems are shut down this way on Linux only";
  if (process.getuid?.() !== 0) return "mounting needs root";
  for (const tool of ["xfs_io", "mkfs.xfs", "mkfs.ext4", "mount"]) {
    if (spawnSync("which", [tool]).status !== 0) return `${tool} is not installed`;
  }
  const { status } = spawnSync("losetup", ["--find"]);
  return status === 0 ? undefined : "there is no loop device";
}

export class Disk {
  readonly path: string;
  readonly #directory = mkdtempSync(join(tmpdir(), "anykv-power-"));
  readonly #image: string;

  constructor(fileSystem: FileSystem) {
    this.path = join(this.#directory, "mounted");
    this.#image = join(this.#directory, "image");
    mkdirSync(this.path);
    execFileSync("truncate", ["-s", imageSizes[fileSystem], this.#image]);
    execFileSync(`mkfs.${fileSystem}`, ["-q", this.#image]);
    this.mount();
  }

  mount(): void {
    execFileSync("mount", ["-o", "loop", this.#image, this.path]);
  }

  get #control(): string {
    return join(this.path, "control");
  }

  /** Whether the file that was written at the last cut is as it was. */
  get hasControl(): boolean {
    return existsSync(this.#control) && readFileSync(this.#control).equals(controlBytes);
  }

  /** Drops what is not on the disk: from now on every call on it fails. */
  cut(): void {
    rmSync(this.#control, { force: true });
    writeFileSync(this.#control, controlBytes);
    execFileSync("xfs_io", ["-x", "-c", "shutdown", this.path]);
  }

  unmount(): void {
    execFileSync("umount", [this.path]);
  }

  remove(): void {
    spawnSync("umount", [this.path]);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
