// Remote samples: keys at random, every one as likely as any other while nobody writes.
//
// A call chooses, or looks up, a bounded number of keys. Up to that number, and in one partition, a
// sample is of one instant. Beyond it keys may come and go between two calls: no key is given twice
// then where different ones are asked for, and those that have gone meanwhile may be among them.

import type { Random } from "../env/env.js";
import type * as Request from "../operations/requests.js";
import { type Calls, settleAll, stepKeysMax } from "./calls.js";
import { pageRowsMax } from "./merge.js";
import { countsOf } from "./remote-queries.js";
import { flagIn, listIn, numberIn, textIn } from "./replies.js";
import { Shares } from "./shares.js";

/** From one key in so many on, reading them all costs the server less than looking them up. */
const readShare = 8;
/** How often keys are chosen anew because others have gone meanwhile. */
const roundsMax = 10;

/** Uniform over all partitions: each choice falls on one of them by its share. */
export async function randomKeys(calls: Calls, request: Request.SampleRequest): Promise<string[]> {
  const { prefix, unique, count } = request;
  if (calls.partitions === 1 && count <= stepKeysMax) return sample(calls, 0, request, count);
  const sizes = await countsOf(calls, "count", prefix);
  const shares = new Shares(sizes);
  const draws = shares.draw(calls.env.random, count, unique);
  const samples = await settleAll(
    shares.sizesOf(draws).map(async (size, partition) => {
      if (size === 0) return [];
      if (!unique || size <= stepKeysMax) return sampleMany(calls, partition, request, size);
      return differentKeys(calls, partition, { prefix, size, present: sizes[partition] ?? 0 });
    }),
  );
  return draws.flatMap((partition) => samples[partition]?.pop() ?? []);
}

// Different keys are chosen in one call, which `size` allows then; what may repeat may come in several.
async function sampleMany(
  calls: Calls,
  partition: number,
  request: Request.SampleRequest,
  size: number,
): Promise<string[]> {
  const keys: string[] = [];
  for (let left = size; left > 0; left -= stepKeysMax) {
    keys.push(...(await sample(calls, partition, request, Math.min(left, stepKeysMax))));
  }
  return keys;
}

async function sample(
  calls: Calls,
  partition: number,
  { prefix, unique }: Request.SampleRequest,
  size: number,
): Promise<string[]> {
  const args = [prefix, unique ? 1 : 0, ...calls.randoms(size)];
  return listIn(await calls.ranked("sample", partition, args)).map(textIn);
}

interface Wanted {
  readonly prefix: string;
  readonly size: number;
  /** How many keys the partition has. */
  readonly present: number;
}

/** Different keys of one partition, more than one call chooses, in random order. */
async function differentKeys(
  calls: Calls,
  partition: number,
  { prefix, size, present }: Wanted,
): Promise<string[]> {
  const { random } = calls.env;
  if (size * readShare >= present) {
    const keys = await keysIn(calls, partition, prefix);
    const ranks = distinctRanks(random, Math.min(size, keys.length), keys.length);
    return ranks.map((rank) => keys[rank] as string);
  }
  const found = new Set<string>();
  let count = present;
  for (let round = 0; round < roundsMax && found.size < Math.min(size, count); round++) {
    if (round > 0) count = numberIn(await calls.ranked("count", partition, [prefix]));
    const ranks = distinctRanks(random, Math.min(size - found.size, count), count);
    for (let first = 0; first < ranks.length; first += stepKeysMax) {
      const args = [prefix, ...ranks.slice(first, first + stepKeysMax)];
      const reply = listIn(await calls.ranked("select_keys", partition, args));
      for (const key of reply) found.add(textIn(key));
    }
  }
  return [...found];
}

async function keysIn(calls: Calls, partition: number, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  while (true) {
    const args = [prefix, keys.at(-1) ?? "", pageRowsMax];
    const [done, ...page] = listIn(await calls.ranked("scan_keys", partition, args));
    for (const key of page) keys.push(textIn(key));
    if (flagIn(done)) return keys;
  }
}

/**
 * `size` different integers in `[0, bound)`, all orders of all choices equally likely: a shuffle that
 * remembers only the places that it has touched. O(size).
 */
export function distinctRanks(random: Random, size: number, bound: number): number[] {
  const moved = new Map<number, number>();
  return Array.from({ length: size }, (_, position) => {
    const other = position + random.below(bound - position);
    const rank = moved.get(other) ?? other;
    moved.set(other, moved.get(position) ?? position);
    return rank;
  });
}
