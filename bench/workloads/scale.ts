// Scale: what an operation by rank costs at 1,000,000 keys, against the same at 10,000.
//
// Ten pools share the keys, and the operations ask for one pool at a time, in turn. Where the
// index has to be built first, that happens before the measurement (see `memory` and `expiry`
// for stores that have it from the start).

import type { Kv } from "anykv";
import { account, poolCount, poolKey, poolPrefix, times } from "../contestants/records.js";
import { load, openMemory } from "../contestants/stores.js";
import { wrong } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { cost, elapsedMs } from "../harness/stopwatch.js";
import { atMost, type Effort, ratio, type Workload } from "../harness/workload.js";

const small = "10,000 keys";
const large = "1,000,000 keys";
const prefixes = times(poolCount, poolPrefix);

/** Does the operation `calls` times on a store of `keyCount` keys, and checks every answer. */
type Work = (kv: Kv, keyCount: number, calls: number) => Promise<void>;

async function countPools(kv: Kv, keyCount: number, calls: number): Promise<void> {
  for (let call = 0; call < calls; call++) {
    const found = await kv.count({ prefix: prefixes[call % poolCount] });
    if (found !== keyCount / poolCount) wrong("count", keyCount / poolCount, found);
  }
}

async function drawKeys(kv: Kv, keyCount: number, calls: number): Promise<void> {
  let sum = 0;
  for (let call = 0; call < calls; call++) {
    const prefix = prefixes[call % poolCount] as string;
    const key = await kv.randomKey({ prefix });
    if (!key.startsWith(prefix)) wrong("randomKey", `${prefix}...`, key);
    sum += Number(key.slice(prefix.length));
  }
  checkMean(sum / calls, keyCount, calls);
}

/** The mean of uniform draws lies within six standard errors of the middle. */
function checkMean(mean: number, keyCount: number, calls: number): void {
  const standardError = keyCount / Math.sqrt(12 * calls);
  const middle = (keyCount - 1) / 2;
  if (Math.abs(mean - middle) > 6 * standardError) wrong("mean of the random keys", middle, mean);
}

async function claimAndRelease(kv: Kv, _keyCount: number, calls: number): Promise<void> {
  let token = 0;
  for (let call = 0; call < calls; call++) {
    const prefix = prefixes[call % poolCount] as string;
    const claim = await kv.claimRandom({ prefix });
    if (claim === null || !claim.key.startsWith(prefix)) wrong("claimRandom", prefix, claim);
    if (claim.token <= token) wrong("token", `above ${token}`, claim.token);
    token = claim.token;
    if (!(await kv.releaseClaim(claim))) wrong("releaseClaim", true, false);
  }
}

async function openPools(keyCount: number, work: Work): Promise<Kv> {
  const kv = openMemory();
  await load(kv, keyCount, account, poolKey);
  await work(kv, keyCount, poolCount);
  return kv;
}

function scaleWorkload(name: string, title: string, work: Work): Workload {
  const run = async (effort: Effort) => {
    const calls = effort === "quick" ? 50 : 10_000;
    const sizes = effort === "quick" ? [100, 1_000] : [10_000, 1_000_000];
    const contestants = [];
    for (const [index, contestant] of [small, large].entries()) {
      const keyCount = sizes[index] as number;
      const kv = await openPools(keyCount, work);
      const sample = async () => cost(calls, await elapsedMs(() => work(kv, keyCount, calls)));
      contestants.push({ name: contestant, sample });
    }
    const questions = [ratio(large, small, atMost(3))];
    return interleave(effort, { unit: "µs/op", contestants, questions, rounds: 25 });
  };
  return { name, title, run };
}

export const countAtScale = scaleWorkload(
  "count",
  "count({ prefix }) of a tenth of the keys",
  countPools,
);

export const randomKeyAtScale = scaleWorkload(
  "random-key",
  "randomKey({ prefix }) of a tenth of the keys",
  drawKeys,
);

export const claimAtScale = scaleWorkload(
  "claim",
  "claimRandom({ prefix }) of a tenth of the keys, then releaseClaim",
  claimAndRelease,
);
