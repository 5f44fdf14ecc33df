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
const pointsPerHistory = Math.max(50, Math.ceil(wanted / 200));
/** Of a further life: while it opens the store, and afterwards. */
const pointsPerFurtherLife = { opening: 4, afterwards: 4 };
/** One crash in so many is followed by a further life. */
const furtherLives = 6;
const livesMax = 3;
/** With fewer crash points than this some kinds of calls may not be crossed. */
const pointsForAll = 20_000;

let crashes = 0;
let histories = 0;
/** How often a crash came by each ending, before each kind of call, and in each life. */
const byEnding = new Map<string, number>();
const byCall = new Map<string, number>();
const byLife = new Map<string, number>();

function count(counted: Map<string, number>, what: string): void {
  counted.set(what, (counted.get(what) ?? 0) + 1);
}

/** A call with the last two names of its path, of a numbered file only what comes after the dot. */
function shortened(before: string): string {
  const [kind = "", path = ""] = before.split(" ");
  const [name, directory] = path.split("/").reverse();
  return directory === undefined ? before : `${kind} ${directory}/${name?.replace(/^\d.*\./, "")}`;
}

/** Everything that a store does to its files must have been crossed. */
const crossed = [
  "makeDirectory lib/store",
  "write store/LOCK",
  "truncate store/LOCK",
  "open wal/log",
  "write wal/log",
  "sync wal/log",
  "dataSync wal/log",
  "syncDirectory store/wal",
  "truncate wal/log",
  "remove wal/log",
  "open last_state/tmp",
  "write last_state/tmp",
  "sync last_state/tmp",
  "rename last_state/state",
  "syncDirectory store/last_state",
  "remove last_state/state",
  "remove last_state/tmp",
];

function sample(points: CrashPoint[], count: number, seed: number): CrashPoint[] {
  const { below } = seededRandom(seed);
  const left = [...points];
  const taken: CrashPoint[] = [];
  while (taken.length < count && left.length > 0) taken.push(...left.splice(below(left.length), 1));
  return taken;
}

function choose(
  life: Life,
  all: CrashPoint[],
  path: readonly string[],
  seed: number,
): CrashPoint[] {
  const drawn = seedOf([seed, ...path].join());
  if (path.length === 0) return sample(all, pointsPerHistory, drawn);
  const { opening, afterwards } = pointsPerFurtherLife;
  const early = all.filter(({ point }) => point < life.opening);
  const late = all.filter(({ point }) => point >= life.opening);
  return [...sample(early, opening, drawn), ...sample(late, afterwards, drawn)];
}

/** Ends one life in many ways, and some of the lives that follow. */
async function explore(start: Start, path: readonly string[]): Promise<void> {
  const life = await live(start);
  const all = crashPoints(life, start.seed);
  const here = only?.[path.length];
  const chosen =
    here === undefined
      ? choose(life, all, path, start.seed)
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
  count(byEnding, ending.kind);
  count(byCall, shortened(point.before));
  count(byLife, `life ${path.length}`);
  const last = await reopen(image, point, ending, life, level).catch((cause: unknown) => {
    throw failure(path, point.before, cause);
  });
  const seed = seedOf(path.join());
  const goesOn = only === undefined ? seed % furtherLives === 0 : path.length < only.length;
  if (!goesOn || path.length >= livesMax) return;
  const ledger = ending.kind === "kill" ? point.ledger.copy() : Ledger.from(last);
  const operations = 6 + (seed % 25);
  const start = { disk: image, ledger, states: life.states, level, seed, operations };
  await explore(start, path);
}

let seed = firstSeed;

function startOf(seed: number): Start {
  const states = new Map([[0, ""]]);
  const disk = new SimulatedDisk();
  return { disk, ledger: new Ledger(), states, level: levelOf(seed), seed, operations: 60 };
}

function failure(path: readonly string[], before: string, cause: unknown): Error {
  const again = `ANYKV_SEED=${seed} ANYKV_CRASH_AT="${path.join(" > ")}" ${command}`;
  const where = `seed ${seed}, crash ${path.join(" > ")}, before ${before}`;
  return new Error(`${where}: ${cause}\nTo run it again:\n  ${again}`, { cause });
}

function summary(startedAt: number): string {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const lines = [byEnding, byCall, byLife].map((counted) =>
    [...counted].map(([what, times]) => `${what}: ${times}`).join(", "),
  );
  return [`${crashes} crash points in ${histories} histories, ${seconds} s`, ...lines].join("\n  ");
}

test("a process that is stopped at any file call, or in the middle of it, leaves what it owes", async () => {
  const seed = 1;
  const start = { ...startOf(seed), operations: 30 };
  const { calls } = await live({
    ...start,
    ledger: new Ledger(),
    stop: { call: Infinity, middle: false },
  });
  for (let call = 0; call < calls; call++) {
    for (const middle of [false, true]) {
      const life = await live({ ...start, ledger: new Ledger(), stop: { call, middle } });
      const [point] = life.points.slice(-1);
      if (point === undefined) throw new Error("a life without an end");
      const kill = { kind: "kill" } as const;
      const again = reopen(point.disk, point, kill, life, start.level);
      await expect(again, `stopped at call ${call}`).resolves.toBeGreaterThanOrEqual(0);
    }
  }
});

test(
  `${wanted} crash points lose nothing that was promised`,
  async () => {
    const startedAt = performance.now();
    for (; crashes < wanted; seed++) {
      histories++;
      await explore(startOf(seed), []);
      if (only !== undefined) break;
    }
    console.log(summary(startedAt));
    if (only !== undefined) return;
    expect(crashes).toBeGreaterThanOrEqual(wanted);
    if (wanted >= pointsForAll) expect([...byCall.keys()]).toEqual(expect.arrayContaining(crossed));
  },
  60_000 + wanted * 60,
);
