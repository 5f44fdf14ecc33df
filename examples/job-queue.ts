// Background jobs: producers append to a queue, workers wait for jobs, and what fails comes again.

import { type Kv, openKv } from "anykv";

interface Job {
  to: string;
  attempts: number;
}

interface Schema {
  mail: Job[];
  failed: Job[];
  sent: number;
}

const attemptsMax = 3;

/** Stands for the real work. One of these addresses never works, another one at the second try. */
async function sendMail({ to, attempts }: Job): Promise<void> {
  const isBroken = to === "nobody@example.org" || (to === "busy@example.org" && attempts === 0);
  if (isBroken) throw new Error(`cannot reach ${to}`);
}

async function work(kv: Kv<Schema>): Promise<void> {
  for (;;) {
    // Waits for a job. Several waiting workers are served in the order in which they came.
    const job = await kv.popFirstWait<Job>("mail", { timeout: 50 });
    if (job === null) return; // Nothing for a while: in a service one would wait again.
    try {
      await sendMail(job);
      await kv.incrementBy("sent", 1);
    } catch {
      const again = { ...job, attempts: job.attempts + 1 };
      await kv.append(again.attempts < attemptsMax ? "mail" : "failed", again);
    }
  }
}

const kv = openKv<Schema>({ backend: "memory", name: "job-queue" });
const workers = [work(kv), work(kv), work(kv)];

for (const name of ["alice", "busy", "nobody", "bob"]) {
  await kv.append("mail", { to: `${name}@example.org`, attempts: 0 });
}
await kv.prepend("mail", { to: "urgent@example.org", attempts: 0 }); // Before all others.

await Promise.all(workers);
console.log("sent:", await kv.get("sent"));
console.log("failed:", await kv.range("failed"));
console.log("waiting:", await kv.length("mail"));
await kv.close();
