// The connection to a single server: what becomes of calls when connections break, answers are lost,
// the library vanishes or time is up. Nothing that may have happened happens twice.

import { openKv } from "anykv";
import { Redis } from "iovalkey";
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
let connections: ValkeyConnection[] = [];

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
  await Promise.all(connections.map((connection) => connection.close()));
  connections = [];
  await proxy?.close();
});

async function open(options: ValkeyOptions = {}): Promise<ValkeyConnection> {
  const place = options.client === undefined ? { port: proxy.port } : {};
  const settings = valkeySettings({ ...place, ...options });
  const connection = await openValkey({ env: nodeEnv, settings, storeName: "s" });
  connections.push(connection);
  await call(connection, "open", 1, 1, 0);
  await connection.opened();
  return connection;
}

function call(
  connection: ValkeyConnection,
  operation: Operation,
  ...args: Argument[]
): Promise<Reply> {
  return connection.call({ operation, partition: 0, args, isRead: isRepeatable(operation) });
}

/** What the server has stored under a key, asked beside the connection. */
const stored = (key: string): Promise<string> => server.cli("hget", "anykv:{s:0}:v", key);
/** Whether a call gets through. */
const isAnswered = (connection: ValkeyConnection): Promise<boolean> =>
  call(connection, "get", "key").then(
    () => true,
    () => false,
  );
const textOf = (reply: Reply): string => Buffer.from(reply as Uint8Array).toString();

describeWith("a call whose answer is lost", lack, () => {
  async function lose(connection: ValkeyConnection, operation: Operation, ...args: Argument[]) {
    const calling = call(connection, operation, ...args);
    calling.catch(() => {});
    return calling;
  }

  test("rejects when it may have been carried out, and is not sent again", async () => {
    const connection = await open();
    proxy.holdReplies();
    const losing = lose(connection, "increment", "n", 1);
    await until(async () => (await stored("n")) === "j1");
    proxy.cut();
    await expect(losing).rejects.toMatchObject({
      name: "OutcomeUnknownError",
      message: expect.stringContaining("increment was sent and not answered"),
    });
    expect(textOf(await call(connection, "get", "n"))).toBe("j1");
    expect(await stored("n")).toBe("j1");
  });

  test("is sent again when it reads", async () => {
    const connection = await open();
    await call(connection, "set", "key", "j1");
    const before = proxy.connections;
    proxy.holdReplies();
    const losing = lose(connection, "get", "key");
    await new Promise((resolve) => setImmediate(resolve));
    proxy.cut();
    expect(textOf(await losing)).toBe("j1");
    expect(proxy.connections).toBeGreaterThan(before);
  });

  test("is sent again when it opens a store", async () => {
    proxy.cutBehind("_open\r\n");
    const valkey = { port: proxy.port };
    await using kv = openKv({ backend: "valkey", name: "opened", valkey });
    await kv.set("key", 1);
    expect(await kv.get("key")).toBe(1);
    expect(proxy.connections).toBe(2);
  });

  test("is carried out once when writes are retried", async () => {
    const connection = await open({ retryWrites: true });
    proxy.holdReplies();
    const losing = lose(connection, "increment", "n", 1);
    await until(async () => (await stored("n")) === "j1");
    proxy.cut();
    expect(Number(textOf(await losing))).toBe(1);
    expect(await stored("n")).toBe("j1");
  });

  test("is carried out once also among more calls than the server keeps answers of", async () => {
    const connection = await open({ retryWrites: true });
    const count = 5_000;
    const calls = Array.from({ length: count }, () => call(connection, "increment", "n", 1));
    await until(async () => Number((await stored("n")).slice(1)) > 0);
    proxy.cut();
    const replies = (await Promise.all(calls)).map((reply) => Number(textOf(reply)));
    expect(new Set(replies).size).toBe(count);
    expect(await stored("n")).toBe(`j${count}`);
  });

  test("by a client of the application is not sent again either", async () => {
    const client = new Redis({ host: "127.0.0.1", port: proxy.port });
    client.on("error", () => {});
    const connection = await open({ client });
    proxy.holdReplies();
    const losing = lose(connection, "increment", "n", 1);
    await until(async () => (await stored("n")) === "j1");
    proxy.cut();
    await expect(losing).rejects.toMatchObject({ name: "OutcomeUnknownError" });
    expect(textOf(await call(connection, "get", "n"))).toBe("j1");
    await connection.close();
    expect(await client.ping()).toBe("PONG");
    client.disconnect();
  });

  test("when nothing answers for the time of a command", async () => {
    const connection = await open({ commandTimeout: 200 });
    proxy.holdReplies();
    await expect(lose(connection, "increment", "n", 1)).rejects.toMatchObject({
      name: "OutcomeUnknownError",
    });
    proxy.holdReplies();
    await expect(lose(connection, "get", "n")).rejects.toMatchObject({
      name: "ServerConnectionError",
      message: expect.stringContaining("no answer"),
    });
    proxy.cut();
    expect(textOf(await call(connection, "get", "n"))).toBe("j1");
  });
});

describeWith("a call without a connection", lack, () => {
  test("waits for one", async () => {
    const connection = await open();
    let reconnects = 0;
    connection.onReconnect(() => reconnects++);
    proxy.cut({ refuse: true });
    const before = proxy.connections;
    await until(() => proxy.connections > before);
    const calls = [call(connection, "increment", "n", 1), call(connection, "increment", "n", 1)];
    proxy.accept();
    expect((await Promise.all(calls)).map((reply) => Number(textOf(reply)))).toEqual([1, 2]);
    expect(reconnects).toBe(1);
  });

  test("rejects when its time is up, and has changed nothing", async () => {
    const connection = await open({ commandTimeout: 500 });
    proxy.cut({ refuse: true });
    const before = proxy.connections;
    await until(() => proxy.connections > before);
    await expect(call(connection, "set", "key", "j1")).rejects.toMatchObject({
      name: "ServerConnectionError",
    });
    proxy.accept();
    await until(() => isAnswered(connection));
    expect(textOf(await call(connection, "get", "key"))).toBe("");
  });

  test("rejects when the store closes", async () => {
    const connection = await open();
    proxy.cut({ refuse: true });
    const before = proxy.connections;
    await until(() => proxy.connections > before);
    const waiting = call(connection, "set", "key", "j1");
    const closed = connection.close();
    await expect(waiting).rejects.toMatchObject({ name: "ServerConnectionError" });
    await closed;
    await expect(call(connection, "get", "key")).rejects.toMatchObject({
      name: "StoreClosedError",
    });
  });

  test("rejects with what the server has against the new connection", async () => {
    const connection = await open({ commandTimeout: 300 });
    await server.cli("config", "set", "requirepass", "new");
    try {
      const before = proxy.connections;
      proxy.cut();
      await until(() => proxy.connections > before);
      await expect(call(connection, "set", "key", "j1")).rejects.toMatchObject({
        name: "ServerAccessError",
      });
    } finally {
      await server.cli("-a", "new", "--no-auth-warning", "config", "set", "requirepass", "");
    }
    await until(() => isAnswered(connection));
  });

  test("by a client that the application has closed rejects at once", async () => {
    const client = new Redis({ host: "127.0.0.1", port: proxy.port });
    const connection = await open({ client, commandTimeout: 0 });
    await client.quit();
    await until(() => client.status === "end");
    await expect(call(connection, "get", "key")).rejects.toMatchObject({
      name: "ServerConnectionError",
    });
  });
});

describeWith("a server that refuses", lack, () => {
  test("for lack of memory changes nothing, and goes on reading", async () => {
    const connection = await open();
    await call(connection, "set", "key", "j1");
    await server.cli("config", "set", "maxmemory", "1");
    try {
      await expect(call(connection, "set", "key", "j2")).rejects.toMatchObject({
        name: "ServerRefusedError",
        hint: expect.stringContaining("maxmemory"),
      });
      expect(textOf(await call(connection, "get", "key"))).toBe("j1");
    } finally {
      await server.cli("config", "set", "maxmemory", "0");
    }
    await call(connection, "set", "key", "j3");
  });

  test("because it has become a replica is told apart, and asked again when it is none", async () => {
    const connection = await open({ commandTimeout: 500 });
    await server.cli("replicaof", "127.0.0.1", "1");
    try {
      await expect(call(connection, "set", "key", "j1")).rejects.toMatchObject({
        hint: expect.stringContaining("primary"),
      });
      await expect(call(connection, "set", "key", "j1")).rejects.toMatchObject({
        hint: expect.stringContaining("primary"),
      });
    } finally {
      await server.cli("replicaof", "no", "one");
    }
    await until(() =>
      call(connection, "set", "key", "j2").then(
        () => true,
        () => false,
      ),
    );
  });

  test("with an error of the library keeps its text", async () => {
    const connection = await open();
    await call(connection, "push", "array", "first", "j1");
    await expect(call(connection, "get", "array")).rejects.toThrow(/^ANYKV_/);
  });
});

describeWith("the library", lack, () => {
  const { name, digest } = libraryWith("server");

  test("is loaded again when it has been flushed", async () => {
    const connection = await open();
    await server.cli("function", "flush", "sync");
    const calls = Array.from({ length: 100 }, () => call(connection, "increment", "n", 1));
    expect((await Promise.all(calls)).map((reply) => Number(textOf(reply))).at(-1)).toBe(100);
    expect(await server.cli("fcall", `${name}_version`, "0")).toBe(digest);
  });

  test("is loaded where only another version of it is left", async () => {
    const connection = await open();
    await server.cli("function", "flush", "sync");
    await server.cli("function", "load", libraryOf("anykv_0123456789"));
    await call(connection, "increment", "n", 1);
    expect(await stored("n")).toBe("j1");
    // Its clients go on with theirs.
    expect(await server.cli("fcall", "anykv_0123456789_get", "0")).toBe("1");
    await server.cli("function", "flush", "sync");
  });

  test("of its name that is of somebody else is left alone", async () => {
    await server.cli("function", "flush", "sync");
    await server.cli("function", "load", libraryOf(name));
    await expect(open()).rejects.toMatchObject({ name: "ServerUnsuitableError" });
    expect(await server.cli("fcall", `${name}_get`, "0")).toBe("1");
    await server.cli("function", "flush", "sync");
  });

  test("serves as a script, also after SCRIPT FLUSH", async () => {
    await server.cli("acl", "setuser", "worker", "on", ">x", "+@all", "-fcall", "-function", "~*");
    const connection = await open({ username: "worker", password: "x" });
    await call(connection, "increment", "n", 1);
    await server.cli("script", "flush");
    const calls = Array.from({ length: 50 }, () => call(connection, "increment", "n", 1));
    expect(
      (await Promise.all(calls))
        .map((reply) => Number(textOf(reply)))
        .toSorted((a, b) => a - b)
        .at(-1),
    ).toBe(51);
  });
});

/** A library that can do hardly anything. */
function libraryOf(library: string): string {
  const register = `redis.register_function("${library}_get", function() return 1 end)`;
  return `#!lua name=${library}\n${register}`;
}

describeWith("calls", lack, () => {
  test("carry every byte, there and back", async () => {
    const connection = await open();
    const bytes = Uint8Array.from({ length: 512 }, (_, index) => index % 256);
    const value = Buffer.concat([Buffer.from("b"), bytes]);
    await call(connection, "set", "key ö 😀\r\n", value);
    expect(Buffer.from((await call(connection, "get", "key ö 😀\r\n")) as Uint8Array)).toEqual(
      value,
    );
  });

  test("of one partition arrive in their order", async () => {
    const connection = await open();
    const names = Array.from({ length: 2_000 }, (_, index) => `j${index}`);
    await Promise.all(names.map((name) => call(connection, "push", "array", "last", name)));
    const length = Number(
      await server.cli("llen", (await server.cli("keys", "*l:*")).split("\n")[0] ?? ""),
    );
    expect(length).toBe(2_000);
    const array = await server.cli("lrange", await server.cli("keys", "*l:*"), "0", "-1");
    expect(array.split("\n")).toEqual(names);
  });

  test("under way when the store closes are answered", async () => {
    const connection = await open();
    const calls = Array.from({ length: 100 }, () => call(connection, "increment", "n", 1));
    await connection.close();
    expect(await Promise.all(calls)).toHaveLength(100);
  });

  test("touch no key of another store or prefix", async () => {
    await server.cli("set", "anykv:{t:0}:v", "foreign");
    await server.cli("set", "other", "foreign");
    const connection = await open();
    await call(connection, "set", "key", "j1");
    await call(connection, "clear", "");
    expect(await server.cli("get", "anykv:{t:0}:v")).toBe("foreign");
    expect(await server.cli("get", "other")).toBe("foreign");
  });
});
