// Accounts that one virtual user has for itself at a time, on as many machines as the test has.

import exec from "k6/execution";
import { openKv } from "./k6.js";

export const options = {
  scenarios: { users: { executor: "shared-iterations", vus: 10, iterations: 50 } },
  thresholds: {
    xk6_kv_operation_failed: ["rate==0"],
    "xk6_kv_operations_total{op:complete_claim}": ["count>0"],
  },
};

const kv = openKv({ backend: "memory", metrics: { operations: true } });

export async function setup() {
  await kv.clear();
  const accounts = {};
  for (let id = 0; id < 20; id++) accounts[`user:${id}`] = { login: `login-${id}`, uses: 0 };
  await kv.setMany(accounts);
}

export default async function () {
  const owner = `vu-${exec.vu.idInTest}`;
  const claim = await kv.claimRandom({ prefix: "user:", owner, ttl: 10_000 });
  if (claim === null) return;
  try {
    const account = claim.entry.value;
    await kv.set(claim.key, { ...account, uses: account.uses + 1 });
    // Back to the others. Without `deleteKey: false` it would be used up.
    await kv.completeClaim(claim, { deleteKey: false });
  } catch (error) {
    await kv.releaseClaim(claim);
    throw error;
  }
}

export async function teardown() {
  const accounts = await kv.list({ prefix: "user:" });
  const uses = accounts.reduce((sum, { value }) => sum + value.uses, 0);
  console.log(`used ${uses} times, still claimed ${(await kv.stats()).claims.live}`);
}
