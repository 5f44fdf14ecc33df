// Measure: how fast an operation is carried out, in rounds, so that the spread shows how far a number
// is to be believed.

import { setImmediate as nextTurn } from "node:timers/promises";
import { checkCanceled } from "../transfer/transfer.js";

export interface Measuring {
  readonly rounds: number;
  readonly roundMs: number;
  /** Calls that are under way at once. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/** Rates are operations per second of one round each; durations are of single calls. */
export interface Measured {
  readonly operations: number;
  readonly medianPerSecond: number;
  readonly lowestPerSecond: number;
  readonly highestPerSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** Calls after which others get their turn: results that are there at once would keep it for ever. */
const turnCalls = 64;

/** The first round warms up and is not counted. @throws what a call rejects with. */
export async function measure(
  { rounds, roundMs, concurrency, signal }: Measuring,
  call: (number: number) => Promise<unknown>,
  onRound: (round: number) => void,
): Promise<Measured> {
  const rates: number[] = [];
  const durations = new Sample();
  let number = 0;
  for (let round = 0; round <= rounds; round++) {
    onRound(round);
    const [begin, before] = [performance.now(), number];
    const worker = async (): Promise<void> => {
      for (let calls = 1; performance.now() - begin < roundMs; calls++) {
        checkCanceled({ signal });
        const start = performance.now();
        await call(number++);
        if (round > 0) durations.add(performance.now() - start);
        if (calls % turnCalls === 0) await nextTurn();
      }
    };
    await settled(Array.from({ length: concurrency }, worker));
    if (round > 0) rates.push(((number - before) * 1_000) / (performance.now() - begin));
  }
  rates.sort((a, b) => a - b);
  const sample = durations.sorted();
  return {
    operations: durations.count,
    medianPerSecond: quantile(rates, 0.5),
    lowestPerSecond: rates[0] ?? 0,
    highestPerSecond: rates.at(-1) ?? 0,
    medianMs: quantile(sample, 0.5),
    p99Ms: quantile(sample, 0.99),
  };
}

const sampleMax = 1_000_000;

/** Every n-th of many numbers, so that a long run needs no more memory than a short one. */
class Sample {
  count = 0;
  #kept: number[] = [];
  #step = 1;

  add(number: number): void {
    if (this.count++ % this.#step !== 0) return;
    this.#kept.push(number);
    if (this.#kept.length < sampleMax) return;
    this.#kept = this.#kept.filter((_, index) => index % 2 === 0);
    this.#step *= 2;
  }

  sorted(): number[] {
    return this.#kept.sort((a, b) => a - b);
  }
}

/** All of them are over when it rejects: what comes next must not meet one that is still at work. */
async function settled(workers: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(workers);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
