// Occupancy: claimRandom where almost everything is claimed, against where almost nothing is.

import type { Claim, Kv } from "anykv";
import { account } from "../contestants/records.js";
import { load, openMemory } from "../contestants/stores.js";
import { expectAnswer, wrong } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { cost, elapsedMs } from "../harness/stopwatch.js";
import { atMost, type Effort, ratio, type Workload } from "../harness/workload.js";

const sparse = "1 % claimed";
const crowded = "99 % claimed";
/** So long that no lease ends while the workload runs. */
const leaseMs = 3_600_000;
/** Each sample claims so many times so many keys; what it claimed is released in between, untimed. */
const batches = 10;

async function openPool(keyCount: number, claimed: number): Promise<Kv> {
  const kv = openMemory();
  await load(kv, keyCount, account);
  const claims = await kv.claimRandomMany({ count: claimed, ttl: leaseMs });
  expectAnswer("claims granted", claimed, claims.length);
  return kv;
}

async function claimMany(kv: Kv, claims: Claim[], calls: number): Promise<void> {
  for (let call = 0; call < calls; call++) {
    const claim = await kv.claimRandom({ ttl: leaseMs });
    if (claim === null) wrong("claimRandom", "a claim", claim);
    claims.push(claim);
  }
}

async function sampleClaims(kv: Kv, calls: number): Promise<number> {
  let ms = 0;
  for (let batch = 0; batch < batches; batch++) {
    const claims: Claim[] = [];
    ms += await elapsedMs(() => claimMany(kv, claims, calls));
    expectAnswer("distinct keys", calls, new Set(claims.map(({ key }) => key)).size);
    expectAnswer("released", calls, (await kv.releaseClaims(claims)).released);
  }
  return cost(batches * calls, ms);
}

export const occupancy: Workload = {
  name: "occupancy",
  title: "claimRandom among 1,000,000 keys of which 99 % are claimed, against 1 %",
  async run(effort: Effort) {
    const keyCount = effort === "quick" ? 1_000 : 1_000_000;
    const calls = keyCount / 1_000;
    const contestants = [];
    for (const [name, share] of [
      [sparse, 0.01],
      [crowded, 0.99],
    ] as const) {
      const kv = await openPool(keyCount, Math.round(keyCount * share));
      contestants.push({ name, sample: () => sampleClaims(kv, calls) });
    }
    const questions = [ratio(crowded, sparse, atMost(3))];
    return interleave(effort, { unit: "µs/op", contestants, questions, rounds: 15 });
  },
};
