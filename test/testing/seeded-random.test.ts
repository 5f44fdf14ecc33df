// The random numbers of the virtual Env: right by the book, uniform, and the same for ever.

import { seededRandom } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { nextWord, type RandomState } from "../../src/testing/seeded-random.js";

/** xoshiro128** as its authors print it, on integers without a size. */
function referenceWord(state: [bigint, bigint, bigint, bigint]): bigint {
  const word = (value: bigint): bigint => BigInt.asUintN(32, value);
  const rotate = (value: bigint, bits: bigint): bigint =>
    word(value << bits) | (value >> (32n - bits));
  const result = word(rotate(word(state[1] * 5n), 7n) * 9n);
  const shifted = word(state[1] << 9n);
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = rotate(state[3], 11n);
  return result;
}

function draws(seed: number, bound: number, count: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random.below(bound));
}

/** Far in the tail for the given degrees of freedom: about one chance in a million. */
function chiSquareMax(degrees: number): number {
  const z = 4.75;
  return degrees * (1 - 2 / (9 * degrees) + z * Math.sqrt(2 / (9 * degrees))) ** 3;
}

function chiSquare(counts: readonly number[], total: number): number {
  const expected = total / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe("seededRandom", () => {
  test("follows xoshiro128**", () => {
    const state: RandomState = [1, 2, 3, 4];
    const reference: [bigint, bigint, bigint, bigint] = [1n, 2n, 3n, 4n];
    expect(nextWord([1, 2, 3, 4])).toBe(11520);
    for (let round = 0; round < 10_000; round++) {
      expect(BigInt(nextWord(state))).toBe(referenceWord(reference));
    }
  });

  test("gives the same numbers for the same seed, and others for others", () => {
    expect(draws(7, 2 ** 32, 50)).toEqual(draws(7, 2 ** 32, 50));
    const firsts = Array.from({ length: 1000 }, (_, seed) => draws(seed, 2 ** 53, 1)[0]);
    expect(new Set(firsts).size).toBe(1000);
    expect(draws(1, 2 ** 32, 5)).not.toEqual(draws(1 + 2 ** 32, 2 ** 32, 5));
  });

  test("repeats what it gave in earlier versions", () => {
    expect(draws(1, 1000, 8)).toEqual([649, 941, 693, 109, 758, 28, 200, 816]);
    expect(draws(2 ** 53 - 1, 1000, 8)).toEqual([986, 885, 259, 825, 660, 272, 403, 767]);
  });

  for (const bound of [2, 3, 7, 100]) {
    test(`is uniform below ${bound}`, () => {
      const total = 100_000;
      const counts = new Array<number>(bound).fill(0);
      for (const drawn of draws(11, bound, total)) counts[drawn] = (counts[drawn] ?? 0) + 1;
      expect(chiSquare(counts, total)).toBeLessThan(chiSquareMax(bound - 1));
    });
  }

  // Without drawing again, results in the lower half of the first bound would come up twice as
  // often as others, and every third of the second bound unevenly.
  for (const bound of [3 * 2 ** 30, 3 * 2 ** 51]) {
    test(`is uniform below ${bound}, where remainders would not be`, () => {
      const total = 60_000;
      const counts = [0, 0, 0];
      for (const drawn of draws(5, bound, total)) {
        const third = Math.floor((drawn / bound) * 3);
        counts[third] = (counts[third] ?? 0) + 1;
      }
      expect(chiSquare(counts, total)).toBeLessThan(chiSquareMax(2));
    });
  }

  test("reaches the ends of large ranges, and nothing outside", () => {
    const drawn = draws(3, 2 ** 53, 20_000);
    expect(Math.max(...drawn)).toBeLessThan(2 ** 53);
    expect(Math.max(...drawn)).toBeGreaterThan(0.999 * 2 ** 53);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(drawn.every(Number.isSafeInteger)).toBe(true);
    expect(drawn.filter((number) => number % 2 === 1).length).toBeGreaterThan(9_000);
    expect(draws(3, 1, 10)).toEqual(new Array(10).fill(0));
  });

  test("refuses what is no seed and no bound", () => {
    for (const seed of [-1, 1.5, Number.NaN, 2 ** 53]) {
      expect(() => seededRandom(seed)).toThrow(RangeError);
    }
    for (const bound of [0, -1, 1.5, Number.NaN, 2 ** 53 + 2]) {
      expect(() => seededRandom(1).below(bound)).toThrow(RangeError);
    }
  });
});
