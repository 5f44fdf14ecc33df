// As many virtual users as asked for, each with a connection of its own: they begin their work when
// all of them have arrived.

import exec from "k6/execution";
import { openKv } from "./k6.js";

const count = Number(__ENV.VUS);

export const options = {
  scenarios: {
    visitors: { executor: "per-vu-iterations", vus: count, iterations: 1, maxDuration: "15m" },
  },
  thresholds: {
    xk6_kv_operation_failed: ["rate==0"],
    "xk6_kv_operations_total{op:set}": [`count==${count}`],
  },
};

const kv = openKv({ metrics: { operations: true }, commandTimeout: 60_000 });

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export default async function () {
  const me = exec.vu.idInTest;
  await kv.incrementBy("arrived", 1);
  // They do not all ask at the same time.
  while (Number(await kv.get("arrived")) < count) await pause(500 + (me % 500));
  await kv.set(`visitor:${me}`, { me });
  for (let visit = 0; visit < 5; visit++) await kv.incrementBy("visits", 1);
  const { me: read } = await kv.get(`visitor:${me}`);
  if (read !== me) throw new Error(`${me} has read ${read}`);
}
