// The RESP door of `serve`, on memory, against Valkey: valkey-benchmark drives a server of either
// kind in turn, with 50 clients and values of 64 bytes, one request after the other and 16 ahead.
//
// Servers and load have two processes at work at any time. On a machine with fewer free processors
// the figures tell more of its scheduler than of the servers.

import { times } from "../contestants/records.js";
import {
  anykvServerName,
  type RespServer,
  startRespServers,
  valkeyServerName,
} from "../contestants/resp-servers.js";
import { expectAnswer, wrong } from "../harness/answers.js";
import { outcomeOf } from "../harness/interleave.js";
import {
  isValkeyBenchmarkThere,
  type Load,
  runValkeyBenchmark,
} from "../harness/valkey-benchmark.js";
import {
  atLeast,
  atMost,
  type Effort,
  type Outcome,
  type Question,
  ratio,
  type Workload,
} from "../harness/workload.js";

const clients = 50;
const valueBytes = 64;
const rounds = 9;
const warmUps = 2;
/** What the tool calls its list. */
const listKey = "mylist";

interface Depth {
  readonly depth: number;
  /** Of one sample: about a second's worth. */
  readonly requests: number;
  /** Of Valkey's requests per second. */
  readonly shareMin: number;
}

const depths: readonly Depth[] = [
  { depth: 1, requests: 60_000, shareMin: 0.9 },
  { depth: 16, requests: 400_000, shareMin: 0.6 },
];

/** Of Valkey's. */
const latencyMax = 2;

interface Plan {
  readonly command: string;
  prepare(server: RespServer, load: Load): Promise<void>;
  /** Throws unless the data are what the requests have to have left. */
  check(server: RespServer, load: Load): Promise<void>;
}

function keysOf(kind: string, { keys }: Load): string[] {
  return times(keys, (id) => `${kind}:${String(id).padStart(12, "0")}`);
}

async function valuesOf({ client }: RespServer, kind: string, load: Load): Promise<string[]> {
  const values = await client.mget(keysOf(kind, load));
  return values.filter((value) => value !== null);
}

async function empty({ client }: RespServer): Promise<void> {
  expectAnswer("FLUSHALL", "OK", await client.flushall());
}

const text = "v".repeat(valueBytes);

async function fillStrings(server: RespServer, load: Load): Promise<void> {
  await empty(server);
  const pairs = keysOf("key", load).flatMap((key) => [key, text]);
  expectAnswer("MSET", "OK", await server.client.mset(pairs));
}

/** As many elements as will be taken. */
async function fillList({ client }: RespServer, { requests }: Load): Promise<void> {
  const pushedAtOnce = 1_000;
  for (let left = requests; left > 0; left -= pushedAtOnce) {
    const elements = times(Math.min(left, pushedAtOnce), () => text);
    await client.lpush(listKey, ...elements);
  }
  expectAnswer("LLEN", requests, await client.llen(listKey));
}

const plans: readonly Plan[] = [
  {
    command: "SET",
    prepare: empty,
    async check(server, load) {
      const values = await valuesOf(server, "key", load);
      expectAnswer("DBSIZE", values.length, await server.client.dbsize());
      const odd = values.find((value) => value.length !== valueBytes);
      // Of ten requests for each key some reach more than half of the keys, whatever chance does.
      if (odd !== undefined || values.length < Math.min(load.keys, load.requests) / 2) {
        wrong("values set", load, [values.length, odd]);
      }
    },
  },
  {
    command: "GET",
    prepare: fillStrings,
    async check(server, load) {
      const values = await valuesOf(server, "key", load);
      expectAnswer("values left", load.keys, values.filter((value) => value === text).length);
    },
  },
  {
    command: "INCR",
    prepare: empty,
    async check(server, load) {
      const values = await valuesOf(server, "counter", load);
      const sum = values.reduce((before, value) => before + Number(value), 0);
      expectAnswer("sum of the counters", load.requests, sum);
    },
  },
  {
    command: "LPUSH",
    prepare: empty,
    async check({ client }, { requests }) {
      expectAnswer("LLEN", requests, await client.llen(listKey));
      const ends = [await client.lindex(listKey, 0), await client.lindex(listKey, -1)];
      for (const element of ends) expectAnswer("bytes", valueBytes, element?.length);
    },
  },
  {
    command: "LPOP",
    async prepare(server, load) {
      await empty(server);
      await fillList(server, load);
    },
    async check({ client }) {
      expectAnswer("EXISTS", 0, await client.exists(listKey));
    },
  },
];

const rateName = ({ depth }: Depth, name: string): string => `${name}, ${depth} ahead`;
const p99Name = ({ depth }: Depth, name: string): string => `p99 of ${name}, ${depth} ahead`;

function questionsOf(depth: Depth): Question[] {
  const quotient = (naming: typeof rateName, target: Question["target"]): Question =>
    ratio(naming(depth, anykvServerName), naming(depth, valkeyServerName), target);
  return [quotient(rateName, atLeast(depth.shareMin)), quotient(p99Name, atMost(latencyMax))];
}

type Samples = Map<string, number[]>;

/** Lets both servers take turns, and notes what the tool says. */
async function takeSamples(
  plan: Plan,
  servers: readonly RespServer[],
  effort: Effort,
): Promise<Samples> {
  const samples: Samples = new Map();
  const note = (name: string, sample: number): void => {
    samples.set(name, [...(samples.get(name) ?? []), sample]);
  };
  const [first, end] = effort === "quick" ? [0, 1] : [-warmUps, rounds];
  for (let round = first; round < end; round++) {
    for (const depth of depths) {
      for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
        const figures = await sampleOf(plan, server, loadOf(plan, depth, effort));
        if (round < 0) continue;
        note(rateName(depth, server.name), figures.requestsPerSecond);
        note(p99Name(depth, server.name), figures.p99Ms);
      }
    }
  }
  return samples;
}

function loadOf({ command }: Plan, { depth, requests }: Depth, effort: Effort): Load {
  const isQuick = effort === "quick";
  const size = { requests: isQuick ? 2_000 : requests, keys: isQuick ? 200 : 10_000 };
  return { command, depth, clients, valueBytes, ...size };
}

async function sampleOf(plan: Plan, server: RespServer, load: Load) {
  await plan.prepare(server, load);
  const figures = await runValkeyBenchmark(server.port, load);
  await plan.check(server, load);
  return figures;
}

const lack = "valkey-benchmark is not on the PATH";

/** Without the tool there is nothing to tell; where CI is set that is a failure. */
function withoutTool(): Outcome {
  if (process.env.CI) throw new Error(lack);
  return { unit: "", contestants: [], findings: [], notes: [`skipped: ${lack}`] };
}

function against(plan: Plan): Workload {
  const { command } = plan;
  return {
    name: `resp-${command.toLowerCase()}`,
    title: `${command} of valkey-benchmark, ${clients} clients, at anykv's server and at Valkey's`,
    async run(effort, directory) {
      if (!isValkeyBenchmarkThere()) return withoutTool();
      const servers = await startRespServers(directory);
      try {
        const samples = await takeSamples(plan, servers, effort);
        const notes = [`rates in requests/s, p99 in ms; ${servers[1]?.description}`];
        return { ...outcomeOf("", samples, depths.flatMap(questionsOf)), notes };
      } finally {
        for (const server of servers) await server.stop();
      }
    },
  };
}

export const respServer: readonly Workload[] = plans.map(against);
