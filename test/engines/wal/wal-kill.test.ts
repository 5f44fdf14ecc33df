// kill -9: a writer is killed again and again and loses nothing that its level promised.
// ANYKV_KILL_ROUNDS sets the number of rounds, half of them at each level; continuous integration runs
// more.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";
import {
  checkWitnessed,
  linesOf,
  Memory,
  noteRecovery,
  writerSource,
  writeUntil,
} from "./witness.js";

const rounds = Math.ceil(Number(process.env.ANYKV_KILL_ROUNDS ?? 12) / 2);

let compiled: CompiledPackage;

beforeAll(async () => {
  compiled = await compilePackage();
}, 60_000);

afterAll(() => compiled.remove());

describe.each(["acknowledged", "written"] as const)("kill -9, %s", (level) => {
  test(
    `loses nothing in ${rounds} rounds`,
    async () => {
      const path = mkdtempSync(join(tmpdir(), "anykv-kill-"));
      const script = compiled.script("writer.mjs", writerSource);
      const memory = new Memory();
      try {
        for (let round = 0; round < rounds; round++) {
          const said = await writeUntil(script, path, level, linesOf(round));
          memory.note(path, said);
          await using kv = openKv({ backend: "wal", name: `killed-${level}-${round}`, path });
          await checkWitnessed(kv, said, memory, level);
          await noteRecovery(kv, memory);
        }
        console.info(`kill -9, ${level}: ${memory.summary}`);
      } finally {
        rmSync(path, { recursive: true, force: true });
      }
    },
    rounds * 20_000,
  );
});
