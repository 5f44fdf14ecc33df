// A hundred virtual users on one store: every key is claimed by one of them at a time and used up
// once, and no increment is lost.

import exec from "k6/execution";
import { openKv } from "./k6.js";

const [keys, increments] = [Number(__ENV.KEYS), Number(__ENV.INCREMENTS)];

export const options = {
  scenarios: { crowd: { executor: "per-vu-iterations", vus: 100, iterations: 1 } },
  thresholds: {
    xk6_kv_operation_failed: ["rate==0"],
    "xk6_kv_operation_failed{op:increment_by}": ["rate==0"],
    "xk6_kv_operations_total{op:increment_by,status:ok,backend:memory}": [
      `count==${100 * increments}`,
    ],
    xk6_kv_async_in_flight: ["value<1000"],
  },
};

const kv = openKv({ backend: "memory", trackKeys: true, metrics: { operations: true } });

export async function setup() {
  if (__ENV.FILL !== "true") return;
  await kv.clear();
  const accounts = Array.from({ length: keys }, (_, index) => [`account:${index}`, { index }]);
  await kv.setMany(Object.fromEntries(accounts));
}

export default async function () {
  const me = `${__ENV.PROCESS}:${exec.vu.idInTest}`;
  for (let turn = 0; turn < increments; turn++) await kv.incrementBy("counter", 1);
  for (;;) {
    const claim = await kv.claimRandom({ prefix: "account:", owner: me });
    if (claim === null) break;
    // Whoever holds the claim is alone: nobody else marks the key meanwhile.
    if (!(await kv.setIfAbsent(`held:${claim.key}`, me)))
      throw new Error(`${claim.key} is held twice`);
    if (!(await kv.deleteIfExists(`held:${claim.key}`))) throw new Error("the mark is gone");
    if (!(await kv.completeClaim(claim))) throw new Error("the claim is gone");
    await kv.append("done", claim.key);
  }
  const left = await kv.popRandom({ prefix: "account:" });
  if (left !== null) throw new Error(`${left.key} was left`);
}
