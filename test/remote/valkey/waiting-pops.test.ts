// Whoever waits for an element outlives broken connections, unless an element may have been lost.

import { type Kv, openKv } from "anykv";
import { Redis } from "iovalkey";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ValkeyOptions } from "../../../src/kv/options/valkey-options.js";
import { describeWith, lackOfAny, type Server, startServer, until } from "../servers.js";
import { TcpProxy } from "../tcp-proxy.js";

const lack = lackOfAny();
let server: Server;
let proxy: TcpProxy;
let kv: Kv;
let stores = 0;
let name = "";

beforeAll(async () => {
  if (lack === undefined) server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  if (lack === undefined) proxy = await TcpProxy.to(server.port);
});
afterEach(async () => {
  proxy?.accept();
  await kv?.close();
  await proxy?.close();
});

async function open(options: ValkeyOptions = {}): Promise<void> {
  name = `w${++stores}`;
  const place = options.client === undefined ? { port: proxy.port } : {};
  kv = openKv({ backend: "valkey", name, valkey: { ...place, commandTimeout: 200, ...options } });
  await kv.exists("key");
}

/** Pushes beside the proxy. */
async function push(element: string): Promise<void> {
  const client = new Redis(server.port);
  const [library] = (await client.call("FUNCTION", "LIST")) as [string[]];
  const args = ["q", "last", `j${element}`];
  await client.call("FCALL", `${library?.[1]}_push`, 1, `anykv:{${name}:0}:v`, ...args);
  client.disconnect();
}

/** Broken connections, and long enough without any for every call to be given up. */
async function blips(): Promise<void> {
  for (let blip = 0; blip < 3; blip++) {
    const before = proxy.connections;
    proxy.cut({ refuse: true });
    await until(() => proxy.connections > before);
    await expect(kv.exists("key")).rejects.toMatchObject({ name: "ServerConnectionError" });
    proxy.accept();
    await until(() =>
      kv.exists("key").then(
        () => true,
        () => false,
      ),
    );
  }
}

describeWith("a pop that waits", lack, () => {
  test.each([true, false])("goes on behind broken connections, retryWrites: %s", async (retry) => {
    await open({ retryWrites: retry });
    const waiting = kv.popFirstWait("q");
    waiting.catch(() => {});
    await kv.exists("key");
    await blips();
    await push("1");
    expect(await waiting).toBe(1);
  });

  test("goes on when it comes while there is no connection", async () => {
    await open();
    const before = proxy.connections;
    proxy.cut({ refuse: true });
    await until(() => proxy.connections > before);
    const waiting = kv.popFirstWait("q");
    waiting.catch(() => {});
    await expect(kv.exists("key")).rejects.toMatchObject({ name: "ServerConnectionError" });
    await push("1");
    proxy.accept();
    expect(await waiting).toBe(1);
  });

  test("does not say that nothing came when nobody could look", async () => {
    await open();
    const before = proxy.connections;
    proxy.cut({ refuse: true });
    await until(() => proxy.connections > before);
    await expect(kv.popFirstWait("q", { timeout: 300 })).rejects.toMatchObject({
      name: "ServerConnectionError",
    });
  });

  test("ends when its pop was sent and nobody can say what it took", async () => {
    await open();
    proxy.withhold("_pop\r\n");
    await expect(kv.popFirstWait("q")).rejects.toMatchObject({ name: "OutcomeUnknownError" });
  });

  test("goes on when its pop was sent and writes are sent again", async () => {
    await open({ retryWrites: true, commandTimeout: 10_000 });
    await push("1");
    await push("2");
    proxy.withhold("\r\npop\r\n");
    expect(await kv.popFirstWait("q")).toBe(1);
    expect(await proxy.deliver()).toMatch(/j1/);
    expect(await kv.popFirstWait("q")).toBe(2);
  });

  test("ends when the application closes its client", async () => {
    const client = new Redis(server.port);
    await open({ client });
    const waiting = kv.popFirstWait("q");
    waiting.catch(() => {});
    await kv.exists("key");
    client.disconnect();
    await until(() => client.status === "end");
    await expect(waiting).rejects.toMatchObject({ name: "ServerConnectionError" });
  });
});
