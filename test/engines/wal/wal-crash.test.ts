// Crash simulation: a store on simulated files is ended at every moment of its life and opened again
// on everything that the disk may hold then. What it had promised must be there, nothing by halves,
// nothing that never was, and no refusal: a crash makes no damage. Lives that follow on a crash are
// ended in the same way, so opening after a crash, and writing after that, are crossed as well.
//
// ANYKV_CRASH_POINTS sets how many crash points are tried. A failure names its seed and its path of
// crashes; ANYKV_SEED and ANYKV_CRASH_AT repeat exactly that.

import { seededRandom } from "anykv/testing";
import { expect, test, vi } from "vitest";
import { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import {
  type CrashPoint,
  crashPoints,
  imageOf,
  reopen,
  seedOf,
  signatureOf,
} from "./crash-images.js";
import { Ledger } from "./crash-ledger.js";
import { type Life, levelOf, live, type Start } from "./crash-life.js";

vi.mock("node:zlib", async (original) => {
  const { promptZlib } = await import("./prompt-zlib.js");
  return promptZlib(await original());
});

const { ANYKV_CRASH_POINTS, ANYKV_SEED, ANYKV_CRASH_AT } = process.env;
const wanted = Number(ANYKV_CRASH_POINTS ?? 2_000);
const firstSeed = Number(ANYKV_SEED ?? 1);
const only = ANYKV_CRASH_AT?.split(" > ");
const command = "npx vitest run test/engines/wal/wal-crash.test.ts";

// Of one history, so that few crash points still come from several histories.
const pointsPerHistory = Math.max(100, Math.ceil(wanted / 50));
const pointsPerFurtherLife = 6;
/** One crash in so many is followed by a further life. */
const furtherLives = 8;
const livesMax = 3;

let crashes = 0;
let histories = 0;
const byEnding = new Map<string, number>();

function sample(points: CrashPoint[], count: number, seed: number): CrashPoint[] {
  const { below } = seededRandom(seed);
  const left = [...points];
  const taken: CrashPoint[] = [];
  while (taken.length < count && left.length > 0) taken.push(...left.splice(below(left.length), 1));
  return taken;
}

/** Ends one life in many ways, and some of the lives that follow. */
async function explore(start: Start, path: readonly string[], count: number): Promise<void> {
  const life = await live(start);
  const all = crashPoints(life, start.seed);
  const here = only?.[path.length];
  const chosen =
    here === undefined
      ? sample(all, count, seedOf([start.seed, ...path].join()))
      : all.filter(({ label }) => label === here);
  const seen = new Set<string>();
  for (const crash of chosen) await tryOne(start, life, crash, [...path, crash.label], seen);
}

async function tryOne(
  { level }: Start,
  life: Life,
  { point: index, ending }: CrashPoint,
  path: readonly string[],
  seen: Set<string>,
): Promise<void> {
  const point = life.points[index];
  if (point === undefined) throw new Error("a life has ended before its crash");
  const image = imageOf(point, ending);
  const { durable, acknowledged } = point.ledger;
  const signature = `${ending.kind === "kill"} ${durable} ${acknowledged} ${signatureOf(image)}`;
  if (seen.has(signature)) return;
  seen.add(signature);
  crashes++;
  byEnding.set(ending.kind, (byEnding.get(ending.kind) ?? 0) + 1);
  const last = await reopen(image, point, ending, life, level).catch((cause: unknown) => {
    throw failure(path, point.before, cause);
  });
  const seed = seedOf(path.join());
  const goesOn = only === undefined ? seed % furtherLives === 0 : path.length < only.length;
  if (!goesOn || path.length >= livesMax) return;
  const ledger = ending.kind === "kill" ? point.ledger.copy() : Ledger.from(last);
  const operations = 6 + (seed % 10);
  const start = { disk: image, ledger, states: life.states, level, seed, operations };
  await explore(start, path, pointsPerFurtherLife);
}

let seed = firstSeed;

function failure(path: readonly string[], before: string, cause: unknown): Error {
  const again = `ANYKV_SEED=${seed} ANYKV_CRASH_AT="${path.join(" > ")}" ${command}`;
  const where = `seed ${seed}, crash ${path.join(" > ")}, before ${before}`;
  return new Error(`${where}: ${cause}\nTo run it again:\n  ${again}`, { cause });
}

function summary(startedAt: number): string {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const endings = [...byEnding].map(([kind, count]) => `${kind} ${count}`).join(", ");
  return `${crashes} crash points in ${histories} histories, ${seconds} s (${endings})`;
}

test(
  `${wanted} crash points lose nothing that was promised`,
  async () => {
    const startedAt = performance.now();
    for (; crashes < wanted; seed++) {
      const level = levelOf(seed);
      const states = new Map([[0, ""]]);
      const disk = new SimulatedDisk();
      const start = { disk, ledger: new Ledger(), states, level, seed, operations: 60 };
      histories++;
      await explore(start, [], Math.min(pointsPerHistory, wanted - crashes));
      if (only !== undefined) break;
    }
    console.log(summary(startedAt));
    expect(crashes).toBeGreaterThanOrEqual(only === undefined ? wanted : only.length);
  },
  60_000 + wanted * 60,
);
