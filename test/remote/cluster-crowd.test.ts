// The crowd of crowd.test.ts on a cluster of three primaries and three replicas, a quarter as large:
// its stores lie in five partitions on different nodes, and the connections of all nodes are killed.

import { Redis } from "iovalkey";
import { afterAll, beforeAll, expect, test } from "vitest";
import { crc16, partitionTag, placedBy } from "../../src/remote/partitions.js";
import { verifyPartition } from "../../src/remote/verify-partition.js";
import { members, programs } from "../crowd/crowd.js";
import { type CompiledPackage, compilePackage } from "../processes/compiled-package.js";
import { testPrefix } from "./plain-connection.js";
import { type CrowdPlace, crowdSize, timeoutMsOf, work } from "./server-crowd.js";
import { type Cluster, describeWith, lackOfAny, startCluster } from "./servers.js";
import { commandsOf } from "./verify-store.js";

const lack = lackOfAny();
const partitions = 5;
const quarter = (size: number): number => Math.ceil(size / 4);
const size = {
  operations: quarter(crowdSize.operations),
  kills: quarter(crowdSize.kills),
  cuts: quarter(crowdSize.cuts),
};
const timeoutMs = timeoutMsOf(size);

let compiled: CompiledPackage;
let cluster: Cluster;
let place: CrowdPlace;

beforeAll(async () => {
  if (lack !== undefined) return;
  compiled = await compilePackage(programs);
  // Nodes that get no time on a busy machine are no reason for a replica to take over: what that loses is
  // the subject of valkey/cluster.test.ts.
  cluster = await startCluster({ args: ["--cluster-node-timeout", "60000"] });
  place = { size, address: { cluster: cluster.addresses }, cut, verify };
}, 120_000);

afterAll(async () => {
  await cluster?.stop();
  compiled?.remove();
});

async function cut(): Promise<number> {
  const kills = cluster.nodes.map((node) => node.cli("client", "kill", "type", "normal"));
  return (await Promise.all(kills)).reduce((sum, killed) => sum + Number(killed), 0);
}

async function verify(store: string): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    const tag = partitionTag(testPrefix, store, partition);
    const node = await ownerOf(crc16(Buffer.from(placedBy(tag))) % 16_384);
    try {
      expect(await verifyPartition(commandsOf(node), tag)).toEqual([]);
    } finally {
      node.disconnect();
    }
  }
}

async function ownerOf(slot: number): Promise<Redis> {
  const [{ host, port } = { host: "", port: 0 }] = cluster.nodes;
  const asked = new Redis({ host, port });
  const ranges = (await asked.call("CLUSTER", "SLOTS")) as [number, number, [string, number]][];
  asked.disconnect();
  const [, , owner] = ranges.find(([first, last]) => first <= slot && slot <= last) ?? [];
  if (owner === undefined) throw new Error(`nobody has slot ${slot}`);
  return new Redis({ host: owner[0], port: owner[1] });
}

describeWith(
  `${members} processes of ${size.operations} operations each on a cluster`,
  lack,
  () => {
    test.each([true, false])(
      "whose connections are killed, retryWrites: %s",
      async (retryWrites) => {
        const store = retryWrites ? "retried" : "unretried";
        const books = await work({ compiled, place }, { store, partitions, retryWrites, kills: 0 });
        // With it nothing but the acknowledged has happened.
        if (retryWrites) expect(books.uncertain).toBe(0);
        expect(books.done).toBe(members);
      },
      timeoutMs,
    );

    test(
      "that are killed with -9, and their connections",
      async () => {
        const row = { store: "killed", partitions, retryWrites: true, kills: size.kills };
        const books = await work({ compiled, place }, row);
        expect(books.kills).toBeGreaterThan(0);
      },
      timeoutMs,
    );
  },
);
