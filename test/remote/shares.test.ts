import { seededRandom } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { Shares } from "../../src/remote/shares.js";

describe("shares", () => {
  test("distinct choices take no more than there is, and all of it when asked", () => {
    const shares = new Shares([3, 0, 5]);
    for (let seed = 1; seed < 50; seed++) {
      const draws = shares.draw(seededRandom(seed), 6, true);
      const [first = 0, second, third = 0] = shares.sizesOf(draws);
      expect(second).toBe(0);
      expect(first + third).toBe(6);
      expect(first).toBeLessThanOrEqual(3);
      expect(third).toBeLessThanOrEqual(5);
    }
    expect(shares.sizesOf(shares.draw(seededRandom(1), 100, true))).toStrictEqual([3, 0, 5]);
  });

  test("each partition is drawn by its share", () => {
    const shares = new Shares([100, 300, 0, 600]);
    const sizes = shares.sizesOf(shares.draw(seededRandom(1), 100_000, false));
    const expected = [10_000, 30_000, 0, 60_000];
    const chiSquare = sizes.reduce((sum, size, index) => {
      const due = expected[index] ?? 0;
      return due === 0 ? sum + size * 1_000 : sum + (size - due) ** 2 / due;
    }, 0);
    // Two degrees of freedom: beyond 13.8 once in a thousand seeds.
    expect(chiSquare).toBeLessThan(13.8);
  });

  test("nothing is drawn from nothing", () => {
    expect(new Shares([0, 0]).draw(seededRandom(1), 5, false)).toStrictEqual([]);
  });
});
