// Concurrent histories of several processes on one store on a server are linearizable, key by key,
// while the server's connections are killed: registers with counters and compare-and-swap, and claims.
// What nobody knows to have happened may have happened at any time, or never.
//
// ANYKV_LINEAR_ROUNDS sets the number of histories, ANYKV_LINEAR_OPERATIONS the operations of each
// process, ANYKV_SEED the first seed. That the checker can tell is shown on real histories with a stale
// cache, and on invented ones in test/crowd.

import { type OpenKvOptions, openKv } from "anykv";
import type { Redis } from "iovalkey";
import { afterAll, beforeAll, expect, test } from "vitest";
import { programs } from "../crowd/crowd.js";
import {
  explains,
  furnishLeases,
  type Line,
  overlaps,
  processes,
  record,
} from "../crowd/histories.js";
import { type CompiledPackage, compilePackage } from "../processes/compiled-package.js";
import { plainClient, testPrefix } from "./plain-connection.js";
import { describeWith, lackOfAny, type Server, startServer } from "./servers.js";
import { verifyStore } from "./verify-store.js";

const lack = lackOfAny();
const rounds = Number(process.env.ANYKV_LINEAR_ROUNDS ?? 1);
const operations = Number(process.env.ANYKV_LINEAR_OPERATIONS ?? 300);
const firstSeed = Number(process.env.ANYKV_SEED ?? 1);
/** Dots of the processes from one killing of all connections to the next. */
const dotsPerCut = 4;

let compiled: CompiledPackage;
let server: Server;
let client: Redis;

beforeAll(async () => {
  if (lack !== undefined) return;
  compiled = await compilePackage(programs);
  server = await startServer();
  client = await plainClient(server.port, "server");
}, 60_000);

afterAll(async () => {
  client?.disconnect();
  await server?.stop();
  compiled?.remove();
});

interface Case {
  readonly partitions: number;
  readonly retryWrites: boolean;
}

async function recordAt(
  { partitions, retryWrites }: Case,
  seed: number,
  mode: "plain" | "stale" = "plain",
): Promise<{ histories: Map<string, Line[]>; connections: number }> {
  const store = `linear-${mode}-${partitions}-${retryWrites}-${seed}`;
  const place = { port: server.port, partitions, prefix: testPrefix };
  const valkey = { ...place, retryWrites, connectTimeout: "60s", commandTimeout: "60s" };
  const options: OpenKvOptions = { backend: "valkey", name: store, valkey };
  {
    await using kv = openKv(options);
    await furnishLeases(kv, operations);
  }
  let dots = 0;
  const cuts: Promise<unknown>[] = [];
  const onProgress = (): void => {
    if (++dots % dotsPerCut === 0) cuts.push(client.call("CLIENT", "KILL", "TYPE", "normal"));
  };
  const histories = await record({ compiled, options, seed, operations, mode, onProgress });
  const connections = (await Promise.all(cuts)).reduce<number>((sum, n) => sum + Number(n), 0);
  await verifyStore(client, { store, partitions });
  return { histories, connections };
}

describeWith("histories of several processes on a server", lack, () => {
  test.each([
    { partitions: 1, retryWrites: true },
    { partitions: 1, retryWrites: false },
    { partitions: 3, retryWrites: true },
    { partitions: 3, retryWrites: false },
  ])(
    `${rounds} of ${processes} processes with ${operations} operations each, partitions: $partitions, retryWrites: $retryWrites`,
    async (row) => {
      const sums = { checked: 0, overlapping: 0, uncertain: 0, connections: 0 };
      for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
        const { histories, connections } = await recordAt(row, seed);
        sums.connections += connections;
        for (const [key, lines] of histories) {
          expect(explains(key, lines), `${key}, ANYKV_SEED=${seed}`).toBe(true);
          sums.checked += lines.length;
          sums.overlapping += overlaps(lines);
          sums.uncertain += lines.filter(({ output }) => output === undefined).length;
        }
      }
      console.info(`linearizable: ${JSON.stringify(sums)}`);
      expect(sums.overlapping).toBeGreaterThan(sums.checked / 10);
      expect(sums.connections).toBeGreaterThan(0);
      expect(sums.uncertain > 0).toBe(!row.retryWrites);
    },
    60_000 + rounds * (30_000 + operations * 50),
  );

  test("a cache that nobody invalidates is noticed", async () => {
    const { histories } = await recordAt({ partitions: 1, retryWrites: true }, firstSeed, "stale");
    const verdicts = [...histories].map(([key, lines]) => explains(key, lines));
    expect(verdicts).toContain(false);
  });
});
