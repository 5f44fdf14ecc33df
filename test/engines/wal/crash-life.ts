// Life: one process that opens a store on simulated files, works on it and closes it, watched so
// closely that it can afterwards be ended at any moment in between.

import { openKv } from "anykv";
import { seededRandom, type VirtualEnv, virtualEnv } from "anykv/testing";
import type { View } from "../../../src/engine/engine.js";
import { tableNames } from "../../../src/engine/tables.js";
import { walDefaults } from "../../../src/engines/wal/wal-defaults.js";
import { WalEngine } from "../../../src/engines/wal/wal-engine.js";
import type { Random } from "../../../src/env/env.js";
import type { Call } from "../../../src/testing/simulated-calls.js";
import type { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import { SimulatedFiles } from "../../../src/testing/simulated-files.js";
import { SimulatedHost } from "../../../src/testing/simulated-host.js";
import { Actions } from "./crash-actions.js";
import type { Ledger } from "./crash-ledger.js";

export const storePath = "/var/lib/store";
export const host = new SimulatedHost();

/** What a store is opened with. */
export interface Level {
  readonly syncWrites: boolean;
  readonly flushInterval: number;
  readonly segmentSize: number;
  readonly snapshotEvery: number;
  readonly compressionThreshold: number;
}

/** Sizes so small that files come and go all the time. */
export function levelOf(seed: number): Level {
  const { below } = seededRandom(seed);
  const of = (sizes: readonly number[]): number => sizes[below(sizes.length)] as number;
  return {
    syncWrites: below(2) === 0,
    flushInterval: 1 + below(100),
    segmentSize: of([400, 1_000, 3_000, 20_000]),
    snapshotEvery: of([500, 1_500, 4_000, 30_000]),
    compressionThreshold: of([100, 400, 65_536]),
  };
}

export function engineOptions(level: Level): Parameters<typeof WalEngine.open>[1] {
  return {
    ...walDefaults,
    path: storePath,
    trackKeys: false,
    syncWrites: level.syncWrites,
    flushIntervalMs: level.flushInterval,
    segmentBytesMax: level.segmentSize,
    snapshotBytesMin: level.snapshotEvery,
    packedBytesMin: level.compressionThreshold,
  };
}

/** The content of a store after each record, as text, by the number of the record. */
export type States = Map<number, string>;

/** A moment right before a call takes effect, or the end. */
export interface Point {
  readonly disk: SimulatedDisk;
  readonly ledger: Ledger;
  /** The call that comes next, as text. */
  readonly before: string;
}

export interface Start {
  readonly disk: SimulatedDisk;
  readonly ledger: Ledger;
  /** The states that the store may be in when it has been opened. */
  readonly states: States;
  readonly level: Level;
  readonly seed: number;
  readonly operations: number;
  /** Ends the process at this file call, or in the middle of it; at the latest before it closes. */
  readonly stop?: { readonly call: number; readonly middle: boolean };
}

export interface Life {
  /** How many file calls were made. */
  readonly calls: number;
  readonly points: readonly Point[];
  /** How many of the points came before the store was open. */
  readonly opening: number;
  readonly states: States;
}

/** Everything in the tables, as text. */
export function contentOf(view: View): string {
  const lines: string[] = [];
  for (const name of tableNames) {
    const table = view[name];
    for (const key of table.slice(0, table.size)) {
      const row = table.get(key);
      lines.push(`${name} ${key} ${row?.deadline} ${String(row?.value)}`);
    }
  }
  return lines.join("\n");
}

export function engineContent(engine: WalEngine): string {
  return engine.read(contentOf, undefined) as string;
}

/** Calls that change what is on the disk, or what of it is durable. */
const changing: ReadonlySet<Call["kind"]> = new Set([
  "write",
  "truncate",
  "sync",
  "dataSync",
  "rename",
  "remove",
  "makeDirectory",
  "syncDirectory",
  "open",
]);

export class Watch {
  readonly points: Point[] = [];
  /** The engine that is at work. */
  engine: WalEngine | undefined;
  /** The last record that it found. */
  recovered = 0;
  /** Points before the store was open. */
  opening = 0;
  readonly states: States;
  readonly ledger: Ledger;
  readonly #syncWrites: boolean;
  #changed = true;
  /** What was wrong already while the store was at work. */
  fault: string | undefined;

  constructor({ states, ledger, level }: Start) {
    this.states = new Map(states);
    this.ledger = ledger;
    this.#syncWrites = level.syncWrites;
  }

  before(call: Call, disk: SimulatedDisk): void {
    if (!changing.has(call.kind) || !this.#changed) return;
    this.mark(disk, `${call.kind} ${call.path}`);
    this.#changed = false;
  }

  after(call: Call, disk: SimulatedDisk): void {
    this.ledger.note(call, disk.changes);
    this.#changed ||= changing.has(call.kind);
  }

  mark(disk: SimulatedDisk, before: string): void {
    this.points.push({ disk: disk.clone(), ledger: this.ledger.copy(), before });
  }

  /** Takes note of every transaction of an engine that has just been opened. */
  attend(engine: WalEngine): void {
    for (const record of [...this.states.keys()]) {
      if (record > engine.last) this.states.delete(record);
    }
    if (this.states.get(engine.last) !== engineContent(engine)) {
      this.fault ??= `record ${engine.last} came back with another content`;
    }
    this.engine = engine;
    this.recovered = engine.last;
    this.opening = this.points.length;
    this.ledger.committed = engine.last;
    // A store shows nothing that a power cut may still take away: recovery makes sure of what it found.
    this.ledger.durable = engine.last;
    const write = engine.write.bind(engine);
    engine.write = (operation, request) => {
      const before = engine.last;
      const result = write(operation, request);
      if (engine.last > before) this.#acknowledges(this.#committed(engine), result);
      return result;
    };
    const reap = engine.reap.bind(engine);
    engine.reap = (operation, request) => {
      const before = engine.last;
      const result = reap(operation, request);
      if (engine.last > before) this.#committed(engine);
      return result;
    };
  }

  #committed(engine: WalEngine): number {
    const record = engine.last;
    this.ledger.committed = record;
    this.states.set(record, engineContent(engine));
    this.#changed = true;
    return record;
  }

  #acknowledges(record: number, result: unknown): void {
    if (!this.#syncWrites) return;
    if (!(result instanceof Promise)) throw new Error(`record ${record} has nobody waiting for it`);
    result.then(
      () => this.#acknowledged(record),
      () => {},
    );
  }

  #acknowledged(record: number): void {
    if (record > this.ledger.durable) this.fault ??= `record ${record} was acknowledged too early`;
    this.ledger.acknowledged = Math.max(this.ledger.acknowledged, record);
    this.#changed = true;
  }
}

/**
 * Tells about every engine that is opened while `body` runs. Each gets the options of the level,
 * which are smaller than those that users may set.
 */
export async function attending(
  level: Level,
  attend: (engine: WalEngine) => void,
  body: () => Promise<void>,
): Promise<void> {
  const open = WalEngine.open;
  WalEngine.open = async (env, options) => {
    const engine = await open.call(WalEngine, env, { ...options, ...engineOptions(level) });
    attend(engine);
    return engine;
  };
  try {
    await body();
  } finally {
    WalEngine.open = open;
  }
}

const stepMsMax = 100;
let lives = 0;

/** Lives through one life, to its end or to where it is stopped. */
export async function live(start: Start): Promise<Life> {
  const { seed, level, stop } = start;
  const watch = new Watch(start);
  const files = new SimulatedFiles({
    disk: start.disk.clone(),
    random: seededRandom(seed + 1),
    observer: {
      before: (call) => watch.before(call, files.disk),
      after: (call) => watch.after(call, files.disk),
      delay: slowly(seed, () => env),
    },
  });
  if (stop !== undefined) files.stopAt(stop.call, stop.middle);
  const processes = host.start();
  const env: VirtualEnv = virtualEnv({ seed, files, processes });
  await attending(
    level,
    (engine) => watch.attend(engine),
    () => Promise.race([toTheEnd(start, watch, files, env), files.whenStopped]),
  );
  watch.mark(files.disk, "the end");
  host.kill(processes);
  if (watch.fault !== undefined) throw new Error(watch.fault);
  const { points, states, opening } = watch;
  return { points, opening, states, calls: files.calls.length };
}

async function toTheEnd(
  start: Start,
  watch: Watch,
  files: SimulatedFiles,
  env: VirtualEnv,
): Promise<void> {
  const { seed, operations, stop } = start;
  const random = seededRandom(seed);
  const kv = openKv({ name: `life ${++lives}`, backend: "wal", path: storePath, env });
  const actions = new Actions(kv, random, async () => watch.engine?.compact());
  await Promise.all(await work(actions, env, random, operations));
  // Who opens the same path again in this real process would wait for a close that never ends.
  if (stop === undefined) await closeForGood(kv, files, env);
}

/** Closes; whoever opens the directory then must have it alone. */
export async function closeForGood(
  kv: { close(): Promise<void> },
  files: SimulatedFiles,
  env: VirtualEnv,
): Promise<void> {
  await kv.close();
  const { length } = files.calls;
  await env.idle();
  const later = files.calls[length];
  if (later !== undefined) throw new Error(`after closing came ${later.kind} ${later.path}`);
}

export const syncTurnsMax = 8;

export async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await new Promise(setImmediate);
}

/**
 * Now and then a call takes a turn of the event loop, those on states mostly: so that transactions
 * come while a state is being written. Many syncs take several turns that nobody waits for, so that
 * frames are written meanwhile.
 */
export function slowly(
  seed: number,
  env: () => VirtualEnv,
): (call: Call) => Promise<void> | undefined {
  const { below } = seededRandom(seed + 2);
  return ({ kind, path }) => {
    if (kind === "dataSync" && below(2) === 0) return turns(1 + below(syncTurnsMax));
    const isSlow = below(path.includes("/last_state/") ? 2 : 10) === 0;
    return isSlow ? env().timers.breathe() : undefined;
  };
}

/**
 * Operations alone and side by side; time passes, so that timers flush and rows expire. Resolves
 * with what they come to.
 */
export async function work(
  actions: Actions,
  env: VirtualEnv,
  random: Random,
  operations: number,
): Promise<Promise<unknown>[]> {
  const results: Promise<unknown>[] = [];
  for (let done = 0; done < operations; done++) {
    const result = actions.next();
    result.catch(() => {});
    results.push(result);
    const pause = random.below(8);
    if (pause === 0) for (let turns = random.below(20); turns > 0; turns--) await null;
    else if (pause === 1) await env.idle();
    else if (pause === 2) await env.advance(1 + random.below(stepMsMax));
    else if (pause === 3) await Promise.allSettled(results);
    else if (pause < 6) await env.timers.breathe();
  }
  return results;
}
