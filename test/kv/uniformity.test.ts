// Whether the uniformity tests of the suite can fail: they are run on stores whose choices are
// biased on purpose, and the statistic itself is compared with tables.

import { type StoreFactory, seededRandom } from "anykv/testing";
import { describe, expect, test } from "vitest";
import type { Random } from "../../src/env/env.js";
import { chiSquare, criticalValue } from "../../src/testing/suite/chi-square.js";
import { storeSuite } from "../../src/testing/suite/store-suite.js";
import { memoryFactory } from "../engines/memory/memory-factory.js";

const random = seededRandom(99);
const fraction = (): number => random.below(2 ** 32) / 2 ** 32;

/** Integers in `[0, bound)` as a careless program would draw them. */
const biases: Readonly<Record<string, Random>> = {
  "that prefers small numbers": {
    below: (bound) => Math.floor(bound * fraction() ** 1.5),
  },
  "that never draws the last number": { below: (bound) => random.below(Math.max(1, bound - 1)) },
};

/** The tests of uniformity, on stores that draw from `biased`. */
function uniformityTests(biased: Random): Map<string, () => unknown> {
  const tests = new Map<string, () => unknown>();
  const factory: StoreFactory = {
    ...memoryFactory,
    create: ({ env, ...options }) =>
      memoryFactory.create({ ...options, env: Object.create(env, { random: { value: biased } }) }),
  };
  const recorder = {
    describe: (_: string, body: () => void) => body(),
    test: (title: string, body: () => unknown) => {
      if (title.includes(" is uniform when ")) tests.set(title, body);
    },
    expect,
  };
  storeSuite(recorder, factory);
  return tests;
}

describe.each(Object.entries(biases))("a source of chance %s", (_, biased) => {
  test.each([...uniformityTests(biased)])("fails: %s", async (_title, body) => {
    await expect(body()).rejects.toThrow(/seed 1/);
  });
});

describe("an even source of chance", () => {
  test.each([...uniformityTests(seededRandom(5))])("passes: %s", async (_, body) => {
    await body();
  });
});

describe("chi-square", () => {
  test.each([
    [1, 10.83],
    [3, 16.27],
    [9, 27.88],
    [19, 43.82],
    [99, 148.23],
    [199, 266.39],
  ])("the critical value for %i degrees of freedom is near that of tables", (degrees, tabled) => {
    expect(Math.abs(criticalValue(degrees) / tabled - 1)).toBeLessThan(0.04);
  });

  test("the statistic is Pearson's", () => {
    expect(chiSquare([10, 10, 10, 10])).toBe(0);
    expect(chiSquare([5, 15])).toBe(5);
    expect(chiSquare([22, 21, 22, 27, 22, 36])).toBeCloseTo(6.72, 2);
  });

  test("the statistic of draws of several cells has the same scale", () => {
    const statistics = Array.from({ length: 200 }, () => {
      const counts = new Array<number>(20).fill(0);
      for (let draw = 0; draw < 100; draw++) {
        const cells = Array.from(counts.keys());
        for (let left = 10; left > 0; left--) {
          const [cell = 0] = cells.splice(random.below(cells.length), 1);
          counts[cell] = (counts[cell] ?? 0) + 1;
        }
      }
      return chiSquare(counts, 10);
    });
    const mean = statistics.reduce((sum, statistic) => sum + statistic, 0) / statistics.length;
    expect(Math.abs(mean - 19)).toBeLessThan(2);
  });
});
