// Env: everything that the outside world decides, as one parameter.
//
// No module above this layer reads a clock, draws a random number, arms a timer or opens a
// file except through an Env. Tests hand in a virtual one and replay a run from its seed.

import type { Files } from "./files.js";
import { nodeFiles } from "./node-files.js";
import { nodeProcesses, type Processes } from "./processes.js";

/** Wall time decides expiry and leases; monotonic time only measures durations. */
export interface Clock {
  /** Milliseconds since the Unix epoch, an integer. */
  now(): number;
  /** Milliseconds since an arbitrary start, with fractions; never goes backwards. */
  monotonic(): number;
}

export interface Random {
  /** A uniform integer in `[0, bound)`; `bound` is an integer of at least 1. */
  below(bound: number): number;
}

/** A pending call; `cancel` is idempotent and harmless after the call has run. */
export interface Timer {
  cancel(): void;
}

export interface Timers {
  /**
   * Calls back once, `delayMs` from now. A background timer never keeps the process alive; a
   * foreground one does, because somebody awaits its result.
   */
  after(delayMs: number, callback: () => void, keepAlive?: boolean): Timer;
  /** Resolves after other pending events of the loop have had their turn. */
  breathe(): Promise<void>;
}

export interface Env {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly files: Files;
  readonly processes: Processes;
}

// Node clamps a longer delay to 1 ms; whoever is woken early looks at the clock and waits again.
const delayMsMax = 2 ** 31 - 1;

const nodeTimers: Timers = {
  after(delayMs, callback, keepAlive = false) {
    const timeout = setTimeout(callback, Math.min(Math.max(delayMs, 0), delayMsMax));
    if (!keepAlive) timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
};

/** The real world: system clock, `Math.random`, Node's timers, the file system and its processes. */
export const nodeEnv: Env = {
  // Looked up at each call, so that a test framework's fake clock is seen.
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
  random: { below: (bound) => Math.floor(Math.random() * bound) },
  timers: nodeTimers,
  files: nodeFiles,
  processes: nodeProcesses,
};
