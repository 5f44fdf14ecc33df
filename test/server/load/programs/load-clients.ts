// Load clients: the connections of one process of clients, idle ones and active ones. It is told what
// to do by its parent, one thing after the other, and answers with what it has seen.

import { LoadClient, type Place, Tally } from "./load-client.js";
import { type Company, jobs, LoadWorker, same } from "./load-steps.js";

export interface ClientsWork {
  readonly name: string;
  readonly seed: number;
  readonly place: Place;
  readonly idle: number;
  readonly active: number;
  /** Steps in a second, of all active clients together. */
  readonly rate: number;
}

export type Order =
  | { readonly do: "connect" | "settle" | "leave" }
  | { readonly do: "work"; readonly ms: number };

/** What has been seen since the last answer; faults, connections and `shared` since the start. */
export interface Report {
  readonly connections: number;
  readonly requests: number;
  readonly replies: number;
  readonly shared: number;
  readonly steps: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
  readonly latencies: readonly [number, number][];
}

const tickMs = 20;
/** A reply that has not come so long after the last request does not come any more. */
const answersMs = 120_000;
/** Connections that are opened at the same time. */
const openingsMax = 200;

const work = JSON.parse(process.argv[2] ?? "") as ClientsWork;
const { name, place } = work;
const tally = new Tally();
const company: Company = {
  name,
  place,
  tally,
  mailboxes: [],
  held: new Map(),
  tokens: new Set(),
};
const idle = Array.from(
  { length: work.idle },
  (_, at) => new LoadClient(`${name}i${at}`, place, tally),
);
const workers = Array.from({ length: work.active }, (_, at) => {
  return new LoadWorker(`${name}a${at}`, work.seed * 100_003 + at, company);
});
/** Does what is nobody's work. */
const clerk = new LoadClient(`${name}c`, place, tally);
const clients = [clerk, ...idle, ...workers.map(({ client }) => client)];

async function inTurns(
  clientOf: readonly LoadClient[],
  act: (client: LoadClient) => Promise<void>,
): Promise<void> {
  const left = [...clientOf];
  const one = async (): Promise<void> => {
    for (let client = left.pop(); client !== undefined; client = left.pop()) await act(client);
  };
  await Promise.all(Array.from({ length: openingsMax }, one));
}

async function ping(client: LoadClient): Promise<void> {
  same(await client.ask("PING"), "PONG");
}

async function connectAll(): Promise<void> {
  await inTurns(clients, (client) => client.connect());
  await inTurns(idle, ping);
}

const jobKeys = Array.from({ length: jobs }, (_, job) => `${name}:job:${job}`);

/** Each active client in its turn, as many in a second as the rate says, unless it is busy still. */
async function workFor(ms: number): Promise<void> {
  same(await clerk.ask("MSET", ...jobKeys.flatMap((key) => [key, key])), "OK");
  const begun = performance.now();
  let [next, steps] = [0, 0];
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const passedMs = performance.now() - begun;
      const due = Math.floor((passedMs * work.rate) / 1_000);
      // Who cannot keep up does not make up for it in one go.
      steps = Math.max(steps, due - work.rate);
      for (let tries = workers.length; steps < due && tries > 0; tries--) {
        const worker = workers[next++ % workers.length] as LoadWorker;
        if (worker.isBusy) continue;
        steps++;
        worker.step();
      }
      if (passedMs < ms) return;
      clearInterval(timer);
      resolve();
    }, tickMs);
  });
  await allAnswered();
}

/** Every request has its reply in the end; who waits for an element gets it. */
async function allAnswered(): Promise<void> {
  const giveUpAt = performance.now() + answersMs;
  while (workers.some(({ isBusy }) => isBusy)) {
    if (performance.now() > giveUpAt) {
      const busy = workers.filter(({ isBusy }) => isBusy).map(({ client }) => client.name);
      throw new Error(`replies are missing at the end: ${busy.slice(0, 10)}`);
    }
    for (const { key, promised } of company.mailboxes.splice(0)) {
      promised("last");
      same(await clerk.ask("LPUSH", key, "last"), 1);
    }
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
}

/** The content is right to the last element; then nothing of this process is left. */
async function settle(): Promise<void> {
  for (const worker of workers) await worker.settle();
  for (const key of jobKeys) same(await clerk.ask("GET", key), key);
  same(await clerk.ask("DEL", ...jobKeys), jobs);
  await inTurns(idle, ping);
  if (tally.requests !== tally.replies) {
    tally.fault(`${tally.requests} requests have ${tally.replies} replies`);
  }
}

function report(): Report {
  const { connections, requests, replies, shared, steps, faults, latencies } = tally;
  return { connections, requests, replies, shared, steps, faults, latencies };
}

async function carryOut(order: Order): Promise<void> {
  if (order.do === "connect") await connectAll();
  else if (order.do === "work") await workFor(order.ms);
  else if (order.do === "settle") await settle();
  else await inTurns(clients, (client) => client.leave(false));
}

process.on("message", async (order: Order) => {
  try {
    await carryOut(order);
  } catch (error) {
    tally.fault(`${order.do}: ${String(error)}`);
  }
  process.send?.(report());
  if (order.do === "leave") process.disconnect();
});
// Whoever has started it has gone.
process.on("disconnect", () => process.exit(0));
