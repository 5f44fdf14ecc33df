// Worker threads that share one pool: each account is in the hands of one thread at a time, and the
// counter is exact, although every thread opens the store for itself.

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isMainThread, threadId, Worker } from "node:worker_threads";
import { openKv } from "anykv";

interface Account {
  login: string;
}

// The same store in every thread: in shared memory, and gone with the last of them.
const kv = openKv({ backend: "shared", name: process.env.POOL ?? "worker threads" });

if (isMainThread) {
  for (let number = 1; number <= 100; number++) {
    await kv.set(`account:${number}`, { login: `user ${number}` });
  }
  const threads = [1, 2, 3, 4].map(() => new Worker(fileURLToPath(import.meta.url)));
  await Promise.all(threads.map((thread) => once(thread, "exit")));
  console.log("accounts left:", await kv.count({ prefix: "account:" }));
  console.log("accounts used:", await kv.get("used"));
} else {
  const owner = `thread ${threadId}`;
  for (;;) {
    const claim = await kv.claimRandom<Account>({ prefix: "account:", owner, ttl: 5_000 });
    if (claim === null) break; // All are used up, or in the hands of the others.
    // ... work as claim.entry.value.login ...
    await kv.completeClaim(claim, { deleteKey: true });
    await kv.incrementBy("used", 1);
  }
}
await kv.close();
