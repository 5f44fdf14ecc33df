// Fault injection: every file call of a store fails in turn, once or from then on, with EIO, with
// ENOSPC, or with ENOSPC in the middle of a write. What the store has to keep to then:
//
// 1. A store that cannot be opened says so by a typed error, and leaves nothing open or locked.
// 2. A write whose durability failed rejects with DiskStoreWriteError, and every later write with the
//    very same error. Reads go on. The log is not touched any more: nothing is tried again.
// 3. A state that could not be written costs nothing but the state.
// 4. `close` settles, and all files are closed.
// 5. When the disk is well again, the same process opens the store and finds all that had been
//    acknowledged or written; what it then writes outlives a power cut.
//
// ANYKV_FAULTS sets how many faults are tried; ANYKV_SEED and ANYKV_FAULT_AT repeat one.

import { seededRandom } from "anykv/testing";
import { expect, test, vi } from "vitest";
import { faults } from "../../../src/testing/simulated-calls.js";
import { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { type Ending, endingsAt, imageOf, reopen, seedOf } from "./crash-images.js";
import { Ledger } from "./crash-ledger.js";
import { levelOf, live, type Point, type Start } from "./crash-life.js";
import { FaultRun, type PlannedFault } from "./fault-run.js";

vi.mock("node:zlib", async (original) => {
  const { promptZlib } = await import("./prompt-zlib.js");
  return promptZlib(await original());
});

const { ANYKV_FAULTS, ANYKV_SEED, ANYKV_FAULT_AT } = process.env;
const wanted = Number(ANYKV_FAULTS ?? 1_500);
const firstSeed = Number(ANYKV_SEED ?? 1);
const command = "npx vitest run test/engines/wal/wal-faults.test.ts";
const faultsPerHistory = Math.max(150, Math.ceil(wanted / 40));

const labelOf = ({ call, fault, lasting }: PlannedFault): string =>
  `${call} ${fault}${lasting ? " lasting" : ""}`;

/** Nothing, or what a crash has left of a store. */
async function startOf(seed: number): Promise<Start> {
  const level = levelOf(seed);
  const disk = new SimulatedDisk();
  const states = new Map([[0, ""]]);
  const start = { disk, ledger: new Ledger(), states, level, seed, operations: 25 };
  const { below } = seededRandom(seedOf(`start ${seed}`));
  if (below(3) === 0) return start;
  const life = await live(start);
  const index = below(life.points.length);
  const point = life.points[index] as Point;
  const endings = endingsAt(point, index, seed);
  const ending = endings[below(endings.length)] as Ending;
  const image = imageOf(point, ending);
  const last = await reopen(image, point, ending, life, level);
  const ledger = ending.kind === "kill" ? point.ledger.copy() : Ledger.from(last);
  return { ...start, disk: image, ledger, states: life.states };
}

function plan(calls: number, seed: number): PlannedFault[] {
  const all = Array.from({ length: calls }, (_, call) =>
    faults.flatMap((fault) => [false, true].map((lasting) => ({ call, fault, lasting }))),
  ).flat();
  if (ANYKV_FAULT_AT !== undefined) return all.filter((fault) => labelOf(fault) === ANYKV_FAULT_AT);
  const { below } = seededRandom(seed);
  const chosen: PlannedFault[] = [];
  while (chosen.length < faultsPerHistory && all.length > 0) {
    chosen.push(...all.splice(below(all.length), 1));
  }
  return chosen;
}

async function tryOne(start: Start, planned: PlannedFault): Promise<void> {
  const run = new FaultRun({ ...start, ledger: start.ledger.copy() }, planned);
  try {
    await run.run();
  } catch (cause) {
    const label = labelOf(planned);
    const again = `ANYKV_SEED=${start.seed} ANYKV_FAULT_AT="${label}" ${command}`;
    const what = `seed ${start.seed}, call ${label}, ${run.describe(planned.call)}: ${cause}`;
    throw new Error(`${what}\nTo run it again:\n  ${again}`, { cause });
  }
}

test(
  `${wanted} faults cost nothing that was promised`,
  async () => {
    const startedAt = performance.now();
    let tried = 0;
    let seed = firstSeed;
    for (; tried < wanted; seed++) {
      const start = await startOf(seed);
      const calls = await new FaultRun({ ...start, ledger: start.ledger.copy() }, undefined).run();
      for (const planned of plan(calls, seed)) {
        await tryOne(start, planned);
        tried++;
      }
      if (ANYKV_FAULT_AT !== undefined) break;
    }
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`${tried} faults in ${seed - firstSeed} histories, ${seconds} s`);
    expect(tried).toBeGreaterThanOrEqual(ANYKV_FAULT_AT === undefined ? wanted : 1);
  },
  60_000 + wanted * 100,
);
