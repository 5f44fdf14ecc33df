// Sessions, cached results, a request limit and a membership filter: keys that vanish by themselves.

import { setTimeout as sleep } from "node:timers/promises";
import { openKv } from "anykv";

interface Session {
  user: string;
}

const kv = openKv({ backend: "memory", name: "sessions" });

// All durations are milliseconds. An expired key is gone for every operation at the same instant.
await kv.set("session:4711", { user: "alice" }, { ttl: 60_000 });
await kv.set("session:4712", { user: "bob" }, { ttl: 30 });

// A request prolongs its session: a sliding expiry.
console.log("prolonged:", await kv.expire("session:4711", 120_000));
await sleep(60);
console.log("alice:", await kv.find<Session>("session:4711"));
console.log("bob:", await kv.find<Session>("session:4712"));
console.log("sessions:", await kv.count({ prefix: "session:" }));

// A cached result. Of many callers at once one writes it, and all get what it wrote.
const results = await Promise.all(
  [1, 2, 3].map((attempt) => kv.getOrSet("report:today", { attempt }, { ttl: 60_000 })),
);
console.log(
  "reports:",
  results.map(({ value, loaded }) => JSON.stringify({ value, loaded })).join(" "),
);

// A request limit: the counter is created with its expiry in one step, so it cannot stay for ever.
let allowed = 0;
for (let request = 0; request < 5; request++) {
  if ((await kv.incrementBy("limit:alice", 1, { ttl: 60_000 })) <= 3) allowed++;
}
console.log("requests allowed:", allowed);

// A filter remembers items exactly. `checkThenAdd` tells in one step whether one was there already.
const subscribers = kv.filter("newsletter");
console.log("subscribed before:", await subscribers.checkThenAdd("alice@example.org"));
console.log("subscribed before:", await subscribers.checkThenAdd("alice@example.org"));

// Logged-out tokens are remembered until they would have expired anyway.
const revoked = kv.filter("revoked tokens");
await revoked.add("token-1", { ttl: 60_000 });
console.log("revoked:", await revoked.contains("token-1"), await revoked.contains("token-2"));

await kv.close();
