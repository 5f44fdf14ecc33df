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
// Of the first history every call fails in all six ways, of the others every call in one of them.
// ANYKV_FAULTS sets how many faults are tried; ANYKV_SEED and ANYKV_FAULT_AT repeat one.

import { seededRandom } from "anykv/testing";
import { expect, test, vi } from "vitest";
import { faults } from "../../../src/testing/simulated-calls.js";
import { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { shortened } from "./crash-counts.js";
import { type Ending, endingsAt, imageOf, judge, reopened, seedOf } from "./crash-images.js";
import { Ledger } from "./crash-ledger.js";
import { levelOf, live, type Point, type Start } from "./crash-life.js";
import { FaultRun, type PlannedFault } from "./fault-run.js";

vi.mock("node:zlib", async (original) => {
  const { promptZlib } = await import("./prompt-zlib.js");
  return promptZlib(await original());
});

const { ANYKV_FAULTS, ANYKV_SEED, ANYKV_FAULT_AT } = process.env;
const wanted = Number(ANYKV_FAULTS ?? 4_000);
const firstSeed = Number(ANYKV_SEED ?? 1);
const command = "npx vitest run test/engines/wal/wal-faults.test.ts";
/** With fewer faults than this some calls may not be met. */
const faultsForAll = 3_000;
/** How often each call failed, and in each way. */
const struck = new Map<string, number>();
const ways = new Map<string, number>();

/** Everything that a store asks of its files. */
const calls = [
  ...["stat", "makeDirectory", "syncDirectory"].map((kind) => `${kind} lib/store`),
  ...["open", "write", "readAll", "truncate", "close"].map((kind) => `${kind} store/LOCK`),
  ...["open", "write", "readAll", "truncate", "sync", "dataSync", "close", "remove"].map(
    (kind) => `${kind} wal/log`,
  ),
  ...["makeDirectory", "list", "syncDirectory"].map((kind) => `${kind} store/wal`),
  ...["open", "write", "sync", "close", "remove"].map((kind) => `${kind} last_state/tmp`),
  ...["open", "size", "read", "close", "rename", "remove"].map(
    (kind) => `${kind} last_state/state`,
  ),
  ...["makeDirectory", "list", "syncDirectory"].map((kind) => `${kind} store/last_state`),
];

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

function summary(counts: Map<string, number>): string {
  return [...counts]
    .sort()
    .map(([what, times]) => `${what}: ${times}`)
    .join(", ");
}

const labelOf = ({ call, fault, lasting }: PlannedFault): string =>
  `${call} ${fault}${lasting ? " lasting" : ""}`;

/** A torn end of the log is rare: so many crashes are tried to find one. */
const triesForTorn = 100;

/** Nothing, or what a crash has left of a store: mostly anything, now and then a torn log. */
async function startOf(seed: number): Promise<Start> {
  const level = levelOf(seed);
  const disk = new SimulatedDisk();
  const states = new Map([[0, ""]]);
  const start = { disk, ledger: new Ledger(), states, level, seed, operations: 25 };
  const { below } = seededRandom(seedOf(`start ${seed}`));
  const drawn = below(6);
  if (drawn < 2) return start;
  const life = await live(start);
  for (let tries = drawn === 2 ? triesForTorn : 1; ; tries--) {
    const index = below(life.points.length);
    const point = life.points[index] as Point;
    const endings = endingsAt(point, index, seed);
    const ending = endings[below(endings.length)] as Ending;
    const image = imageOf(point, ending);
    const finding = await reopened(image, level);
    judge(finding, point, ending, life);
    if (finding.tornBytes === 0 && tries > 1) continue;
    const ledger = ending.kind === "kill" ? point.ledger.copy() : Ledger.from(finding.last);
    return { ...start, disk: image, ledger, states: life.states };
  }
}

function plan(calls: number, seed: number): PlannedFault[] {
  const { below } = seededRandom(seed);
  const all = Array.from({ length: calls }, (_, call) => {
    const six = faults.flatMap((fault) =>
      [false, true].map((lasting) => ({ call, fault, lasting })),
    );
    const isWhole = seed === firstSeed || ANYKV_FAULT_AT !== undefined;
    return isWhole ? six : [six[below(six.length)] as PlannedFault];
  }).flat();
  return ANYKV_FAULT_AT === undefined ? all : all.filter((one) => labelOf(one) === ANYKV_FAULT_AT);
}

async function tryOne(start: Start, planned: PlannedFault): Promise<void> {
  const run = new FaultRun({ ...start, ledger: start.ledger.copy() }, planned);
  try {
    await run.run();
    count(struck, shortened(run.describe(planned.call)));
    count(ways, `${planned.fault}${planned.lasting ? " from then on" : " once"}`);
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
    console.info(`${tried} faults in ${seed - firstSeed} histories, ${seconds} s
  ${summary(ways)}\n  ${summary(struck)}`);
    if (wanted >= faultsForAll && ANYKV_FAULT_AT === undefined) {
      expect(calls.filter((call) => !struck.has(call))).toEqual([]);
    }
    expect(tried).toBeGreaterThanOrEqual(ANYKV_FAULT_AT === undefined ? wanted : 1);
  },
  60_000 + wanted * 100,
);
