// A user of shared stores that does as it is told, as a process or as a worker thread of one. Each
// message is [name of an action, its argument]; each gets an answer, if somebody is left to give it.

import { parentPort, Worker } from "node:worker_threads";
import { type Kv, openKv } from "anykv";

type Message = readonly [action: string, argument?: string];

let kv: Kv | undefined;
let worker: Worker | undefined;

const store = (): Kv => {
  if (kv === undefined) throw new Error("told to use a store that has not been opened");
  return kv;
};

const actions: Record<string, (argument: string) => unknown> = {
  open: async (name) => {
    kv = openKv({ ...(name === "" ? {} : { name }), backend: "shared", shared: { timeout: 0 } });
    await kv.size();
  },
  set: (key) => store().set(key, 1),
  keys: () => store().listKeys(),
  increment: async (times) => {
    const calls = Array.from({ length: Number(times) }, () => store().incrementBy("counter", 1));
    await Promise.all(calls);
  },
  write: () => {
    const again = (): void => void store().incrementBy("counter", 1).then(again);
    again();
  },
  close: () => kv?.close(),
  exit: () => process.exit(0),
  throw: () =>
    setImmediate(() => {
      throw new Error("meant to be caught by nobody");
    }),
  end: () => process.disconnect(),
  startWorker: async (name) => {
    worker = new Worker(new URL(import.meta.url));
    await askWorker(["open", name]);
  },
  inWorker: (json) => askWorker(JSON.parse(json)),
  terminateWorker: () => worker?.terminate(),
};

function askWorker(message: Message): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker?.once("message", ({ result, error }) => (error ? reject(error) : resolve(result)));
    worker?.postMessage(message);
  });
}

async function answer([action, argument = ""]: Message): Promise<object> {
  try {
    return { result: await actions[action]?.(argument) };
  } catch (error) {
    return { error: String(error) };
  }
}

if (parentPort !== null) {
  const port = parentPort;
  port.on("message", async (message: Message) => port.postMessage(await answer(message)));
} else if (process.send !== undefined) {
  process.on("message", async (message: Message) => {
    const reply = await answer(message);
    if (process.connected) process.send?.(reply);
  });
}
