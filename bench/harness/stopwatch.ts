// Stopwatch: from durations to samples.

/** How long `work` takes, in milliseconds. */
export async function elapsedMs(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Unit `ops/s`. */
export function rate(operations: number, ms: number): number {
  return (operations / ms) * 1000;
}

/** Unit `µs/op`. */
export function cost(operations: number, ms: number): number {
  return (ms / operations) * 1000;
}
