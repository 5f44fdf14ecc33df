// Virtual env: time that stands still until a test moves it, and chance that repeats.
//
// Invariants
// 1. The clock moves by `advance` and `stall` alone. Nothing that happens takes time.
// 2. A timer fires inside `advance` alone: in the order of the moments for which timers were armed,
//    those of one moment in the order in which they were armed, with the clock showing that moment
//    (or a later one, if it came during a stall).
// 3. Work that is ready runs to its end before the clock moves on, however often it lets others
//    have their turn. Work that waits for real files or sockets has to be awaited by the test.
// 4. `monotonic` moves with the clock and a little by itself with every call, so that loops which
//    stop after some milliseconds stop after the same number of rounds in every run.

import type { Env, Timer } from "../env/env.js";
import type { Files } from "../env/files.js";
import { nodeFiles } from "../env/node-files.js";
import { nodeProcesses, type Processes } from "../env/processes.js";
import { seededRandom } from "./seeded-random.js";

export interface VirtualEnvOptions {
  /** Of everything random: an integer from 0 to 2^53 - 1; default 1. */
  readonly seed?: number;
  /** Where the clock starts, in Unix milliseconds; default 2024-01-01T00:00:00Z. */
  readonly now?: number;
  /** Default: the real file system. */
  readonly files?: Files;
  /** Default: the real processes, of which this is one. */
  readonly processes?: Processes;
}

export interface VirtualEnv extends Env {
  readonly seed: number;
  /** Moves the clock on and fires what is due on the way; `advance(0)` fires what is overdue. */
  advance(ms: number): Promise<void>;
  /** Moves the clock on and fires nothing, like an event loop that is busy with something else. */
  stall(ms: number): void;
  /** Resolves when everything that is ready to run has run; the clock stands still. */
  idle(): Promise<void>;
  /** Armed timers that have neither fired nor been cancelled. */
  readonly armedTimers: number;
}

const startDefault = Date.UTC(2024, 0, 1);
/** By how much `monotonic` moves with every call. */
const monotonicTickMs = 1 / 4;
/** Firings without any movement of the clock after which a run counts as stuck. */
const firingsAtOneMomentMax = 100_000;

interface ArmedTimer {
  readonly at: number;
  readonly callback: () => void;
}

/** Timers by moment, then by age: insertion into a sorted array is plenty for tests. */
class TimerQueue {
  readonly #timers: ArmedTimer[] = [];

  get size(): number {
    return this.#timers.length;
  }

  add(timer: ArmedTimer): void {
    const after = this.#timers.findLastIndex(({ at }) => at <= timer.at);
    this.#timers.splice(after + 1, 0, timer);
  }

  remove(timer: ArmedTimer): void {
    const place = this.#timers.indexOf(timer);
    if (place >= 0) this.#timers.splice(place, 1);
  }

  /** Removes the first timer that is due by then. */
  take(until: number): ArmedTimer | undefined {
    const first = this.#timers[0];
    return first !== undefined && first.at <= until ? this.#timers.shift() : undefined;
  }
}

class VirtualWorld implements VirtualEnv {
  readonly seed: number;
  readonly random: Env["random"];
  readonly files: Files;
  readonly processes: Processes;
  readonly clock: Env["clock"];
  readonly timers: Env["timers"];
  readonly #queue = new TimerQueue();
  readonly #start: number;
  #now: number;
  #readings = 0;
  #breathing = 0;

  constructor({ seed, now, files, processes }: Required<VirtualEnvOptions>) {
    this.seed = seed;
    this.random = seededRandom(seed);
    this.files = files;
    this.processes = processes;
    this.#start = now;
    this.#now = now;
    this.clock = { now: () => this.#now, monotonic: () => this.#monotonic() };
    this.timers = {
      after: (delayMs, callback) => this.#arm(delayMs, callback),
      breathe: () => this.#breathe(),
    };
  }

  get armedTimers(): number {
    return this.#queue.size;
  }

  async advance(ms: number): Promise<void> {
    checkDuration(ms);
    const end = this.#now + ms;
    let firings = 0;
    await this.idle();
    for (let timer = this.#queue.take(end); timer !== undefined; timer = this.#queue.take(end)) {
      if (timer.at > this.#now) {
        this.#now = timer.at;
        firings = 0;
      }
      if (++firings > firingsAtOneMomentMax)
        throw new Error("timers fire without end at one moment");
      timer.callback();
      await this.idle();
    }
    this.#now = end;
  }

  stall(ms: number): void {
    checkDuration(ms);
    this.#now += ms;
  }

  async idle(): Promise<void> {
    do await turn();
    while (this.#breathing > 0);
  }

  #monotonic(): number {
    return this.#now - this.#start + ++this.#readings * monotonicTickMs;
  }

  #arm(delayMs: number, callback: () => void): Timer {
    // The clock shows whole milliseconds, and a timer never fires early.
    const timer = { at: this.#now + Math.max(0, Math.ceil(delayMs)), callback };
    this.#queue.add(timer);
    return { cancel: () => this.#queue.remove(timer) };
  }

  async #breathe(): Promise<void> {
    this.#breathing++;
    await turn();
    this.#breathing--;
  }
}

/** One turn of the event loop, with all microtasks before it. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function checkDuration(ms: number): void {
  if (Number.isInteger(ms) && ms >= 0) return;
  throw new RangeError(`a duration must be an integer of at least 0, got ${ms}`);
}

/** An Env whose clock the test moves, and whose random numbers follow from the seed. */
export function virtualEnv(options: VirtualEnvOptions = {}): VirtualEnv {
  const { seed = 1, now = startDefault, files = nodeFiles, processes = nodeProcesses } = options;
  return new VirtualWorld({ seed, now, files, processes });
}
