// A client of the application: whatever its options are, its calls behave as elsewhere, and it is left
// as it was found.

import { openKv } from "anykv";
import { Redis, type RedisOptions } from "iovalkey";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { describeWith, lackOfAny, type Server, startServer, until } from "../servers.js";
import { TcpProxy } from "../tcp-proxy.js";

const lack = lackOfAny();
let server: Server;
let stores = 0;

beforeAll(async () => {
  if (lack === undefined) server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  if (lack === undefined) await server.cli("flushall");
});

const variants: readonly RedisOptions[] = [
  {},
  { lazyConnect: true },
  { enableOfflineQueue: false },
  { enableReadyCheck: false },
  { enableAutoPipelining: true },
  { autoResendUnfulfilledCommands: false, maxRetriesPerRequest: null },
  { maxRetriesPerRequest: null },
  { maxRetriesPerRequest: 0 },
  { commandTimeout: 1_000 },
];

function listeners(client: Redis): Record<string, number> {
  return Object.fromEntries(
    client.eventNames().map((name) => [String(name), client.listenerCount(name)]),
  );
}

describeWith("a client of the application", lack, () => {
  test.each(variants)("serves, is left open, and without listeners: %j", async (options) => {
    const proxy = await TcpProxy.to(server.port);
    const client = new Redis({ host: "127.0.0.1", port: proxy.port, ...options });
    client.on("error", () => {});
    try {
      if (!options.lazyConnect) await until(() => client.status === "ready");
      const before = listeners(client);
      const name = `g${++stores}`;
      const kv = openKv({ backend: "valkey", name, valkey: { client, commandTimeout: 0 } });
      await kv.set("key", 1);
      proxy.holdReplies();
      const reading = kv.get("key");
      const writing = kv.incrementBy("n", 1);
      writing.catch(() => {});
      await until(async () => (await server.cli("hget", `anykv:{${name}:0}:v`, "n")) === "j1");
      proxy.cut();
      expect(await reading).toBe(1);
      await expect(writing).rejects.toMatchObject({ name: "OutcomeUnknownError" });
      await kv.close();
      expect(listeners(client)).toEqual(before);
      await until(() => client.status === "ready");
      expect(await client.ping()).toBe("PONG");
    } finally {
      client.disconnect();
      await proxy.close();
    }
  });

  test("that is closed is refused, and not connected again", async () => {
    const client = new Redis(server.url.replace("valkey:", "redis:"));
    await until(() => client.status === "ready");
    client.disconnect();
    await until(() => client.status === "end");
    const before = listeners(client);
    const kv = openKv({ backend: "valkey", name: `g${++stores}`, valkey: { client } });
    await expect(kv.get("key")).rejects.toMatchObject({
      name: "ServerConnectionError",
      message: expect.stringContaining("has been closed"),
    });
    await kv.close().catch(() => {});
    expect(client.status).toBe("end");
    expect(listeners(client)).toEqual(before);
  });

  test("that does not connect in time is left alone", async () => {
    const proxy = await TcpProxy.to(server.port);
    proxy.cut({ refuse: true });
    const client = new Redis({ host: "127.0.0.1", port: proxy.port });
    client.on("error", () => {});
    try {
      const before = listeners(client);
      const valkey = { client, connectTimeout: 200 };
      const kv = openKv({ backend: "valkey", name: `g${++stores}`, valkey });
      await expect(kv.get("key")).rejects.toMatchObject({ name: "ServerConnectionError" });
      await kv.close().catch(() => {});
      expect(listeners(client)).toEqual(before);
      proxy.accept();
      await until(() => client.status === "ready");
      expect(await client.ping()).toBe("PONG");
    } finally {
      client.disconnect();
      await proxy.close();
    }
  });
});
