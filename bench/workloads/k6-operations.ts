// Operations in a real k6: the same script against `anykv serve` and against a bare Valkey, over RESP,
// with 50 virtual users. The three processes share the machine, and k6 itself takes most of it.

import { k6ValkeyName, servedName, startK6Servers } from "../contestants/k6-servers.js";
import { wrong } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { K6Script, k6Program } from "../harness/k6.js";
import type { BenchServer } from "../harness/server.js";
import { rate } from "../harness/stopwatch.js";
import { type Contestant, type Outcome, ratio, type Workload } from "../harness/workload.js";

const users = 50;

interface Plan {
  readonly operation: "get" | "set" | "claim";
  readonly title: string;
  /** Of each user in one sample. */
  readonly count: number;
}

const plans: readonly Plan[] = [
  { operation: "get", title: "get", count: 400 },
  { operation: "set", title: "set", count: 400 },
  { operation: "claim", title: "claimRandom, then completeClaim", count: 200 },
];

function contestant(
  name: string,
  { url }: BenchServer,
  script: K6Script,
  operation: string,
  count: number,
): Contestant {
  const env = { OPERATION: operation, USERS: `${users}`, COUNT: `${count}`, ANYKV_URL: url };
  return {
    name,
    sample: async () => {
      const { began, ended } = await script.run(env);
      if (ended?.count !== users) wrong("users that came to the end", users, ended?.count);
      return rate(users * count, (ended?.max as number) - (began?.min as number));
    },
  };
}

/** Nobody took part. */
function skipped(reason: string): Outcome {
  return { unit: "ops/s", contestants: [], findings: [], notes: [`skipped: ${reason}`] };
}

function workloadOf({ operation, title, count: fullCount }: Plan): Workload {
  return {
    name: `k6-${operation}`,
    title: `${title} in k6 by RESP, ${users} virtual users, against the same script on Valkey`,
    run: async (effort, directory) => {
      const program = k6Program();
      if (program === undefined) return skipped("k6 has not been built by scripts/k6-binary.sh");
      const count = effort === "quick" ? 3 : fullCount;
      const script = new K6Script(program, "operations.js", directory);
      const servers = await startK6Servers(directory);
      try {
        const contestants = Array.from(servers, ([name, server]) =>
          contestant(name, server, script, operation, count),
        );
        const questions = [ratio(servedName, k6ValkeyName)];
        const plan = { unit: "ops/s", contestants, questions, rounds: 7, warmUps: 1 };
        const descriptions = [...servers.values()].map(({ description }) => description);
        return { ...(await interleave(effort, plan)), notes: descriptions };
      } finally {
        for (const server of servers.values()) await server.stop();
      }
    },
  };
}

export const k6Operations: readonly Workload[] = plans.map(workloadOf);
