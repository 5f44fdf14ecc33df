// Forked processes that share one list of jobs, in a file: a worker that is killed with -9 loses
// nothing, because its claim runs out and another worker takes the job.

import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openKv, StaleClaimError } from "anykv";

interface Job {
  page: number;
}

const kv = openKv({ name: "jobs", backend: "disk", path: ".anykv.examples/forked-processes" });

/** Works until no job is left, in nobody's hands either. The first worker dies with one in its hands. */
async function work(worker: number): Promise<void> {
  const options = { prefix: "job:", owner: `worker ${worker}`, ttl: 1_000 };
  while ((await kv.count({ prefix: "job:" })) > 0) {
    const claim = await kv.claimRandom<Job>(options);
    if (claim === null) {
      await sleep(20); // The rest is in the hands of others, who may yet die.
      continue;
    }
    if (worker === 1) process.kill(process.pid, "SIGKILL");
    const { page } = claim.entry.value;
    try {
      await kv.set(`result:${page}`, page ** 2, { claim });
      await kv.completeClaim(claim, { deleteKey: true });
    } catch (error) {
      // The claim has run out meanwhile, so nothing was written, and somebody else does the job.
      if (!(error instanceof StaleClaimError)) throw error;
    }
  }
}

async function main(): Promise<void> {
  await kv.clear();
  const jobs = Array.from({ length: 50 }, (_, page) => [`job:${page}`, { page }] as const);
  await kv.setMany(Object.fromEntries(jobs));
  const program = fileURLToPath(import.meta.url);
  const end = (worker: number) => once(fork(program, [String(worker)]), "exit");
  const ends = [await end(1), ...(await Promise.all([2, 3, 4].map(end)))];
  console.log("workers killed:", ends.filter(([, signal]) => signal === "SIGKILL").length);
  console.log("jobs left:", await kv.count({ prefix: "job:" }));
  console.log("results:", await kv.count({ prefix: "result:" }));
}

const [, , worker] = process.argv;
await (worker === undefined ? main() : work(Number(worker)));
await kv.close();
