// The first minutes with anykv: values, counters, queries, and handing out a key to one holder.

import { openKv, StaleClaimError } from "anykv";

interface User {
  name: string;
}

const kv = openKv({ backend: "memory", name: "quick-start" });

// Values are JSON. A batch is written entirely or not at all.
await kv.set("user:1", { name: "Alice" });
await kv.setMany({ "user:2": { name: "Bob" }, "user:3": { name: "Cleo" } });

// `get` rejects when the key is missing, `find` resolves to undefined.
console.log("user 1:", await kv.get<User>("user:1"));
console.log("user 9:", await kv.find<User>("user:9"));
console.log("users:", await kv.count({ prefix: "user:" }));

// Counters are atomic: no increment is lost, however many run at once.
await Promise.all(Array.from({ length: 100 }, () => kv.incrementBy("visits", 1)));
console.log("visits:", await kv.get<number>("visits"));

// A claim hands a random key to one holder for some time; nobody else gets it meanwhile.
const claim = await kv.claimRandom<User>({ prefix: "user:", owner: "worker 1", ttl: 5_000 });
if (claim === null) throw new Error("all users are taken");
console.log("claimed:", claim.entry.value.name);
console.log("claimed again:", await kv.claimKey(claim.key));

// The holder writes under its claim, and completes it: the key is used up.
await kv.set("result", { by: "worker 1" }, { claim });
console.log("completed:", await kv.completeClaim(claim));
console.log("users left:", await kv.count({ prefix: "user:" }));

// From now on the claim is stale. The store refuses whatever is done in its name.
try {
  await kv.set("result", { by: "somebody who is late" }, { claim });
} catch (error) {
  console.log("late write refused:", error instanceof StaleClaimError);
}

await kv.close();
