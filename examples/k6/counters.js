// Exact numbers and first-come decisions, without locks.

import { openKv } from "./k6.js";

export const options = {
  scenarios: { all: { executor: "per-vu-iterations", vus: 10, iterations: 10 } },
};

const kv = openKv({ backend: "memory" });

export async function setup() {
  await kv.clear();
}

export default async function () {
  await kv.incrementBy("visits", 1);
  // Exactly one of all virtual users is the first.
  if (await kv.setIfAbsent("leader", { vu: __VU })) await kv.incrementBy("leaders", 1);
  // Read, change, and write only if nobody else has meanwhile.
  for (;;) {
    const { value: state } = await kv.getOrSet("state", { rounds: 0 });
    if (await kv.compareAndSwap("state", state, { ...state, rounds: state.rounds + 1 })) break;
  }
}

export async function teardown() {
  const [visits, leaders, state] = await kv.getMany(["visits", "leaders", "state"]);
  console.log(`visits ${visits.value}, leaders ${leaders.value}, rounds ${state.value.rounds}`);
}
