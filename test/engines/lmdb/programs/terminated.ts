// Terminated: a process whose worker threads are ended in the middle of writing, again and again, while
// its main thread uses the same store. It prints what it found, or dies.
//
// A worker tells through shared memory that it is inside a write transaction in which it has already
// put a key, and stays there until it has been terminated; with "anywhere" every other one is
// terminated at any moment. With "abort" the process aborts while the worker is inside.

import { writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { openKv } from "anykv";
import { virtualEnv } from "anykv/testing";

const self = fileURLToPath(import.meta.url);

interface WorkerData {
  readonly path: string;
  readonly flag: SharedArrayBuffer;
  readonly stays: boolean;
}

/** Time is asked for within a transaction that sets an expiry: there the thread stays. */
function stayingEnv(flag: Int32Array) {
  const { clock, random, files, processes } = virtualEnv({ now: Date.now() });
  let armed = false;
  return {
    random,
    files,
    processes,
    timers: {
      after: (delayMs: number, callback: () => void) => {
        const timer = setTimeout(callback, delayMs).unref();
        return { cancel: () => clearTimeout(timer) };
      },
      breathe: () => new Promise<void>((resolve) => setImmediate(resolve)),
    },
    clock: {
      monotonic: () => clock.monotonic(),
      now: () => {
        if (armed) {
          Atomics.store(flag, 0, 1);
          Atomics.notify(flag, 0);
          // A termination interrupts this.
          for (;;) armed = true;
        }
        return clock.now();
      },
    },
    arm: () => {
      armed = true;
    },
  };
}

async function work({ path, flag, stays }: WorkerData): Promise<void> {
  const shared = new Int32Array(flag);
  const env = stayingEnv(shared);
  const kv = openKv({ backend: "disk", name: "worker", path, env, disk: { timeout: 0 } });
  for (let index = 0; index < 5; index++) await kv.set(`worker:${index}`, index);
  if (stays) {
    env.arm();
    // In one transaction, of which the first half has been carried out by then.
    await Promise.all([kv.set("half", 1), kv.set("never", 1, { ttl: 60_000 })]);
  }
  Atomics.store(shared, 0, 1);
  Atomics.notify(shared, 0);
  for (let index = 0; ; index++) await kv.incrementBy(`worker:${index % 5}`, 1);
}

async function main(): Promise<void> {
  const [path = "", terminations = "", mode = ""] = process.argv.slice(2);
  const kv = openKv({ backend: "disk", name: "main", path, disk: { timeout: "5s" } });
  for (let round = 0; round < Number(terminations); round++) {
    const flag = new SharedArrayBuffer(4);
    const stays = mode !== "anywhere" || round % 2 === 0;
    const worker = new Worker(self, { workerData: { path, flag, stays } });
    worker.on("error", (error) => {
      throw error;
    });
    const shared = new Int32Array(flag);
    while (Atomics.load(shared, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    let isFree = false;
    const probe = kv.incrementBy("probe", 1).then(() => {
      isFree = true;
    });
    if (stays) {
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (isFree) throw new Error("the worker was to be in a write transaction");
    }
    if (mode === "abort") process.abort();
    await worker.terminate();
    await probe;
    if ((await kv.incrementBy("rounds", 1)) !== round + 1) throw new Error("rounds are lost");
    for (const key of ["half", "never"]) {
      if (await kv.exists(key)) throw new Error(`${key} is there: its transaction never ended`);
    }
    writeSync(1, ".");
  }
  await kv.close();
  writeSync(1, "alive\n");
}

if (isMainThread) await main();
else await work(workerData as WorkerData);
