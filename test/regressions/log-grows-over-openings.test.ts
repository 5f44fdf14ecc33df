// A store that was opened, written to a little and closed, again and again, never wrote a state: only
// what had been written since the last opening counted. Its log grew without bound, and every opening
// had more to replay than the one before.

import { virtualEnv } from "anykv/testing";
import { expect, test } from "vitest";
import { never } from "../../src/engine/engine.js";
import { walDefaults } from "../../src/engines/wal/wal-defaults.js";
import { WalEngine } from "../../src/engines/wal/wal-engine.js";
import { SimulatedFiles } from "../../src/testing/simulated-files.js";
import { SimulatedHost } from "../../src/testing/simulated-host.js";

const openings = 60;
const options = { ...walDefaults, path: "/store", trackKeys: false, snapshotBytesMin: 10_000 };

test("what a store finds in its log counts towards the next state", async () => {
  const files = new SimulatedFiles();
  files.disk.makeDirectory("/store");
  const host = new SimulatedHost();
  const replayed: number[] = [];
  for (let opening = 0; opening < openings; opening++) {
    const processes = host.start();
    const env = virtualEnv({ files: new SimulatedFiles({ disk: files.disk }), processes });
    const engine = await WalEngine.open(env, options);
    replayed.push(engine.recovered.records);
    const value = "x".repeat(1_000);
    for (const key of ["a", "b"]) {
      engine.write(({ values }, put: string) => values.put(put, value, never), key);
      await env.idle();
    }
    await engine.close();
    host.kill(processes);
  }
  // Two kilobytes at each opening: a state every five of them or so.
  expect(Math.max(...replayed)).toBeLessThan(15);
  expect(files.disk.list("/store/last_state")).toHaveLength(1);
});
