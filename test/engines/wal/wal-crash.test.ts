// Crash simulation: a store on simulated files is ended at every moment of its life and opened again
// on everything that the disk may hold then. What it had promised must be there, nothing by halves,
// nothing that never was, and no refusal: a crash makes no damage. Lives that follow on a crash are
// ended in the same way, so opening after a crash, and writing after that, are crossed as well.
//
// A crash point is a moment of a life: before a file call or a transaction, between two of them, or
// after the last one. Each is tried with every ending that crash-images.ts knows; images that look
// alike are opened once.
//
// ANYKV_CRASH_POINTS sets how many crash points are tried. A failure names its seed and its path of
// crashes; ANYKV_SEED and ANYKV_CRASH_AT repeat exactly that. ANYKV_SEED alone begins elsewhere.

import { seededRandom } from "anykv/testing";
import { expect, test, vi } from "vitest";
import { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { Counts, placeOf } from "./crash-counts.js";
import {
  type Ending,
  endingsAt,
  type Finding,
  imageOf,
  judge,
  labelOf,
  reopen,
  reopened,
  seedOf,
  signatureOf,
} from "./crash-images.js";
import { Ledger } from "./crash-ledger.js";
import { type Life, levelOf, live, type Point, type Start } from "./crash-life.js";

vi.mock("node:zlib", async (original) => {
  const { promptZlib } = await import("./prompt-zlib.js");
  return promptZlib(await original());
});

const { ANYKV_CRASH_POINTS, ANYKV_SEED, ANYKV_CRASH_AT } = process.env;
const wanted = Number(ANYKV_CRASH_POINTS ?? 10_000);
const firstSeed = Number(ANYKV_SEED ?? 1);
const only = ANYKV_CRASH_AT?.split(" > ");
const command = "npx vitest run test/engines/wal/wal-crash.test.ts";

/** Of one history, so that few crash points still come from several histories. */
const momentsPerHistory = Math.max(40, Math.ceil(wanted / 500));
/** Of a further life: while it opens the store, and afterwards. */
const momentsPerFurtherLife = { opening: 5, afterwards: 5 };
/** One image in so many is followed by a further life. */
const furtherLives = 60;
const livesMax = 3;
/** With fewer crash points than this some places may not be met. */
const pointsForAll = 2_000;

const counts = new Counts();
let histories = 0;

function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const { below } = seededRandom(seed);
  const left = [...items];
  return items.map(() => left.splice(below(left.length), 1)[0] as Item);
}

/** So many moments, one of each place first: some calls are rare. */
function sample(moments: number[], count: number, life: Life, isFirst: boolean, seed: number) {
  const drawn = shuffled(moments, seed);
  const seen = new Set<string>();
  const [rare, others]: [number[], number[]] = [[], []];
  for (const index of drawn) {
    const place = placeOf(life, index, isFirst);
    (seen.has(place) ? others : rare).push(index);
    seen.add(place);
  }
  return [...rare, ...others].slice(0, count);
}

function choose(life: Life, path: readonly string[], seed: number): number[] {
  const all = [...life.points.keys()];
  const drawn = seedOf([seed, ...path].join());
  if (path.length === 0) {
    // Of the first history every moment.
    const count = histories === 1 ? Infinity : momentsPerHistory;
    return sample(all, count, life, true, drawn);
  }
  const { opening, afterwards } = momentsPerFurtherLife;
  const early = all.filter((index) => index < life.opening);
  const late = all.filter((index) => index >= life.opening);
  return [
    ...sample(early, opening, life, false, drawn),
    ...sample(late, afterwards, life, false, drawn),
  ];
}

/** Ends one life in many ways, and some of the lives that follow. */
async function explore(start: Start, path: readonly string[]): Promise<void> {
  const life = await live(start);
  const here = only?.[path.length];
  const chosen = here === undefined ? choose(life, path, start.seed) : [Number.parseInt(here, 10)];
  const findings = new Map<string, Finding>();
  for (const index of chosen) {
    const point = life.points[index];
    if (point === undefined) throw new Error("a life has ended before its crash");
    counts.moment(placeOf(life, index, path.length === 0), path.length + 1);
    for (const ending of endingsAt(point, index, start.seed)) {
      const label = `${index} ${labelOf(ending)}`;
      if (here !== undefined && here !== label) continue;
      await tryOne(start, life, { point, ending, findings, path: [...path, label] });
    }
  }
}

interface Attempt {
  readonly point: Point;
  readonly ending: Ending;
  /** Of images that look like this one. */
  readonly findings: Map<string, Finding>;
  readonly path: readonly string[];
}

async function tryOne(start: Start, life: Life, attempt: Attempt): Promise<void> {
  const { point, ending, findings, path } = attempt;
  const image = imageOf(point, ending);
  const signature = signatureOf(image);
  counts.image(ending.kind);
  try {
    const known = findings.get(signature);
    const finding = known ?? (await reopened(image, start.level));
    if (known === undefined) counts.reopening(ending.kind);
    findings.set(signature, finding);
    judge(finding, point, ending, life);
  } catch (cause) {
    throw failure(path, point.before, cause);
  }
  const seed = seedOf(path.join());
  const goesOn = only === undefined ? seed % furtherLives === 0 : path.length < only.length;
  if (!goesOn || path.length >= livesMax) return;
  const last = findings.get(signature)?.last ?? 0;
  const ledger = ending.kind === "kill" ? point.ledger.copy() : Ledger.from(last);
  const operations = 6 + (seed % 25);
  const { level } = start;
  await explore({ disk: image, ledger, states: life.states, level, seed, operations }, path);
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
    for (; counts.moments < wanted; seed++) {
      histories++;
      await explore(startOf(seed), []);
      if (only !== undefined) break;
    }
    console.info(counts.summary(histories, (performance.now() - startedAt) / 1000));
    if (only !== undefined) return;
    expect(counts.moments).toBeGreaterThanOrEqual(wanted);
    if (wanted >= pointsForAll) expect(counts.missed()).toEqual([]);
  },
  60_000 + wanted * 200,
);
