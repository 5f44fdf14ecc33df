// Load server: a store in memory behind the RESP door, in a process of its own, which tells what
// memory it has. Run with --expose-gc; `load-server.js SETTINGS`.

import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openKv } from "anykv";
import { serve } from "anykv/server";

export interface ServerWork {
  /** Of the Unix socket. */
  readonly path: string;
  readonly clientsMax: number;
  readonly stallMs: number;
  readonly outputLimit: string;
  readonly subscriberLimit: string;
}

/** What the process has when nothing is under way and nothing is left to collect. */
export interface Memory {
  readonly rss: number;
  readonly heap: number;
  /** Beside the heap: buffers. */
  readonly external: number;
}

/** Files that this process may have open; Node has raised the limit as far as it may be raised. */
function filesMax(): number {
  const { userLimits } = process.report.getReport() as unknown as {
    userLimits?: { open_files?: { soft: number | string } };
  };
  return Number(userLimits?.open_files?.soft ?? Number.NaN);
}

async function memoryAtRest(): Promise<Memory> {
  // What has ended goes in several turns: closed handles, then what their finalizers kept.
  for (let round = 0; round < 5; round++) {
    globalThis.gc?.();
    await sleep(100);
  }
  const { rss, heapUsed: heap, external } = process.memoryUsage();
  return { rss, heap, external };
}

const work = JSON.parse(process.argv[2] ?? "") as ServerWork;
if (filesMax() < work.clientsMax + 100) {
  const text = `${work.clientsMax} connections need as many open files; the limit is ${filesMax()} (ulimit -n)`;
  writeSync(2, `${text}\n`);
  process.exit(1);
}
const { path, clientsMax, outputLimit, subscriberLimit, stallMs: stallTimeout } = work;
const kv = openKv({ backend: "memory", name: "load" });
const limits = { clientsMax, outputLimit, subscriberLimit, stallTimeout };
const doors = await serve(kv, {
  resp: { host: "127.0.0.1", port: 0, path, ...limits },
  storeName: "load",
});
process.on("message", async (message) => {
  if (message === "memory") {
    process.send?.({ memory: await memoryAtRest(), cpu: process.cpuUsage() });
  } else if (message === "glance") {
    const { rss, heapUsed: heap, external } = process.memoryUsage();
    process.send?.({ memory: { rss, heap, external }, cpu: process.cpuUsage() });
  } else if (message === "close") {
    await doors.close();
    await kv.close();
    process.disconnect();
  }
});
// Whoever has started it has gone.
process.on("disconnect", () => process.exit(0));
process.send?.({ port: doors.address.resp?.port });
