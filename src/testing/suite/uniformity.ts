// Uniformity: every matching key is chosen equally often, however many of them are claimed.
//
// Chi-square at p = 0.001. The random numbers come from the environment's seed, so a run that
// passes always passes. Keys outside of the prefix stand on both sides of the pool, and the free
// keys lie in it at irregular distances: a choice that looks for the next free key from a random
// place would prefer those behind long gaps.

import type { Kv } from "../../kv/kv.js";
import { seededRandom } from "../seeded-random.js";
import { chiSquare, criticalValue } from "./chi-square.js";
import {
  type Case,
  type Family,
  granted,
  numberedEntries,
  numberedKeys,
  type Setting,
} from "./suite-case.js";

const prefix = "pool:";
const poolKeys = numberedKeys(prefix, 200);
const drawsPerKey = 20;
const drawsMin = 1_000;

/** Takes keys of the pool and leaves the store as it was. */
interface Chooser {
  /** Whether it chooses among the free keys only, or among all. */
  readonly freeOnly: boolean;
  /** Different keys of one draw, from that many. */
  readonly perDraw: (keys: number) => number;
  readonly draw: (kv: Kv, perDraw: number) => Promise<string[]>;
}

const one = (): number => 1;
const aQuarter = (keys: number): number => Math.max(1, Math.floor(keys / 4));

const choosers: Readonly<Record<string, Chooser>> = {
  randomKey: {
    freeOnly: false,
    perDraw: one,
    draw: async (kv) => [await kv.randomKey({ prefix })],
  },
  "the first of randomKeys": {
    freeOnly: false,
    perDraw: one,
    draw: async (kv) => (await kv.randomKeys({ prefix, count: 3 })).slice(0, 1),
  },
  "the last of randomKeys": {
    freeOnly: false,
    perDraw: one,
    draw: async (kv) => (await kv.randomKeys({ prefix, count: 10 })).slice(-1),
  },
  "membership in randomKeys": {
    freeOnly: false,
    perDraw: aQuarter,
    draw: (kv, count) => kv.randomKeys({ prefix, count }),
  },
  "randomKeys with repetition": {
    freeOnly: false,
    perDraw: one,
    draw: (kv) => kv.randomKeys({ prefix, count: 50, unique: false }),
  },
  popRandom: {
    freeOnly: true,
    perDraw: one,
    draw: async (kv) => {
      const { key, value } = granted(await kv.popRandom({ prefix }));
      await kv.set(key, value);
      return [key];
    },
  },
  popRandomMany: {
    freeOnly: true,
    perDraw: aQuarter,
    draw: async (kv, count) => {
      const keys = (await kv.popRandomMany({ prefix, count })).map(({ key }) => key);
      await kv.setMany(Object.fromEntries(keys.map((key) => [key, 0])));
      return keys;
    },
  },
  claimRandom: {
    freeOnly: true,
    perDraw: one,
    draw: async (kv) => {
      const claim = granted(await kv.claimRandom({ prefix }));
      await kv.releaseClaim(claim);
      return [claim.key];
    },
  },
  claimRandomMany: {
    freeOnly: true,
    perDraw: aQuarter,
    draw: async (kv, count) => {
      const claims = await kv.claimRandomMany({ prefix, count });
      await kv.releaseClaims(claims);
      return claims.map(({ key }) => key);
    },
  },
};

/** Claims so many percent of the pool and gives back the keys that stay free. */
async function occupy({ kv }: Setting, percent: number): Promise<string[]> {
  await kv.setMany(numberedEntries(prefix, poolKeys.length));
  await kv.setMany({ ...numberedEntries("poo", 30), ...numberedEntries("pool;", 30) });
  const free = [...poolKeys];
  const random = seededRandom(4711);
  while (free.length > (poolKeys.length * (100 - percent)) / 100) {
    const [key = ""] = free.splice(random.below(free.length), 1);
    granted(await kv.claimKey(key, { ttl: 86_400_000 }));
  }
  return free;
}

function uniformAt(percent: number, chooser: Chooser): Case {
  return async (setting) => {
    const { kv, env, expect } = setting;
    const free = await occupy(setting, percent);
    const counts = new Map((chooser.freeOnly ? free : poolKeys).map((key) => [key, 0]));
    const perDraw = chooser.perDraw(counts.size);
    let left = Math.max(drawsMin, drawsPerKey * counts.size);
    while (left > 0) {
      const keys = await chooser.draw(kv, perDraw);
      expect(keys.length).toBeGreaterThan(0);
      left -= keys.length;
      for (const key of keys) {
        const count = counts.get(key);
        expect(count, `${key} was chosen`).toBeDefined();
        counts.set(key, (count ?? 0) + 1);
      }
    }
    const observed = [...counts.values()];
    const note = `seed ${env.seed}`;
    expect(Math.min(...observed), note).toBeGreaterThan(0);
    expect(chiSquare(observed, perDraw), note).toBeLessThan(criticalValue(observed.length - 1));
  };
}

export const uniformityFamily: Family = {
  title: "uniformity",
  needs: "seeded random",
  cases: Object.fromEntries(
    Object.entries(choosers).flatMap(([name, chooser]) =>
      [0, 50, 90, 99].map((percent) => [
        `${name} is uniform when ${percent} % of the pool are claimed`,
        uniformAt(percent, chooser),
      ]),
    ),
  ),
};
