// Opening a store: within its time whatever the server does, writing nothing that does not belong
// there, and again after the server has lost everything.

import { InvalidOptionsError, type Kv, type OpenKvOptions, openKv } from "anykv";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { nodeEnv } from "../../../src/env/env.js";
import { type ValkeyOptions, valkeySettings } from "../../../src/kv/options/valkey-options.js";
import { RemoteStore } from "../../../src/remote/remote-store.js";
import { openValkey } from "../../../src/remote/valkey/open-valkey.js";
import { describeWith, lackOfAny, type Server, startServer } from "../servers.js";
import { TcpProxy } from "../tcp-proxy.js";

const lack = lackOfAny();
let server: Server;

beforeAll(async () => {
  if (lack === undefined) server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  if (lack === undefined) await server.cli("flushall");
});

let stores = 0;

function optionsOf(valkey: OpenKvOptions["valkey"] = {}, name = `o${++stores}`): OpenKvOptions {
  return { backend: "valkey", name, valkey: { port: server.port, ...valkey } };
}

async function opened(options: OpenKvOptions): Promise<Kv> {
  const kv = openKv(options);
  try {
    await kv.exists("key");
    return kv;
  } catch (error) {
    await kv.close();
    throw error;
  }
}

/** As from another process: the registry of this one would refuse other options of the same store. */
async function openedAlone(name: string, options: ValkeyOptions): Promise<RemoteStore> {
  const settings = valkeySettings({ port: server.port, ...options });
  const connection = await openValkey({ env: nodeEnv, settings, storeName: name });
  return RemoteStore.open(connection, nodeEnv, { serialization: "json", trackKeys: false });
}

describeWith("a server that evicts", lack, () => {
  test("is told of once, unless its policy keeps all keys or nobody may look", async () => {
    const warnings: string[] = [];
    vi.spyOn(process, "emitWarning").mockImplementation((text) => void warnings.push(`${text}`));
    const evicting = await startServer({ args: ["--maxmemory-policy", "allkeys-lru"] });
    try {
      const open = async (options: ValkeyOptions): Promise<void> => {
        await using kv = openKv({ backend: "valkey", name: `o${++stores}`, valkey: options });
        // What is asked for later is answered later.
        await kv.size();
      };
      await evicting.cli("acl", "setuser", "poor", "on", ">x", "+@all", "-info", "~*");
      await open({ port: evicting.port, username: "poor", password: "x" });
      await open({ port: server.port });
      expect(warnings).toEqual([]);
      for (let times = 0; times < 2; times++) await open({ port: evicting.port });
      expect(warnings).toEqual([
        `valkey at 127.0.0.1:${evicting.port} may evict parts of stores: its maxmemory-policy is allkeys-lru`,
      ]);
    } finally {
      vi.restoreAllMocks();
      await evicting.stop();
    }
  });
});

describeWith("opening ends within its time", lack, () => {
  test.each(["inspect", "open", "once_begin"])(
    "when the server does not answer %s",
    async (operation) => {
      const proxy = await TcpProxy.to(server.port);
      try {
        proxy.holdRepliesBehind(`_${operation}\r\n`);
        const times = { connectTimeout: 400, commandTimeout: 0 };
        const began = performance.now();
        const opening = opened(optionsOf({ port: proxy.port, retryWrites: true, ...times }));
        await expect(opening).rejects.toMatchObject({
          name: expect.stringMatching(/ServerConnectionError|OutcomeUnknownError/),
        });
        expect(performance.now() - began).toBeLessThan(1_500);
      } finally {
        await proxy.close();
      }
    },
  );

  test("whatever there is to remove", async () => {
    const proxy = await TcpProxy.to(server.port);
    try {
      proxy.holdRepliesBehind("_reap\r\n");
      const store = await openedAlone(`o${++stores}`, { port: proxy.port, commandTimeout: 0 });
      proxy.cut();
      await store.close();
    } finally {
      await proxy.close();
    }
  });
});

describeWith("another number of partitions", lack, () => {
  const keys = async (name: string): Promise<string[]> =>
    (await server.cli("keys", `anykv:{${name}:*`)).split("\n").filter((key) => key !== "");

  test.each([
    [3, 5],
    [5, 3],
  ])("is refused before anything is written: %i, then %i", async (first, second) => {
    const name = `o${++stores}`;
    await (await opened(optionsOf({ partitions: first }, name))).close();
    const before = await keys(name);
    await expect(opened(optionsOf({ partitions: second }, name))).rejects.toMatchObject({
      name: "InvalidOptionsError",
      hint: expect.stringContaining(`partitions: ${first}`),
    });
    expect(await keys(name)).toHaveLength(first);
    expect((await keys(name)).sort()).toEqual(before.sort());
  });

  test("is refused to one of two who make the store at once", async () => {
    for (let round = 0; round < 10; round++) {
      const name = `o${++stores}`;
      const outcomes = await Promise.allSettled(
        [3, 5].map(async (partitions) => (await openedAlone(name, { partitions })).close()),
      );
      const failed = outcomes.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
      expect(failed).toHaveLength(1);
      expect(failed[0]).toBeInstanceOf(InvalidOptionsError);
      const counts = await Promise.all(
        (await keys(name)).map((key) => server.cli("hget", key, "partitions")),
      );
      expect(new Set(counts).size).toBe(1);
      expect(counts).toHaveLength(Number(counts[0]));
    }
  });
});

describeWith("when the server has lost everything", lack, () => {
  test.each([false, true])("no token is granted twice, retryWrites: %s", async (retryWrites) => {
    await using kv = await opened(optionsOf({ partitions: 3, retryWrites }));
    await kv.set("{a}:1", 1);
    const before = await kv.claimKey("{a}:1");
    await server.cli("flushall");
    await kv.set("{a}:1", 1);
    const after = await kv.claimKey("{a}:1");
    expect(after?.token).toBeGreaterThan(before?.token ?? Infinity);
    const claim = before ?? undefined;
    await expect(kv.set("{a}:1", 2, claim === undefined ? {} : { claim })).rejects.toMatchObject({
      name: "StaleClaimError",
    });
    const random = await kv.claimRandom({ prefix: "none" });
    expect(random).toBeNull();
  });

  test("what it is opened with afterwards has to fit", async () => {
    const options = optionsOf({ partitions: 3 });
    await using kv = await opened(options);
    await server.cli("flushall");
    await (await openedAlone(options.name ?? "", { partitions: 5 })).close();
    await kv.set("key", 1);
    await expect(kv.claimKey("key")).rejects.toMatchObject({ name: "InvalidOptionsError" });
  });

  test.each([
    ["is of another type", "set", "x"],
    ["has another layout", "hset", "layout", "99"],
  ])("what stands in its place and %s is refused with its class", async (_what, ...written) => {
    const options = optionsOf();
    const [command = "", ...rest] = written;
    await (await openedAlone(options.name ?? "", {})).close();
    const [found = ""] = (await server.cli("--scan", "--pattern", "*:n")).trim().split("\n");
    await server.cli("del", found);
    await server.cli(command, found, ...rest);
    await expect(opened(options)).rejects.toMatchObject({
      name: "ServerUnsuitableError",
      hint: expect.stringContaining("name"),
    });
  });

  test("tokens of the next one are higher", async () => {
    const options = optionsOf();
    const grant = async (): Promise<number | undefined> => {
      await using kv = await opened(options);
      await kv.set("key", 1);
      return (await kv.claimKey("key"))?.token;
    };
    const before = await grant();
    await server.cli("flushall");
    expect(await grant()).toBeGreaterThan(before ?? Infinity);
  });
});
