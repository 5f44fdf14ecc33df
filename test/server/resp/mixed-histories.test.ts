// Clients and the API write to one store at the same time, while keys expire: the tables fit together
// after every step, and no command fails in a way of its own.

import type { Claim, Kv } from "anykv";
import { seededRandom } from "anykv/testing";
import { expect, test } from "vitest";
import type { Random } from "../../../src/env/env.js";
import { OpenedEngine } from "../../kv/kv-over-engine.js";
import { DirectDoor, type Serialization } from "./direct-door.js";
import { requests } from "./random-requests.js";

type Step = (kv: Kv, key: string, random: Random) => Promise<unknown>;

const claims: Claim[] = [];

function remember(claim: Claim | null): void {
  if (claim !== null) claims.push(claim);
}

/** Chosen again and again; each may be refused. */
const steps: readonly Step[] = [
  (kv, key) => kv.set(key, "v", { ttl: 50 }),
  (kv, key) => kv.set(key, { a: 1, b: "2" }),
  (kv, key) => kv.incrementBy(key, 1),
  (kv, key) => kv.append(key, "e", { ttl: 40 }),
  (kv, key) => kv.prepend(key, "e"),
  (kv, key, random) => kv.filter(key).add(`i${random.below(4)}`, { ttl: 30 + random.below(50) }),
  (kv, key) => kv.filter(key).add("i"),
  (kv, key) => kv.filter(key).clear(),
  async (kv, key) => remember(await kv.claimKey(key, { ttl: 30 })),
  async (kv) => remember(await kv.claimRandom({ ttl: 60 })),
  async (kv, _, random) => {
    const claim = claims[random.below(claims.length + 1)];
    if (claim !== undefined) await kv.completeClaim(claim, { deleteKey: random.below(2) === 0 });
  },
  (kv) => kv.popRandom(),
  (kv, key) => kv.expire(key, 25),
  (kv, key) => kv.delete(key),
  (kv, key) => kv.deleteArray(key),
];

const internal = /^-ERR (internal|the command cannot)/;

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])("seed %i", async (seed) => {
  const serialization = (["json", "string"] as const)[seed % 2] as Serialization;
  const owner = new OpenedEngine(seed % 3 === 0);
  const { env, engine, store } = owner;
  const kv = owner.handle(serialization);
  const door = new DirectDoor({ serialization, env, engine, store });
  const random = seededRandom(seed);
  claims.length = 0;
  for (const words of requests(seed, serialization, 1_500)) {
    const reply = door.run(...words);
    expect(reply, JSON.stringify(words)).not.toMatch(internal);
    if (random.below(3) === 0) {
      const step = steps[random.below(steps.length)] as Step;
      await step(kv, `k${random.below(6)}`, random).catch(() => {});
    }
    if (random.below(4) === 0) env.stall(random.below(12));
    if (random.below(40) === 0) await env.advance(1);
    expect(door.problems(), JSON.stringify(words)).toEqual([]);
  }
  env.stall(10_000_000_000);
  expect(door.run("DBSIZE")).toBe(`:${(door.run("KEYS", "*").match(/^\*(\d+)/) ?? [])[1]}\r\n`);
});
