// Duration histogram: counts of durations in fixed buckets, from 5 us to 10 s.
//
// `counts` has one slot for each bound, for durations up to and including it, and a last one for
// all longer durations. Slots are not cumulative; the exposition adds them up.

/** Upper bounds in milliseconds, ascending. A memory store answers in microseconds. */
export const durationBoundsMs: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000,
  10_000,
];

export class DurationHistogram {
  readonly counts: number[] = new Array(durationBoundsMs.length + 1).fill(0);
  count = 0;
  sumMs = 0;
  maxMs = 0;

  observe(durationMs: number): void {
    let slot = 0;
    while (slot < durationBoundsMs.length && durationMs > durationBoundsMs[slot]!) slot++;
    this.counts[slot]!++;
    this.count++;
    this.sumMs += durationMs;
    if (durationMs > this.maxMs) this.maxMs = durationMs;
  }

  add(other: DurationHistogram): void {
    other.counts.forEach((count, slot) => {
      this.counts[slot]! += count;
    });
    this.count += other.count;
    this.sumMs += other.sumMs;
    this.maxMs = Math.max(this.maxMs, other.maxMs);
  }

  /**
   * The duration that a share `q` of all durations does not exceed, estimated as if they were
   * spread evenly within their bucket, and never above the longest one. 0 when there is none.
   */
  quantileMs(q: number): number {
    const rank = q * this.count;
    let below = 0;
    for (let slot = 0; slot < this.counts.length; slot++) {
      const count = this.counts[slot]!;
      if (count > 0 && below + count >= rank) {
        const lower = durationBoundsMs[slot - 1] ?? 0;
        const upper = Math.min(durationBoundsMs[slot] ?? Infinity, this.maxMs);
        return lower + ((upper - lower) * (rank - below)) / count;
      }
      below += count;
    }
    return this.maxMs;
  }
}
