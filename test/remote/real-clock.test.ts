// By the clock of a real server, with the library that users get: what expires leaves nothing behind
// in any structure, whether somebody is there to remove it or not.

import { type Kv, openKv } from "anykv";
import type { Redis } from "iovalkey";
import { afterAll, beforeAll, expect, test } from "vitest";
import { partitionTag } from "../../src/remote/partitions.js";
import { verifyPartition } from "../../src/remote/verify-partition.js";
import { plainClient, testPrefix } from "./plain-connection.js";
import { describeWith, lackOfAny, type Server, startServer, until } from "./servers.js";
import { commandsOf, verifyStore } from "./verify-store.js";

const lack = lackOfAny();
const ttl = 50;
const count = 300;
let server: Server;
let client: Redis;

beforeAll(async () => {
  if (lack !== undefined) return;
  server = await startServer();
  client = await plainClient(server.port, "server");
});
afterAll(async () => {
  client?.disconnect();
  await server?.stop();
});

function open(name: string, partitions: number): Kv {
  const valkey = { port: server.port, partitions, prefix: testPrefix };
  return openKv({ backend: "valkey", name, valkey });
}

/** Keys of every kind that end after `ttl`, among others that do not, and claims that do. */
async function fill(kv: Kv): Promise<void> {
  const numbered = (prefix: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, index]));
  await kv.setMany(numbered("mortal:"), { ttl });
  await kv.setMany(numbered("stays:"));
  await kv.incrementBy("counter", 1, { ttl });
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      await kv.append(`list:${index}`, index, { ttl });
      await kv.filter(`seen:${index}`).add("item", { ttl });
      await kv.claimKey(`stays:${index}`, { ttl });
    }),
  );
}

/** What every structure of the store has, by its name behind the tags. */
async function sizes(name: string, partitions: number): Promise<Record<string, number>> {
  const sum: Record<string, number> = {};
  for (let partition = 0; partition < partitions; partition++) {
    const tag = `${partitionTag(testPrefix, name, partition)}:`;
    for (const key of await client.keys(`${tag}*`)) {
      const structure = key.slice(tag.length);
      if (structure === "n" || structure.startsWith("r:")) continue;
      const command = (await client.type(key)) === "hash" ? "hlen" : "zcard";
      const size = structure.startsWith("l:") ? client.llen(key) : client[command](key);
      sum[structure] = (sum[structure] ?? 0) + (await size);
    }
  }
  return sum;
}

async function isInOrder(name: string, partitions: number): Promise<boolean> {
  const run = commandsOf(client);
  for (let partition = 0; partition < partitions; partition++) {
    const tag = partitionTag(testPrefix, name, partition);
    if ((await verifyPartition(run, tag)).length > 0) return false;
  }
  return true;
}

/** Values, their order, and all of them free: rows of nothing else. */
const onlyWhatStays = { v: count, k: count, f: count };

async function isSwept(name: string, partitions: number): Promise<boolean> {
  const found = await sizes(name, partitions);
  const wanted = Object.entries(onlyWhatStays);
  const isExact = wanted.every(([structure, size]) => found[structure] === size);
  return (
    isExact && Object.keys(found).length === wanted.length && (await isInOrder(name, partitions))
  );
}

describeWith("what expires by the server's clock", lack, () => {
  test.each([1, 3])("is removed while nobody asks for it, in %i partitions", async (partitions) => {
    const name = `idle-${partitions}`;
    const kv = open(name, partitions);
    await fill(kv);
    await until(() => isSwept(name, partitions));
    expect(await kv.count()).toBe(count);
    expect(await kv.allocationStats({ prefix: "" })).toMatchObject({ claimedLive: 0 });
    await kv.close();
    await verifyStore(client, { store: name, partitions });
  });

  test.each([1, 3])("is removed by whoever comes later, in %i partitions", async (partitions) => {
    const name = `left-${partitions}`;
    const first = open(name, partitions);
    await fill(first);
    await first.close();
    const second = open(name, partitions);
    await until(async () => (await second.count({ prefix: "mortal:" })) === 0);
    expect(await second.listKeys({ prefix: "mortal:" })).toEqual([]);
    await until(() => isSwept(name, partitions));
    await second.close();
    await verifyStore(client, { store: name, partitions });
  });
});
