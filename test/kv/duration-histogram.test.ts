// Duration histogram: buckets, quantiles, sums.

import { describe, expect, test } from "vitest";
import { DurationHistogram, durationBoundsMs } from "../../src/kv/duration-histogram.js";

describe("a duration histogram", () => {
  const of = (...durationsMs: number[]): DurationHistogram => {
    const histogram = new DurationHistogram();
    for (const durationMs of durationsMs) histogram.observe(durationMs);
    return histogram;
  };

  test("puts a duration into the first bucket whose bound it does not exceed", () => {
    for (const [slot, bound] of durationBoundsMs.entries()) {
      expect(of(bound).counts[slot]).toBe(1);
      expect(of(bound * 1.0001).counts[slot + 1]).toBe(1);
    }
  });

  test("estimates quantiles within their bucket, up to the longest duration", () => {
    expect(of().quantileMs(0.5)).toBe(0);
    expect(of(0, 0).quantileMs(0.99)).toBe(0);
    expect(of(6, 7, 8, 10).quantileMs(0.5)).toBe(7.5);
    expect(of(6, 6).quantileMs(1)).toBe(6);
    expect(of(1, 1, 1, 70_000).quantileMs(1)).toBe(70_000);
    expect(of(20_000, 30_000).quantileMs(0.5)).toBe(20_000);
    const steps = of(...Array.from({ length: 100 }, (_, i) => i + 1));
    expect(steps.quantileMs(0.5)).toBe(50);
    expect(steps.quantileMs(0.99)).toBeCloseTo(99);
  });

  test("adds up", () => {
    const sum = of(1, 2);
    sum.add(of(3, 40));
    expect(sum).toEqual(of(1, 2, 3, 40));
  });
});
