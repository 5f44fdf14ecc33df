// Copies of a call that come late: something between client and server kept one, the connection broke,
// the call was sent again and answered, and then the first copy arrives.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { nodeEnv } from "../../../src/env/env.js";
import { type ValkeyOptions, valkeySettings } from "../../../src/kv/options/valkey-options.js";
import type { Argument, Reply } from "../../../src/remote/connection.js";
import { libraryWith } from "../../../src/remote/library.js";
import { isRepeatable, type Operation } from "../../../src/remote/operation-table.js";
import { openValkey } from "../../../src/remote/valkey/open-valkey.js";
import type { ValkeyConnection } from "../../../src/remote/valkey/valkey-connection.js";
import { describeWith, lackOfAny, type Server, startServer, until } from "../servers.js";
import { TcpProxy } from "../tcp-proxy.js";

const lack = lackOfAny();
let server: Server;
let proxy: TcpProxy;
let connection: ValkeyConnection;

beforeAll(async () => {
  if (lack === undefined) server = await startServer();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  if (lack !== undefined) return;
  await server.cli("flushall");
  proxy = await TcpProxy.to(server.port);
});
afterEach(async () => {
  proxy?.accept();
  await connection?.close();
  await proxy?.close();
});

async function open(options: ValkeyOptions = {}): Promise<void> {
  const settings = valkeySettings({ port: proxy.port, retryWrites: true, ...options });
  connection = await openValkey({ env: nodeEnv, settings, storeName: "s" });
  await call("open", 1, 1, 0);
  await connection.opened();
}

function call(operation: Operation, ...args: Argument[]): Promise<Reply> {
  return connection.call({ operation, partition: 0, args, isRead: isRepeatable(operation) });
}

async function increment(by: number): Promise<number> {
  return Number(Buffer.from((await call("increment", "n", by)) as Uint8Array).toString());
}

const stored = (key: string): Promise<string> => server.cli("hget", "anykv:{s:0}:v", key);
const records = (): Promise<string> => server.cli("keys", "anykv:{s:0}:r:*");
/** A name that only the next call has in it. */
const marked = "increment";

describeWith("a copy that comes late", lack, () => {
  test("is not carried out when its call was answered", async () => {
    await open();
    proxy.withhold(marked);
    expect(await increment(10)).toBe(10);
    expect(proxy.isWithholding).toBe(true);
    expect(await proxy.deliver()).toMatch(/^\$2\r\n10/);
    expect(await stored("n")).toBe("j10");
  });

  test("is not carried out when its slot has been taken by another call", async () => {
    await open();
    proxy.withhold(marked);
    expect(await increment(10)).toBe(10);
    expect(await increment(1)).toBe(11);
    expect(await proxy.deliver()).toMatch(/^-ANYKV_SUPERSEDED/);
    expect(await stored("n")).toBe("j11");
  });

  test("is not carried out when the server has forgotten the client", async () => {
    await open();
    proxy.withhold(marked);
    expect(await increment(10)).toBe(10);
    await server.cli("del", await records());
    expect(await proxy.deliver()).toMatch(/^-ANYKV_NOT_BEGUN/);
    expect(await increment(1)).toBe(11);
    expect(await stored("n")).toBe("j11");
  });

  test("is not carried out when its client has closed", async () => {
    await open();
    proxy.withhold(marked);
    expect(await increment(10)).toBe(10);
    await connection.close();
    expect(await records()).toBe("");
    expect(await proxy.deliver()).toMatch(/^-ANYKV_NOT_BEGUN/);
    expect(await stored("n")).toBe("j10");
  });

  test("is not carried out when its call was refused", async () => {
    await open();
    await call("push", "n", "first", "j1");
    proxy.withhold(marked);
    await expect(increment(10)).rejects.toThrow(/^ANYKV_WRONG_TYPE/);
    // By somebody else, so that no later call of the client takes the slot.
    await server.cli(
      "fcall",
      `${libraryWith("server").name}_delete_array`,
      "1",
      "anykv:{s:0}:v",
      "n",
    );
    expect(await proxy.deliver()).toMatch(/^-ANYKV_WRONG_TYPE/);
    expect(await stored("n")).toBe("");
  });

  test("is not carried out after something was read since its outcome became unknown", async () => {
    await open({ commandTimeout: 300 });
    proxy.withhold(marked, { refuse: true });
    const losing = increment(10);
    await expect(losing).rejects.toMatchObject({ name: "OutcomeUnknownError" });
    proxy.accept();
    await until(() =>
      call("get", "n").then(
        () => true,
        () => false,
      ),
    );
    expect(await proxy.deliver()).toMatch(/^-ANYKV_SUPERSEDED/);
    expect(await stored("n")).toBe("");
  });
});

describeWith("a client that the server has forgotten", lack, () => {
  test("begins again", async () => {
    await open();
    expect(await increment(1)).toBe(1);
    await server.cli("del", await records());
    const sums = await Promise.all(Array.from({ length: 2_000 }, () => increment(1)));
    expect(new Set(sums).size).toBe(2_000);
    expect(await stored("n")).toBe("j2001");
  });

  test("does not send a call again that may have been carried out", async () => {
    await open();
    proxy.withhold(marked, { refuse: true });
    const losing = increment(10);
    losing.catch(() => {});
    await until(() => proxy.isWithholding);
    await server.cli("del", await records());
    proxy.accept();
    await expect(losing).rejects.toMatchObject({ name: "OutcomeUnknownError" });
    expect(await increment(1)).toBe(1);
    expect(await proxy.deliver()).toMatch(/^-ANYKV_NOT_BEGUN/);
    expect(await stored("n")).toBe("j1");
  });

  test("is told when that happens again and again", async () => {
    await open();
    await server.cli("config", "set", "maxmemory-policy", "volatile-lru");
    await server.cli("config", "set", "maxmemory", "1");
    try {
      await expect(call("delete", "n")).rejects.toMatchObject({
        name: "ServerRefusedError",
        hint: expect.stringContaining("noeviction"),
      });
    } finally {
      await server.cli("config", "set", "maxmemory", "0");
      await server.cli("config", "set", "maxmemory-policy", "noeviction");
    }
  });
});

describeWith("the time of a call", lack, () => {
  test("goes on while it waits for its turn", async () => {
    await open({ commandTimeout: 300 });
    proxy.holdReplies();
    const calls = Array.from({ length: 3_000 }, () => increment(1));
    const began = performance.now();
    const outcomes = await Promise.allSettled(calls);
    expect(performance.now() - began).toBeLessThan(3_000);
    const names = outcomes.map((each) => each.status === "rejected" && each.reason.name);
    expect(names.filter((name) => name === "OutcomeUnknownError")).toHaveLength(1_024);
    // These were never sent.
    expect(names.filter((name) => name === "ServerConnectionError")).toHaveLength(3_000 - 1_024);
    proxy.cut();
    expect(await increment(0)).toBe(1_024);
  });
});

describeWith("closing", lack, () => {
  test("does not wait for a server that does not answer", async () => {
    await open({ commandTimeout: 0 });
    await increment(1);
    proxy.holdReplies();
    await connection.close();
  });
});

describeWith("where no memory is left", lack, () => {
  test("calls that are sent again make room, and write nothing else", async () => {
    await open();
    await call("set", "key", "j1");
    await call("push", "array", "first", "j1");
    await server.cli("config", "set", "maxmemory", "1");
    try {
      const refused = { name: "ServerRefusedError", hint: expect.stringContaining("maxmemory") };
      await expect(call("set", "other", "j1")).rejects.toMatchObject(refused);
      await expect(increment(1)).rejects.toMatchObject(refused);
      expect(await call("delete", "key", "")).toBe(1);
      expect(await call("delete", "key", "")).toBe(0);
      const popped = await call("pop", "array", "first", "j", "");
      expect(Buffer.from(popped as Uint8Array).toString()).toBe("j1");
      expect(await call("clear", "")).toBe(1);
    } finally {
      await server.cli("config", "set", "maxmemory", "0");
    }
    expect(await stored("other")).toBe("");
  });
});
