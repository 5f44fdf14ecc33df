// The valkey backend against the bare client on the same server, at scale against itself, and a
// claim-and-complete cycle against BullMQ. The server is started for each workload.

import type { Kv } from "anykv";
import { bullmqName, bullmqQueue, type JobQueue } from "../contestants/bullmq-queue.js";
import {
  account,
  accountKey,
  poolCount,
  poolKey,
  poolPrefix,
  times,
} from "../contestants/records.js";
import {
  bareClient,
  bareIncrement,
  bareValkeyName,
  loadBareFunction,
  openValkeyStore,
  valkeyName,
} from "../contestants/valkey-stores.js";
import { expectAnswer, wrong } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { type BenchServer, startBenchServer } from "../harness/server.js";
import { cost, elapsedMs, rate } from "../harness/stopwatch.js";
import {
  atLeast,
  atMost,
  type Contestant,
  type Effort,
  type Outcome,
  ratio,
  type Workload,
} from "../harness/workload.js";

type Bare = ReturnType<typeof bareClient>;

async function onServer(
  directory: string,
  run: (server: BenchServer, kv: Kv, bare: Bare) => Promise<Outcome>,
): Promise<Outcome> {
  const server = await startBenchServer(directory);
  const kv = openValkeyStore(server);
  const bare = bareClient(server);
  try {
    const outcome = await run(server, kv, bare);
    return { ...outcome, notes: [...(outcome.notes ?? []), server.description] };
  } finally {
    await kv.close();
    bare.disconnect();
    await server.stop();
  }
}

/** Operations that are under way at once. */
const lanes = 1_000;

/** All of them, `lanes` at once. */
async function together(count: number, operation: (id: number) => Promise<unknown>): Promise<void> {
  for (let first = 0; first < count; first += lanes) {
    await Promise.all(times(Math.min(lanes, count - first), (index) => operation(first + index)));
  }
}

interface Sides {
  /** One slice of `count` operations, with its answers checked. */
  readonly ours: (kv: Kv, count: number, turn: number) => Promise<void>;
  readonly bare: (client: Bare, count: number, turn: number) => Promise<void>;
}

interface Plan extends Sides {
  readonly name: string;
  readonly title: string;
  readonly count: number;
  readonly share: number;
}

async function getOurs(kv: Kv, count: number): Promise<void> {
  await together(count, async (id) => {
    const found = (await kv.get(accountKey(id))) as { id: number };
    if (found.id !== id) wrong("get", id, found);
  });
}

async function getBare(client: Bare, count: number): Promise<void> {
  await together(count, async (id) => {
    const found = JSON.parse((await client.get(accountKey(id))) ?? "null");
    if (found?.id !== id) wrong("get", id, found);
  });
}

const batchSize = 100;

/** What both are given: an object, as programs have it. */
function batchOf(first: number, version: number): Record<string, object> {
  const entry = (index: number) =>
    [accountKey(first + index), account(first + index, version)] as const;
  return Object.fromEntries(times(batchSize, entry));
}

async function inBatches(count: number, work: (first: number) => Promise<void>): Promise<void> {
  const firsts = times(count / batchSize, (index) => index * batchSize);
  // Ten at once: a program that loads has more than one batch under way.
  for (let at = 0; at < firsts.length; at += 10)
    await Promise.all(firsts.slice(at, at + 10).map(work));
}

const plans: readonly Plan[] = [
  {
    name: "valkey-get",
    title: "1,000 concurrent gets, against GET and JSON.parse",
    ...{ count: 20_000, share: 0.6, ours: getOurs, bare: getBare },
  },
  {
    name: "valkey-set",
    title: "1,000 concurrent sets of keys that are there, against JSON.stringify and SET",
    ...{ count: 20_000, share: 0.6 },
    async ours(kv, count, turn) {
      await together(count, (id) => kv.set(accountKey(id), account(id, turn)));
      expectAnswer("set", account(count - 1, turn), await kv.get(accountKey(count - 1)));
    },
    async bare(client, count, turn) {
      await together(count, (id) => client.set(accountKey(id), JSON.stringify(account(id, turn))));
      const found = JSON.parse((await client.get(accountKey(count - 1))) ?? "null");
      expectAnswer("SET", account(count - 1, turn), found);
    },
  },
  {
    name: "valkey-increment",
    title: "1,000 concurrent incrementBy of 100 counters, against a bare FCALL with INCRBY",
    ...{ count: 20_000, share: 0.6 },
    async ours(kv, count, turn) {
      await together(count, (id) => kv.incrementBy(`counter:${id % 100}`, 1));
      expectAnswer("incrementBy", ((turn + 1) * count) / 100, await kv.get("counter:0"));
    },
    async bare(client, count, turn) {
      await together(count, (id) => bareIncrement(client, `counter:${id % 100}`));
      expectAnswer("FCALL", `${((turn + 1) * count) / 100}`, await client.get("counter:0"));
    },
  },
  {
    name: "valkey-set-many",
    title: "setMany of 100 entries, ten at once, against JSON.stringify and MSET",
    ...{ count: 20_000, share: 0.7 },
    async ours(kv, count, turn) {
      await inBatches(count, async (first) => {
        await kv.setMany(batchOf(first, turn));
      });
      expectAnswer("setMany", account(count - 1, turn), await kv.get(accountKey(count - 1)));
    },
    async bare(client, count, turn) {
      await inBatches(count, async (first) => {
        const entries = Object.entries(batchOf(first, turn));
        await client.mset(entries.flatMap(([key, value]) => [key, JSON.stringify(value)]));
      });
      const found = JSON.parse((await client.get(accountKey(count - 1))) ?? "null");
      expectAnswer("MSET", account(count - 1, turn), found);
    },
  },
  {
    name: "valkey-get-many",
    title: "getMany of 100 keys, ten at once, against MGET and JSON.parse",
    ...{ count: 20_000, share: 0.7 },
    ours: (kv, count) =>
      inBatches(count, async (first) => {
        const keys = times(batchSize, (index) => accountKey(first + index));
        checkMany(
          (await kv.getMany(keys)).map(({ value }) => value),
          first,
        );
      }),
    bare: (client, count) =>
      inBatches(count, async (first) => {
        const keys = times(batchSize, (index) => accountKey(first + index));
        const texts = await client.mget(keys);
        checkMany(
          texts.map((text) => JSON.parse(text ?? "null")),
          first,
        );
      }),
  },
];

function checkMany(found: readonly unknown[], first: number): void {
  for (const [index, value] of found.entries()) {
    if ((value as { id: number } | null)?.id !== first + index) wrong("many", first + index, value);
  }
}

function compare({ name, title, count: full, share, ours, bare }: Plan): Workload {
  const run = (effort: Effort, directory: string) =>
    onServer(directory, async (_server, kv, client) => {
      const count = effort === "quick" ? 200 : full;
      await loadBareFunction(client);
      await together(count, (id) => kv.set(accountKey(id), account(id)));
      await together(count, (id) => client.set(accountKey(id), JSON.stringify(account(id))));
      const contestant = (called: string, work: (turn: number) => Promise<void>): Contestant => {
        let turn = 0;
        const sample = async () => rate(count, await elapsedMs(() => work(turn++)));
        return { name: called, sample };
      };
      const contestants = [
        contestant(valkeyName, (turn) => ours(kv, count, turn)),
        contestant(bareValkeyName, (turn) => bare(client, count, turn)),
      ];
      const questions = [ratio(valkeyName, bareValkeyName, atLeast(share))];
      return interleave(effort, { unit: "ops/s", contestants, questions, rounds: 25 });
    });
  return { name, title, run };
}

const small = "10,000 keys";
const large = "1,000,000 keys";

type AtScale = (kv: Kv, prefix: string) => Promise<void>;

async function drawOne(kv: Kv, prefix: string): Promise<void> {
  const key = await kv.randomKey({ prefix });
  if (!key.startsWith(prefix)) wrong("randomKey", `${prefix}...`, key);
}

async function claimOne(kv: Kv, prefix: string): Promise<void> {
  const claim = await kv.claimRandom({ prefix });
  if (claim === null || !claim.key.startsWith(prefix)) wrong("claimRandom", prefix, claim);
  if (!(await kv.releaseClaim(claim))) wrong("releaseClaim", true, false);
}

async function loadPools(kv: Kv, keyCount: number): Promise<void> {
  for (let first = 0; first < keyCount; first += 5_000) {
    const ids = times(Math.min(5_000, keyCount - first), (index) => first + index);
    await kv.setMany(Object.fromEntries(ids.map((id) => [poolKey(id), account(id)])));
  }
  expectAnswer("count", keyCount, await kv.count());
}

function atScale(name: string, title: string, operation: AtScale): Workload {
  const run = (effort: Effort, directory: string) =>
    onServer(directory, async (server, kv) => {
      const calls = effort === "quick" ? 50 : 2_000;
      const sizes = effort === "quick" ? [100, 1_000] : [10_000, 1_000_000];
      const other = openValkeyStore(server);
      const stores = [
        { called: small, store: kv, keyCount: sizes[0] as number },
        { called: large, store: other, keyCount: sizes[1] as number },
      ];
      for (const { store, keyCount } of stores) await loadPools(store, keyCount);
      const contestants = stores.map(({ called, store }) => ({
        name: called,
        sample: async () => {
          const all = () =>
            together(calls, (call) => operation(store, poolPrefix(call % poolCount)));
          return cost(calls, await elapsedMs(all));
        },
      }));
      const questions = [ratio(large, small, atMost(3))];
      const outcome = await interleave(effort, {
        unit: "µs/op",
        contestants,
        questions,
        rounds: 25,
      });
      await other.close();
      return outcome;
    });
  return { name, title, run };
}

const prefix = "job:";

function ourQueue(kv: Kv): JobQueue {
  return {
    async fill(count) {
      const entry = (number: number) => [`${prefix}${number}`, { number }] as const;
      for (let first = 0; first < count; first += 1_000) {
        const numbers = times(Math.min(1_000, count - first), (index) => first + index);
        await kv.setMany(Object.fromEntries(numbers.map(entry)));
      }
    },
    async workOne(lane) {
      const claim = await kv.claimRandom({ prefix, ttl: 30_000, owner: `lane ${lane}` });
      if (claim === null) return undefined;
      if (!(await kv.completeClaim(claim, { deleteKey: true })))
        wrong("completeClaim", true, false);
      return (claim.entry.value as { number: number }).number;
    },
    close: async () => {},
  };
}

/** Jobs that are worked on at once. */
const workers = 50;

/** All jobs, each exactly once. */
async function workThrough(queue: JobQueue, count: number): Promise<void> {
  const done = new Set<number>();
  const work = async (lane: number): Promise<void> => {
    while (done.size < count) {
      const number = await queue.workOne(lane);
      if (number === undefined) return;
      if (done.has(number)) wrong("job", "each once", number);
      done.add(number);
    }
  };
  await Promise.all(times(workers, work));
  if (done.size !== count) wrong("jobs done", count, done.size);
}

const valkeyCycle: Workload = {
  name: "valkey-claim-complete",
  title: "claimRandom, then completeClaim with its key, 50 at once, against BullMQ",
  run: (effort, directory) =>
    onServer(directory, async (server, kv) => {
      const count = effort === "quick" ? 100 : 5_000;
      const queues = [
        { name: valkeyName, queue: ourQueue(kv) },
        { name: bullmqName, queue: bullmqQueue(server) },
      ];
      const contestants = queues.map(({ name, queue }) => ({
        name,
        sample: async () => {
          await queue.fill(count);
          return rate(count, await elapsedMs(() => workThrough(queue, count)));
        },
      }));
      const questions = [ratio(valkeyName, bullmqName, atLeast(1))];
      const rounds = { unit: "jobs/s", contestants, questions, rounds: 15 };
      const outcome = await interleave(effort, rounds);
      for (const { queue } of queues) await queue.close();
      return outcome;
    }),
};

export const valkey: readonly Workload[] = [
  ...plans.map(compare),
  atScale("valkey-random-key", "randomKey({ prefix }) of a tenth of the keys", drawOne),
  atScale(
    "valkey-claim",
    "claimRandom({ prefix }) of a tenth of the keys, then releaseClaim",
    claimOne,
  ),
  valkeyCycle,
];
