// Whatever a store does, nothing of its neighbours on the server changes: stores with other names,
// stores with another prefix, and keys that are no store's. Every other key is compared byte by byte
// before and after each random history, which ends with a backup, a clear and restores.
//
// ANYKV_HISTORIES sets their number; ANYKV_SEED and ANYKV_PATH repeat a failure, as its report says.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenKvOptions, openKv } from "anykv";
import { historySuite, type StoreFactory, type TestStore } from "anykv/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { partitionTag } from "../../src/remote/partitions.js";
import { testPrefix } from "./plain-connection.js";
import { describeWith, lackOfAny } from "./servers.js";
import { anyKind, historyOptions, theClient, useServer, valkeyFactory } from "./valkey-factory.js";

const storeName = "shared";
const partitionsMax = 3;
const ownKeys = Array.from(
  { length: partitionsMax },
  (_, partition) => `${partitionTag(testPrefix, storeName, partition)}:`,
);
const directory = mkdtempSync(join(tmpdir(), "anykv-neighbours-"));
const dayMs = 86_400_000;

/** Something in every structure of a store, with and without an end. */
async function furnish(prefix: string, name: string, partitions: number): Promise<void> {
  const { port } = theClient().options;
  const options: OpenKvOptions = { backend: "valkey", name, valkey: { port, prefix, partitions } };
  await using kv = openKv(options);
  await kv.setMany({ a: 1, b: 2, "user:1": "x" });
  await kv.set("mortal", 1, { ttl: dayMs });
  for (const key of ["list", "other list"]) await kv.append(key, 1);
  await kv.expire("list", dayMs);
  await kv.claimKey("a", { ttl: dayMs });
  await kv.filter("seen").add("item");
  await kv.filter("seen").add("mortal", { ttl: dayMs });
}

async function furnishAll(): Promise<void> {
  const client = theClient();
  for (const name of ["share", "shared2", "shared}", "{shared", "*", "s"]) {
    await furnish(testPrefix, name, 1);
  }
  await furnish("other", storeName, 3);
  await furnish(`${testPrefix}2`, storeName, 1);
  await furnish(testPrefix.slice(0, -1), storeName, 1);
  for (const key of [testPrefix, `${testPrefix}:${storeName}`, `${testPrefix}:{${storeName}}`]) {
    await client.set(`${key}`, "theirs");
    await client.hset(`${key}:v`, "a", "theirs");
    await client.zadd(`${key}:k`, 0, "a");
    await client.rpush(`${key}:g`, "x:1");
    await client.set(`${key}:mortal`, "theirs", "PX", dayMs);
  }
}

/** Of every key that is not the store's: its content and when it expires. */
async function fingerprints(): Promise<Record<string, string>> {
  const client = theClient();
  const isOwn = (key: string): boolean => ownKeys.some((own) => key.startsWith(own));
  const keys = (await client.keys("*")).filter((key) => !isOwn(key)).sort();
  const rows = keys.map(async (key) => {
    const dump = (await client.dumpBuffer(key)) ?? Buffer.alloc(0);
    return [key, `${dump.toString("base64")} ${await client.call("PEXPIRETIME", key)}`] as const;
  });
  return Object.fromEntries(await Promise.all(rows));
}

/** Restores beside what is there, and over nothing. */
async function restoreAnew({ kv, reopen }: TestStore): Promise<void> {
  const own = (await reopen?.()) ?? kv;
  const fileName = join(directory, "backup");
  const { totalEntries } = await own.backup({ fileName });
  await own.restore({ fileName });
  await own.clear();
  expect(await own.restore({ fileName })).toMatchObject({ totalEntries });
}

function watched(partitions: number): StoreFactory {
  const factory = valkeyFactory({ kind: anyKind(), partitions, storeName });
  return {
    ...factory,
    name: `among neighbours: ${factory.name}`,
    create: async (options) => {
      const before = await fingerprints();
      expect(Object.keys(before).length).toBeGreaterThan(50);
      const store = await factory.create(options);
      const close = async (): Promise<void> => {
        await restoreAnew(store);
        // While it is still there, and after it has been taken off the server.
        expect(await fingerprints()).toStrictEqual(before);
        await store.close();
        expect(await fingerprints()).toStrictEqual(before);
      };
      return { ...store, close };
    },
  };
}

describeWith("a store on a server", lackOfAny(), () => {
  useServer(anyKind());
  beforeAll(furnishAll);
  afterAll(async () => {
    await theClient().flushall();
    rmSync(directory, { recursive: true, force: true });
  });

  const { runs, ...options } = historyOptions("neighbours");
  for (const partitions of [1, 3]) {
    historySuite({ describe, expect, test, fc }, watched(partitions), {
      ...options,
      runs: Math.ceil(runs / 4),
    });
  }

  test("names of neighbours are told apart by what is compared", async () => {
    const before = await fingerprints();
    await theClient().hset("other:{shared:0}:v", "new", "j1");
    expect(await fingerprints()).not.toStrictEqual(before);
    await theClient().hdel("other:{shared:0}:v", "new");
  });
});
