// Env in k6: its clock, its random numbers and its timers.
//
// A timer that is armed keeps the iteration alive, so nothing here arms one in the background. Files
// and processes do not exist.

import execution from "k6/execution";
import type { Env, Timer } from "../env/env.js";

/** The test's own clock has fractions; there is none in the init context. */
function monotonic(): number {
  try {
    return execution.instance.currentTestRunDuration;
  } catch {
    return Date.now();
  }
}

function after(delayMs: number, callback: () => void): Timer {
  const timeout = setTimeout(callback, Math.max(delayMs, 0));
  return { cancel: () => clearTimeout(timeout) };
}

function missing(what: string): never {
  throw new Error(`k6 has no ${what}`);
}

export const k6Env: Env = {
  clock: { now: () => Date.now(), monotonic },
  random: { below: (bound) => Math.floor(Math.random() * bound) },
  timers: { after, breathe: () => new Promise((resolve) => setTimeout(resolve, 0)) },
  get files() {
    return missing("files");
  },
  get processes() {
    return missing("processes");
  },
};
