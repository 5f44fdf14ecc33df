// Shares: how many of some choices fall on which partition, so that every key is equally likely.

import type { Random } from "../env/env.js";

export class Shares {
  readonly #sizes: readonly number[];

  /** How many keys there are to choose from in each partition. */
  constructor(sizes: readonly number[]) {
    this.#sizes = sizes;
  }

  get total(): number {
    return this.#sizes.reduce((sum, size) => sum + size, 0);
  }

  /**
   * The partition of each of `count` choices, in their order. Distinct choices take a key away from
   * their partition, and there are no more of them than keys. O(count x partitions).
   */
  draw(random: Random, count: number, distinct: boolean): number[] {
    const left = [...this.#sizes];
    let total = this.total;
    const draws: number[] = [];
    while (draws.length < count && total > 0) {
      const partition = holderOf(left, random.below(total));
      draws.push(partition);
      if (!distinct) continue;
      left[partition] = (left[partition] ?? 0) - 1;
      total--;
    }
    return draws;
  }

  /** How many of the draws fall on each partition. */
  sizesOf(draws: readonly number[]): number[] {
    const sizes = this.#sizes.map(() => 0);
    for (const partition of draws) sizes[partition] = (sizes[partition] ?? 0) + 1;
    return sizes;
  }
}

/** The partition in which the key of that rank lies, all keys in a row. */
function holderOf(sizes: readonly number[], rank: number): number {
  let left = rank;
  for (const [partition, size] of sizes.entries()) {
    if (left < size) return partition;
    left -= size;
  }
  throw new RangeError("a rank beyond all keys");
}
