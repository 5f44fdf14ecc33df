// Power cuts: a real file system on a loop device is shut down under the writer, which drops every
// byte that was not synced, and mounted again. ANYKV_POWER_CUTS sets the number of cuts.
//
// Where that is not possible the test is skipped and says why; in continuous integration, as root, it
// fails.

import { join } from "node:path";
import { openKv } from "anykv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import { Disk, type FileSystem, missing } from "../../processes/power-cut.js";
import {
  checkWitnessed,
  type Level,
  linesOf,
  Memory,
  noteRecovery,
  writerSource,
  writeUntil,
} from "./witness.js";

const cuts = Number(process.env.ANYKV_POWER_CUTS ?? 8);
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
      await checkWitnessed(kv, said, memory, level);
      await noteRecovery(kv, memory);
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
