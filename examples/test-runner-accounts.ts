// Accounts for the workers of a test runner: tests run in several processes, and each test has an
// account of its own as long as it runs, from one pool that all of them share.
//
// With Vitest, as a fixture (a test that asks for `account` gets one):
//
//   const test = base.extend<{ account: Account }>({
//     account: async ({}, use) => withAccount(use),
//   });
//   test("orders a book", async ({ account }) => { ... });
//
// and `globalSetup` calls `fillPool` once. With Jest, a test calls `withAccount` itself.

import { setTimeout as sleep } from "node:timers/promises";
import { type Claim, openKv } from "anykv";

export interface Account {
  login: string;
}

const kv = openKv({
  name: "test accounts",
  backend: "disk",
  path: ".anykv.examples/test-accounts",
});

/** A worker that dies keeps its account that long; one that lives renews its claim in time. */
const leaseMs = 5_000;
const retryMs = 20;

/** Once, before the workers start. */
export async function fillPool(accounts: readonly Account[]): Promise<void> {
  await kv.clear();
  await kv.setMany(Object.fromEntries(accounts.map((one) => [`account:${one.login}`, one])));
}

/**
 * Waits for a free account, lends it to nobody else while `use` runs, and gives it back, or takes it
 * out of the pool for good when it is `usedUp`.
 */
export async function withAccount<Result>(
  use: (account: Account) => Promise<Result>,
  { usedUp = false } = {},
): Promise<Result> {
  const claim = await claimAccount();
  const account = claim.entry.value;
  // A renewal that fails is of no consequence as long as a later one comes in time.
  const renew = () => kv.renewClaim(claim, { ttl: leaseMs }).catch(() => {});
  const heartbeat = setInterval(renew, leaseMs / 4);
  let isOurs = false;
  let result: Result;
  try {
    result = await use(account);
  } finally {
    clearInterval(heartbeat);
    isOurs = await (usedUp ? kv.completeClaim(claim) : kv.releaseClaim(claim));
  }
  // The process stood still for too long: whatever was tested, somebody else may have been there.
  if (!isOurs) throw new Error(`${account.login} has been given to another test meanwhile`);
  return result;
}

async function claimAccount(): Promise<Claim<Account>> {
  const options = { prefix: "account:", owner: `process ${process.pid}`, ttl: leaseMs };
  for (;;) {
    const claim = await kv.claimRandom<Account>(options);
    if (claim !== null) return claim;
    await sleep(retryMs);
  }
}
