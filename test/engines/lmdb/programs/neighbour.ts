// Neighbour: another process with the same store, which does what it is told on its standard input
// and answers on its standard output, one line of JSON each.
//
// Of a shared store the path is the name. "stop" makes it stop itself (SIGSTOP) in the middle of a write transaction.

import { createInterface } from "node:readline";
import { type Kv, type OpenKvOptions, openKv } from "anykv";
import { virtualEnv } from "anykv/testing";

const [path = "", options = "{}", backend = "disk"] = process.argv.slice(2);
let stopsAtNextReading = false;
const { random, files, processes } = virtualEnv();
const env: NonNullable<OpenKvOptions["env"]> = {
  random,
  files,
  processes,
  clock: {
    monotonic: () => performance.now(),
    // A write that sets an expiry asks for the time within its transaction.
    now: () => {
      if (stopsAtNextReading) {
        stopsAtNextReading = false;
        process.kill(process.pid, "SIGSTOP");
      }
      return Date.now();
    },
  },
  timers: {
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
  },
};
const settings = JSON.parse(options) as object;
const kv =
  backend === "shared"
    ? openKv({ backend, name: path, env, shared: settings })
    : openKv({ backend: "disk", name: "neighbour", path, env, disk: settings });

async function answer(method: string, args: unknown[]): Promise<unknown> {
  if (method === "stop") {
    stopsAtNextReading = true;
    return kv.set("stopped", true, { ttl: 60_000 });
  }
  const call = Reflect.get(kv, method) as (...args: unknown[]) => Promise<unknown>;
  return Reflect.apply(call, kv as Kv, args);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, args } = JSON.parse(line) as { id: number; method: string; args: unknown[] };
  answer(method, args).then(
    (value) => console.log(JSON.stringify({ id, value: value ?? null })),
    (error: Error) => console.log(JSON.stringify({ id, error: error.name })),
  );
}
process.exit();
