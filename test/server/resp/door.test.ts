// The door: who may come in and how far, what ends a connection, and what a client costs that does
// not read, or hardly writes.

import { virtualEnv } from "anykv/testing";
import { afterEach, describe, expect, test } from "vitest";
import type { Served } from "../../../src/kv/handle.js";
import type { ServedName } from "../../../src/server/functions/fcall.js";
import { functionCommands } from "../../../src/server/functions/function-commands.js";
import { type DoorBench, openDoor, request } from "./door-bench.js";

let bench: DoorBench;
afterEach(() => bench.close());

const functionsOf = (name: ServedName) => (served: Served) => functionCommands(served, name);
const kilobyte = "x".repeat(1_000);

describe("passwords", () => {
  const users = [
    { name: "reader", password: "r", readOnly: true },
    { name: "writer", password: "w" },
  ];

  test("no command is carried out before AUTH", async () => {
    bench = await openDoor({ password: "secret" });
    const client = bench.client();
    const commands = bench.door.table.commands.filter(({ flags }) => !flags.includes("no_auth"));
    for (const { name, arity } of commands) {
      const words = name.split("|");
      while (words.length < Math.abs(arity)) words.push("1");
      const reply = await bench.ask(client, request(...words));
      expect(reply, name).toMatch(
        name === "EXEC" ? /^-EXECABORT .*: NOAUTH/ : /^-NOAUTH Authentication required\.\r\n$/,
      );
    }
    expect(await bench.kv.count()).toBe(0);
  });

  test("what is called before AUTH is not looked at: the refusal would tell of the store", async () => {
    const commands = functionsOf({ prefix: "anykv", store: "hidden" });
    bench = await openDoor({ password: "secret" }, {}, { commands });
    const client = bench.client();
    for (const name of ["FCALL", "FCALL_RO"]) {
      for (const words of [
        ["anykv_get", "1", "x"],
        ["anykv_none", "0"],
        ["none", "x"],
        ["anykv_version", "0"],
      ]) {
        expect(await bench.ask(client, request(name, ...words))).toBe(
          "-NOAUTH Authentication required.\r\n",
        );
      }
    }
    await bench.ask(client, "AUTH secret\r\n");
    expect(await bench.ask(client, "FCALL anykv_get 1 x\r\n")).toMatch(
      /^-ANYKV_UNKNOWN_STORE .*hidden/,
    );
  });

  test("AUTH with the password, with a name, and with neither right", async () => {
    bench = await openDoor({ password: "secret", users });
    const client = bench.client();
    const wrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    expect(await bench.ask(client, "AUTH no\r\n")).toBe(wrong);
    expect(await bench.ask(client, "AUTH nobody secret\r\n")).toBe(wrong);
    expect(await bench.ask(client, "AUTH writer r\r\n")).toBe(wrong);
    expect(await bench.ask(client, "PING\r\n")).toMatch(/^-NOAUTH/);
    expect(await bench.ask(client, "AUTH secret\r\nPING\r\n")).toBe("+OK\r\n+PONG\r\n");
    expect(await bench.ask(client, "RESET\r\nPING\r\n")).toMatch(/^\+RESET\r\n-NOAUTH/);
    expect(await bench.ask(client, "AUTH writer w\r\nSET a 1\r\n")).toBe("+OK\r\n+OK\r\n");
    expect(bench.door.facts.counts.failedLogins).toBe(3);
  });

  test("HELLO can do both at once", async () => {
    bench = await openDoor({ password: "secret" });
    const client = bench.client();
    expect(await bench.ask(client, "HELLO 3\r\n")).toMatch(/^-NOAUTH HELLO must be called/);
    expect(await bench.ask(client, "HELLO 3 AUTH default no\r\nPING\r\n")).toMatch(/^-WRONGPASS/);
    const greeting = await bench.ask(client, "HELLO 3 AUTH default secret SETNAME me\r\n");
    expect(greeting).toMatch(/^%7\r\n\$6\r\nserver\r\n/);
    expect(await bench.ask(client, "CLIENT GETNAME\r\nGET none\r\n")).toBe("$2\r\nme\r\n_\r\n");
  });

  test("a read-only user writes nothing, in no way", async () => {
    bench = await openDoor({ users });
    const client = bench.client();
    await bench.ask(client, "AUTH reader r\r\n");
    await bench.kv.set("k", "v");
    const writing = bench.door.table.commands.filter(
      ({ flags, body }) => flags.includes("write") || body.kind === "write" || body.kind === "take",
    );
    expect(writing.length).toBeGreaterThan(30);
    for (const { name, arity } of writing) {
      const words = name.split("|");
      while (words.length < Math.abs(arity)) words.push("1");
      const reply = await bench.ask(client, request(...words));
      expect(reply, name).toBe(
        `-NOPERM User reader has no permissions to run the '${name.toLowerCase()}' command\r\n`,
      );
    }
    expect(await bench.ask(client, "GET k\r\n")).toBe("$1\r\nv\r\n");
    expect(await bench.ask(client, "CONFIG SET maxclients 1\r\n")).toMatch(/^-NOPERM/);
    expect(await bench.ask(client, "CLIENT KILL ID 1\r\n")).toMatch(/^-NOPERM/);
    const transaction = await bench.ask(client, "MULTI\r\nSET a 1\r\nEXEC\r\n");
    expect(transaction).toMatch(/^\+OK\r\n-NOPERM .*\r\n-EXECABORT/);
    expect(await bench.kv.count()).toBe(1);
  });
});

describe("limits", () => {
  test("more clients than may be are told so", async () => {
    bench = await openDoor({ clientsMax: 2 });
    const [first] = [bench.client(), bench.client()];
    const third = bench.client();
    await bench.env.idle();
    expect(third.take()).toBe("-ERR max number of clients reached\r\n");
    expect(third.isDestroyed).toBe(true);
    expect(await bench.ask(first, "PING\r\n")).toBe("+PONG\r\n");
    first.destroy();
    await bench.env.idle();
    expect(await bench.ask(bench.client(), "PING\r\n")).toBe("+PONG\r\n");
  });

  test("a protocol error is told behind the replies, and ends the connection", async () => {
    bench = await openDoor();
    const client = bench.client();
    expect(await bench.ask(client, "PING\r\n*1\r\n+x\r\nPING\r\n")).toBe(
      "+PONG\r\n-ERR Protocol error: expected '$', got '+'\r\n",
    );
    expect(client.isDestroyed).toBe(true);
    expect(bench.door.sessions.size).toBe(0);
  });

  test("a browser gets no further than its first line", async () => {
    bench = await openDoor();
    const client = bench.client();
    const text = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nSET a 1\r\n";
    expect(await bench.ask(client, text)).toBe("");
    expect(client.isDestroyed).toBe(true);
    expect(await bench.kv.count()).toBe(0);
  });

  test("a command that breaks ends its connection and nothing else", async () => {
    const body = {
      kind: "chosen",
      choose: () => {
        throw new TypeError("a fault of ours");
      },
    } as const;
    const broken = {
      name: "BROKEN",
      group: "server",
      arity: 1,
      flags: [],
      keys: [0, 0, 0],
    } as const;
    const facts = { syntax: "", summary: "", complexity: "", reply: [], body } as const;
    bench = await openDoor({}, {}, { commands: () => [{ ...broken, ...facts }] });
    const [client, other] = [bench.client(), bench.client()];
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    expect(await bench.ask(client, "PING\r\nBROKEN\r\nPING\r\n")).toBe(
      "+PONG\r\n-ERR internal error\r\n",
    );
    expect(String(await warned)).toMatch(/a fault of ours/);
    expect(client.isDestroyed).toBe(true);
    expect(await bench.ask(other, "PING\r\n")).toBe("+PONG\r\n");
  });

  test("an argument that is too long is refused before it comes", async () => {
    bench = await openDoor({ argumentLimit: "1KiB" });
    const client = bench.client();
    expect(await bench.ask(client, "*2\r\n$3\r\nGET\r\n$1025\r\n")).toBe(
      "-ERR Protocol error: invalid bulk length\r\n",
    );
  });

  test("a transaction that is too large is refused as a whole", async () => {
    bench = await openDoor({ requestLimit: "1KiB" });
    const client = bench.client();
    await bench.ask(client, "MULTI\r\n");
    expect(await bench.ask(client, `SET a ${"x".repeat(600)}\r\n`)).toBe("+QUEUED\r\n");
    expect(await bench.ask(client, `SET b ${"x".repeat(600)}\r\n`)).toBe(
      "-ERR the transaction is too large\r\n",
    );
    expect(await bench.ask(client, "EXEC\r\n")).toMatch(/^-EXECABORT/);
    expect(await bench.kv.count()).toBe(0);
  });
});

describe("slow clients", () => {
  test("who does not read is read no further, and cut off in the end", async () => {
    bench = await openDoor({ outputLimit: "64KiB", stallTimeout: "30s" });
    const client = bench.client();
    const other = bench.client();
    await bench.kv.set("k", kilobyte);
    client.stopsReading();
    for (let count = 0; count < 1_000; count++) client.sends("GET k\r\n".repeat(10));
    await bench.env.idle();
    const [session] = bench.door.sessions.values();
    expect(client.isPaused()).toBe(true);
    // Replies up to the limit and those that are put together, and the requests that have been sent.
    expect(session?.pendingOutputBytes).toBeLessThan(1_300_000);
    expect(await bench.ask(other, "PING\r\n")).toBe("+PONG\r\n");
    await bench.env.advance(29_000);
    expect(client.isDestroyed).toBe(false);
    await bench.env.advance(2_000);
    expect(client.isDestroyed).toBe(true);
    expect(bench.door.sessions.size).toBe(1);
    expect(bench.door.facts.counts.cutOff).toBe(1);
  });

  test("who reads slowly gets everything", async () => {
    bench = await openDoor({ outputLimit: "64KiB", stallTimeout: "30s" });
    const client = bench.client();
    await bench.kv.set("k", kilobyte);
    client.stopsReading();
    client.sends("GET k\r\n".repeat(5_000));
    for (let step = 0; step < 200 && client.received.length < 5_000 * 1_009; step++) {
      await bench.env.advance(20_000);
      client.reads(1);
      await bench.env.idle();
    }
    expect(client.take()).toBe(`$1000\r\n${kilobyte}\r\n`.repeat(5_000));
    expect(client.isPaused()).toBe(false);
    expect(await bench.env.armedTimers).toBe(1);
  });

  test("one byte a second is a client like any other", async () => {
    bench = await openDoor({ idleTimeout: "10s" });
    const client = bench.client();
    for (const byte of request("SET", "key", "value")) {
      client.sends(Uint8Array.of(byte));
      await bench.env.advance(1_000);
    }
    expect(client.take()).toBe("+OK\r\n");
    expect(await bench.kv.get("key")).toBe("value");
  });

  test("what waits for all clients together is bounded", async () => {
    bench = await openDoor({ bufferLimit: "100KiB" });
    const clients = Array.from({ length: 20 }, () => bench.client());
    for (const client of clients)
      client.sends(`*2\r\n$3\r\nSET\r\n$20000\r\n${"x".repeat(10_000)}`);
    await bench.env.idle();
    const left = clients.filter(({ isDestroyed }) => !isDestroyed);
    expect(left.length).toBeGreaterThan(5);
    expect(left.length).toBeLessThan(12);
  });

  test("who says nothing for long is let go, unless waiting for elements or messages", async () => {
    bench = await openDoor({ idleTimeout: "10s" });
    const [silent, waiting, subscribed, active] = Array.from({ length: 4 }, () => bench.client());
    waiting?.sends("BLPOP q 0\r\n");
    subscribed?.sends("SUBSCRIBE c\r\n");
    for (let second = 0; second < 12; second++) {
      active?.sends("PING\r\n");
      await bench.env.advance(1_000);
    }
    expect([silent, waiting, subscribed, active].map((client) => client?.isDestroyed)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test("a subscriber that does not read is cut off", async () => {
    bench = await openDoor({ subscriberLimit: "10KiB" });
    const [subscriber, publisher] = [bench.client(), bench.client()];
    await bench.ask(subscriber, "SUBSCRIBE c\r\n");
    subscriber.stopsReading();
    for (let count = 0; count < 20; count++) {
      await bench.ask(publisher, `PUBLISH c ${kilobyte}\r\n`);
    }
    expect(subscriber.isDestroyed).toBe(true);
    expect(await bench.ask(publisher, "PUBLISH c x\r\n")).toBe(":0\r\n");
  });

  test("nobody there: no timer", async () => {
    bench = await openDoor({ idleTimeout: "10s" });
    bench.client().leaves();
    await bench.env.advance(5_000);
    expect(bench.env.armedTimers).toBe(0);
  });
});

describe("the end", () => {
  test("who has nothing more to say still gets the replies", async () => {
    bench = await openDoor();
    const client = bench.client();
    client.sends("SET a 1\r\nGET a\r\n");
    client.leaves();
    await bench.env.idle();
    expect(client.take()).toBe("+OK\r\n$1\r\n1\r\n");
    expect(client.isDestroyed).toBe(true);
  });

  test("who has gone waits for nothing any more", async () => {
    bench = await openDoor();
    const client = bench.client();
    client.sends("BLPOP q 0\r\n");
    await bench.env.idle();
    client.destroy();
    await bench.env.idle();
    await bench.kv.append("q", 1);
    expect(await bench.kv.length("q")).toBe(1);
    expect(bench.door.sessions.size).toBe(0);
  });

  test("QUIT and CLIENT KILL", async () => {
    bench = await openDoor();
    const [first, second] = [bench.client(), bench.client()];
    expect(await bench.ask(first, "QUIT\r\nPING\r\n")).toBe("+OK\r\n");
    expect(first.isDestroyed).toBe(true);
    const id = /\d+/.exec(await bench.ask(second, "CLIENT ID\r\n"))?.[0];
    expect(await bench.ask(second, `CLIENT KILL ID ${id} SKIPME no\r\nPING\r\n`)).toBe(":1\r\n");
    expect(second.isDestroyed).toBe(true);
  });

  test("who leaves is noticed behind a wait, whatever was sent in the meantime", async () => {
    bench = await openDoor();
    const [left, greedy] = [bench.client(), bench.client()];
    left.sends("BLPOP q 0\r\n");
    for (let count = 0; count < 40; count++) left.sends("PING\r\n".repeat(10_000));
    await bench.env.idle();
    expect(left.isPaused()).toBe(false);
    left.leaves();
    await bench.env.idle();
    await bench.kv.append("q", "mine");
    expect(await bench.kv.range("q")).toStrictEqual(["mine"]);

    greedy.sends("BLPOP none 0\r\n");
    for (let count = 0; count < 300; count++) greedy.sends("PING\r\n".repeat(10_000));
    expect(greedy.isDestroyed).toBe(true);
  });

  test("closing finishes what has been received, and ends waits", async () => {
    bench = await openDoor();
    const [busy, waiting, idle] = Array.from({ length: 3 }, () => bench.client());
    waiting?.sends("BLPOP q 0\r\nPING\r\n");
    await bench.env.idle();
    busy?.sends("SET a 1\r\nINCR a\r\n");
    const closing = bench.door.close(1_000);
    busy?.sends("INCR a\r\n");
    await closing;
    expect(busy?.take()).toBe("+OK\r\n:2\r\n:3\r\n");
    expect(waiting?.take()).toBe("-UNBLOCKED the server is shutting down\r\n+PONG\r\n");
    expect(idle?.isDestroyed).toBe(true);
    const late = bench.client();
    await bench.env.idle();
    expect(late.isDestroyed).toBe(true);
  });

  test("closing waits no longer than it may for who does not read", async () => {
    bench = await openDoor();
    const client = bench.client();
    client.stopsReading();
    client.sends("PING\r\n");
    const closing = bench.door.close(1_000);
    await bench.env.advance(999);
    expect(client.isDestroyed).toBe(false);
    await bench.env.advance(1);
    await closing;
    expect(client.isDestroyed).toBe(true);
  });
});

test("whoever sends much lets others have their turn", async () => {
  const env = virtualEnv();
  let ms = 0;
  // Every look at the clock takes longer than a turn.
  const ticking = { ...env, clock: { now: () => env.clock.now(), monotonic: () => (ms += 100) } };
  bench = await openDoor({}, { env: ticking });
  const [busy, other] = [bench.client(), bench.client()];
  busy.sends("MGET a\r\nMGET a\r\nGET a\r\nMGET a\r\n");
  other.sends("PING\r\n");
  const nothing = "*1\r\n$-1\r\n";
  expect([busy.take(), other.take()]).toStrictEqual([nothing, "+PONG\r\n"]);
  busy.sends("PING\r\n");
  busy.leaves();
  await env.idle();
  expect(busy.take()).toBe(`${nothing}$-1\r\n${nothing}+PONG\r\n`);
});
