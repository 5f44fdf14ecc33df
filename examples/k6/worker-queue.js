// Thresholds on the metrics of the store: a queue of jobs, and its health.

import { openKv } from "./k6.js";

export const options = {
  scenarios: { workers: { executor: "shared-iterations", vus: 5, iterations: 40 } },
  thresholds: {
    xk6_kv_operation_failed: ["rate==0"],
    "xk6_kv_operation_duration{op:claim_random}": ["p(95)<1000"],
    "xk6_kv_empty_result{op:claim_random}": ["rate<0.05"],
    xk6_kv_async_in_flight: ["value<1000"],
    "xk6_kv_index_consistent{track_keys:true}": ["value==1"],
    xk6_kv_claims_live: ["value<=5"],
  },
};

const kv = openKv({ backend: "memory", trackKeys: true, metrics: { operations: true } });

export async function setup() {
  await kv.clear();
  for (let id = 0; id < 100; id++) await kv.set(`job:${id}`, { id });
}

export default async function () {
  const claim = await kv.claimRandom({ prefix: "job:", ttl: 5_000 });
  if (claim !== null) await kv.completeClaim(claim);
  await kv.reportStats();
}
