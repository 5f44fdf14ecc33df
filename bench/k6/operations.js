// One kind of operation, as fast as a number of virtual users can do it one after the other. When the
// first has begun and when the last has ended are metrics: what lies between is measured, and neither
// connecting nor what k6 does before and after is.

import exec from "k6/execution";
import { Trend } from "k6/metrics";
import { openKv } from "./k6.js";

const { OPERATION: operation } = __ENV;
const [users, count] = [Number(__ENV.USERS), Number(__ENV.COUNT)];

export const options = {
  scenarios: { users: { executor: "per-vu-iterations", vus: users, iterations: 1 } },
  setupTimeout: "5m",
  summaryTrendStats: ["min", "max", "count"],
};

const kv = openKv();
const [began, ended] = [new Trend("began"), new Trend("ended")];

const fromOne = (length) => Array.from({ length }, (_, index) => index + 1);
const value = (user, number) => ({ user, number, text: "x".repeat(40) });
const accountOf = (user, number) => `account:${user}:${number}`;

export async function setup() {
  await kv.clear();
  if (operation === "set") return;
  for (const user of fromOne(users)) {
    const entries = fromOne(count).map((n) => [accountOf(user, n), value(user, n)]);
    await kv.setMany(Object.fromEntries(entries));
  }
}

function holds(condition, what) {
  if (!condition) exec.test.abort(what);
}

const operations = {
  async get(user, number) {
    const found = await kv.get(accountOf(user, number));
    holds(found.user === user && found.number === number, "get: another value");
  },
  set: (user, number) => kv.set(accountOf(user, number), value(user, number)),
  async claim() {
    const claim = await kv.claimRandom({ prefix: "account:", ttl: 60_000 });
    holds(claim !== null, "claimRandom: there is nothing left");
    holds(await kv.completeClaim(claim), "completeClaim: the claim is gone");
  },
};

export default async function () {
  const user = exec.vu.idInTest;
  const operate = operations[operation];
  await kv.size();
  began.add(Date.now());
  for (let number = 1; number <= count; number++) await operate(user, number);
  ended.add(Date.now());
}

export async function teardown() {
  const left = operation === "claim" ? 0 : users * count;
  holds((await kv.size()) === left, `${operation}: ${await kv.size()} keys are left`);
  if (operation === "set") await operations.get(users, count);
}
