// Power cuts: a real file system on a loop device is shut down under the writer, which drops every
// byte that was not synced, and mounted again. ANYKV_POWER_CUTS sets the number of cuts.
//
// Beside the store a file is written that nothing syncs: that it is gone, mostly, shows that a cut is
// one.
//
// It needs Linux, root, and `mkfs.xfs`, `mkfs.ext4` and `xfs_io` (Debian: xfsprogs, e2fsprogs).
// Where they are missing the test is skipped and says why; in continuous integration, as root, it
// fails.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import {
  checkWitnessed,
  type Level,
  linesOf,
  Memory,
  writerSource,
  writeUntil,
} from "./witness.js";

const cuts = Number(process.env.ANYKV_POWER_CUTS ?? 8);
const imageSizes = { xfs: "320M", ext4: "64M" } as const;
const controlBytes = Buffer.alloc(20_000, "unsynced");
type FileSystem = keyof typeof imageSizes;

function missing(): string | undefined {
  if (process.platform !== "linux") return "file systems are shut down this way on Linux only";
  if (process.getuid?.() !== 0) return "mounting needs root";
  for (const tool of ["xfs_io", "mkfs.xfs", "mkfs.ext4", "mount"]) {
    if (spawnSync("which", [tool]).status !== 0) return `${tool} is not installed`;
  }
  const { status } = spawnSync("losetup", ["--find"]);
  return status === 0 ? undefined : "there is no loop device";
}

class Disk {
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

async function cutPower(
  script: string,
  fileSystem: FileSystem,
  level: Level,
  count: number,
): Promise<void> {
  const disk = new Disk(fileSystem);
  const memory = new Memory();
  const path = join(disk.path, "store");
  let dropped = 0;
  try {
    for (let round = 0; round < count; round++) {
      const said = await writeUntil(script, path, level, linesOf(round), () => disk.cut());
      disk.unmount();
      disk.mount();
      if (!disk.hasControl) dropped++;
      memory.note(path, said);
      await using kv = openKv({
        backend: "wal",
        name: `cut-${fileSystem}-${level}-${round}`,
        path,
      });
      await checkWitnessed(kv, said, memory);
    }
    const summary = `${memory.summary}; ${dropped} times an unsynced file was gone`;
    console.info(`power cuts, ${fileSystem}, ${level}: ${summary}`);
    expect(dropped).toBeGreaterThan(count / 2);
  } finally {
    disk.remove();
  }
}

const reason = missing();

describe("power cuts", () => {
  if (reason !== undefined) {
    console.info(`power cuts are left out: ${reason}`);
    const isRequired = Boolean(process.env.CI) && process.getuid?.() === 0;
    test.runIf(isRequired)(`are possible: ${reason}`, () => expect.fail(reason));
    return;
  }

  let compiled: CompiledPackage;
  beforeAll(async () => {
    compiled = await compilePackage();
  }, 60_000);
  afterAll(() => compiled.remove());

  const share = Math.max(1, Math.round(cuts / 4));
  for (const fileSystem of ["xfs", "ext4"] as const) {
    for (const level of ["acknowledged", "durable"] as const) {
      test(
        `${share} cuts on ${fileSystem} lose nothing ${level}`,
        () => cutPower(compiled.script("writer.mjs", writerSource), fileSystem, level, share),
        share * 30_000,
      );
    }
  }
});
