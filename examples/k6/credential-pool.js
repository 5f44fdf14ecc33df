// One-time credentials: each is handed out once, whoever asks and from wherever.

import { openKv } from "./k6.js";

export const options = {
  scenarios: { drain: { executor: "shared-iterations", vus: 10, iterations: 60 } },
  thresholds: {
    "xk6_kv_empty_result{op:pop_random}": ["rate<0.5"],
    "xk6_kv_operation_failed{op:pop_random}": ["rate==0"],
  },
};

const kv = openKv({ backend: "memory", trackKeys: true, metrics: { operations: true } });

export async function setup() {
  await kv.clear();
  const credentials = {};
  for (let id = 0; id < 50; id++) credentials[`credential:${id}`] = `secret-${id}`;
  await kv.setMany(credentials);
}

export default async function () {
  const credential = await kv.popRandom({ prefix: "credential:" });
  if (credential === null) return;
  await kv.incrementBy(`used:${credential.key}`, 1);
}

export async function teardown() {
  const used = await kv.list({ prefix: "used:" });
  const twice = used.filter(({ value }) => value !== 1);
  console.log(`${used.length} credentials used, ${twice.length} of them twice`);
}
