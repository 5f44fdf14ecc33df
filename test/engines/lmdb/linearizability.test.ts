// Concurrent histories of several processes on one store are linearizable, key by key: registers with
// counters and compare-and-swap, and claims. ANYKV_LINEAR_ROUNDS sets the number of histories,
// ANYKV_LINEAR_OPERATIONS the operations of each process, ANYKV_SEED the first seed.
//
// That the checker can tell is shown on real histories with a stale cache, and on invented ones in
// test/crowd.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { programs } from "../../crowd/crowd.js";
import {
  explains,
  furnishLeases,
  type Line,
  overlaps,
  processes,
  record,
} from "../../crowd/histories.js";
import { type CompiledPackage, compilePackage } from "../../processes/compiled-package.js";

const rounds = Number(process.env.ANYKV_LINEAR_ROUNDS ?? 4);
const operations = Number(process.env.ANYKV_LINEAR_OPERATIONS ?? 300);
const firstSeed = Number(process.env.ANYKV_SEED ?? 1);

let compiled: CompiledPackage;
let directory = "";

beforeAll(async () => {
  compiled = await compilePackage(programs);
  directory = mkdtempSync(join(tmpdir(), "anykv-linear-"));
}, 60_000);

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  compiled.remove();
});

async function recordAt(seed: number, mode: "plain" | "stale"): Promise<Map<string, Line[]>> {
  const path = join(directory, `store-${mode}-${seed}`);
  {
    await using kv = openKv({ backend: "disk", name: `${mode}-${seed}`, path });
    await furnishLeases(kv, operations);
  }
  const options = { backend: "disk", name: "history", path, disk: { timeout: 0 } } as const;
  return record({ compiled, options, seed, operations, mode });
}

describe("histories of several processes", () => {
  test(
    `${rounds} histories of ${processes} processes with ${operations} operations each`,
    async () => {
      let checked = 0;
      let overlapping = 0;
      for (let round = 0; round < rounds; round++) {
        const seed = firstSeed + round;
        for (const [key, lines] of await recordAt(seed, "plain")) {
          expect(explains(key, lines), `${key}, ANYKV_SEED=${seed}`).toBe(true);
          checked += lines.length;
          overlapping += overlaps(lines);
        }
      }
      console.info(`linearizable: ${checked} operations, ${overlapping} of them overlapping`);
      expect(overlapping).toBeGreaterThan(checked / 10);
    },
    60_000 + rounds * 30_000,
  );

  test("a cache that nobody invalidates is noticed", async () => {
    const histories = await recordAt(firstSeed, "stale");
    const verdicts = [...histories].map(([key, lines]) => explains(key, lines));
    expect(verdicts).toContain(false);
  });
});
