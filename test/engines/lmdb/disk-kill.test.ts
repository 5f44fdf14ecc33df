// kill -9 and power cuts: a writer is stopped again and again, and what it was told was done is there
// afterwards, with every count right. ANYKV_KILL_ROUNDS and ANYKV_POWER_CUTS set the numbers.
//
// A cut shuts a real file system down under the writer, see power-cut.ts for what that needs. Where
// it is not possible the test is skipped and says why; in continuous integration, as root, it fails.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkCounts } from "../../crowd/crowd.js";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import { Disk, type FileSystem, missing } from "../../processes/power-cut.js";
import { checkWitnessed, linesOf, Memory, writeUntil } from "../wal/witness.js";
import { diskWriterSource } from "./disk-witness.js";

const rounds = Number(process.env.ANYKV_KILL_ROUNDS ?? 8);
const cuts = Number(process.env.ANYKV_POWER_CUTS ?? 6);
const level = "acknowledged";

let compiled: CompiledPackage;
let script = "";

beforeAll(async () => {
  compiled = await compilePackage();
  script = compiled.script("disk-writer.mjs", diskWriterSource);
}, 60_000);

afterAll(() => compiled.remove());

async function check(path: string, said: Awaited<ReturnType<typeof writeUntil>>, memory: Memory) {
  memory.note(path, said);
  await using kv = openKv({ backend: "disk", name: `stopped-${path}`, path, trackKeys: true });
  await checkWitnessed(kv, said, memory, level);
  await checkCounts(kv);
}

test(
  `kill -9 loses nothing in ${rounds} rounds`,
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "anykv-disk-kill-"));
    const path = join(directory, "store");
    const memory = new Memory();
    try {
      for (let round = 0; round < rounds; round++) {
        await check(path, await writeUntil(script, path, level, linesOf(round)), memory);
      }
      console.info(`kill -9, disk: ${memory.rounds}`);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
  60_000 + rounds * 20_000,
);

async function cutPower(fileSystem: FileSystem, count: number): Promise<void> {
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
      await check(path, said, memory);
    }
    const summary = `${memory.rounds}; ${dropped} times an unsynced file was gone`;
    console.info(`power cuts, ${fileSystem}, disk: ${summary}`);
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
  const share = Math.max(1, Math.round(cuts / 2));
  for (const fileSystem of ["xfs", "ext4"] as const) {
    test(
      `${share} cuts on ${fileSystem} lose nothing`,
      () => cutPower(fileSystem, share),
      60_000 + share * 30_000,
    );
  }
});
