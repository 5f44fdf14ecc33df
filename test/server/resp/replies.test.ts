// Replies: those of pipelines leave together at the end of a turn of the event loop, nothing overtakes
// them, and what is kept for a client is what it has not read.

import { afterEach, describe, expect, test } from "vitest";
import { type DoorBench, openDoor } from "./door-bench.js";

let bench: DoorBench;
afterEach(() => bench.close());

const subscribed = "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
const message = "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n";

test("what comes in pieces within one turn is answered with one write for each client", async () => {
  bench = await openDoor();
  const clients = Array.from({ length: 20 }, () => bench.client());
  for (let piece = 0; piece < 5; piece++) {
    for (const client of clients) client.sends("INCR n\r\nPING\r\n");
  }
  expect(clients.every(({ received }) => received === "")).toBe(true);
  await bench.env.idle();
  for (const client of clients) {
    expect(client.writes).toBe(1);
    expect(client.received).toMatch(/^(?::\d+\r\n\+PONG\r\n){5}$/);
  }
  expect(await bench.kv.get("n")).toBe(100);
});

test("a single request is answered at once", async () => {
  bench = await openDoor();
  const client = bench.client();
  client.sends("PING\r\n");
  expect(client.received).toBe("+PONG\r\n");
});

test("large replies do not wait for others", async () => {
  bench = await openDoor();
  const client = bench.client();
  await bench.ask(client, `SET v ${"x".repeat(20_000)}\r\n`);
  client.sends("GET v\r\nPING\r\n");
  expect(client.received.length).toBeGreaterThan(20_000);
});

test("a message does not overtake the replies before it, nor those of its own connection", async () => {
  bench = await openDoor();
  const [subscriber, publisher] = [bench.client(), bench.client()];
  subscriber.sends("PING\r\nSUBSCRIBE c\r\n");
  publisher.sends("PUBLISH c m\r\n");
  expect(subscriber.received).toBe(`+PONG\r\n${subscribed}${message}`);
  await bench.env.idle();
  expect(subscriber.take()).toBe(`+PONG\r\n${subscribed}${message}`);
  publisher.take();
  expect(await bench.ask(publisher, "PUBLISH c m\r\nPING\r\n")).toBe(":1\r\n+PONG\r\n");
});

test("who is gone before the turn ends leaves nothing behind", async () => {
  bench = await openDoor();
  const client = bench.client();
  client.sends("SET a 1\r\nPING\r\n");
  client.destroy();
  await bench.env.idle();
  expect(client.received).toBe("");
  expect(bench.door.stalled.size).toBe(0);
  expect(bench.door.sessions.size).toBe(0);
  expect(await bench.kv.get("a")).toBe("1");
});

test("who does not read is known to be stalled once the replies have been handed over", async () => {
  bench = await openDoor();
  const client = bench.client();
  client.stopsReading();
  client.sends("PING\r\nPING\r\n");
  await bench.env.idle();
  expect(bench.door.stalled.size).toBe(1);
  client.reads();
  await bench.env.idle();
  expect(bench.door.stalled.size).toBe(0);
});

test("replies that are switched off are none, and those behind them come", async () => {
  bench = await openDoor();
  const client = bench.client();
  client.sends("CLIENT REPLY OFF\r\nPING\r\nPING\r\nCLIENT REPLY ON\r\nPING\r\n");
  await bench.env.idle();
  expect(client.take()).toBe("+OK\r\n+PONG\r\n");
  client.sends("CLIENT REPLY SKIP\r\nPING\r\nPING\r\n");
  await bench.env.idle();
  expect(client.take()).toBe("+PONG\r\n");
});

describe("who has read everything", () => {
  test("is not taken for stalled, whatever was written while something waited", async () => {
    bench = await openDoor();
    const client = bench.client();
    client.stopsReading();
    for (let count = 0; count < 3; count++) client.sends("PING\r\n");
    await bench.env.idle();
    client.reads(2);
    await bench.env.idle();
    client.reads();
    await bench.env.idle();
    expect(bench.door.stalled.size).toBe(0);
    await bench.env.advance(120_000);
    expect(client.isDestroyed).toBe(false);
  });

  test("is listened to again", async () => {
    bench = await openDoor({ outputLimit: 1024 });
    const [subscriber, publisher] = [bench.client(), bench.client()];
    await bench.ask(subscriber, "SUBSCRIBE c\r\n");
    subscriber.stopsReading();
    for (let count = 0; count < 3; count++) {
      await bench.ask(publisher, `PUBLISH c ${"x".repeat(800)}\r\n`);
    }
    expect(subscriber.isPaused()).toBe(true);
    subscriber.reads(2);
    await bench.env.idle();
    subscriber.reads();
    await bench.env.idle();
    expect(subscriber.isPaused()).toBe(false);
  });
});

describe("what is buffered for clients", () => {
  const unfinished = `*2\r\n$3\r\nGET\r\n$50000\r\n${"x".repeat(40_000)}`;

  test.each([
    ["waits for elements", `BLPOP k 0\r\n${unfinished}`],
    ["is in the middle of a request", unfinished],
  ])("is given back when one leaves who %s", async (_, bytes) => {
    // Room for one of them.
    bench = await openDoor({ bufferLimit: "100KiB" });
    for (let count = 0; count < 10; count++) {
      const client = bench.client();
      client.sends(bytes);
      await bench.env.idle();
      expect(client.isDestroyed).toBe(false);
      client.destroy();
      await bench.env.idle();
    }
    expect(bench.door.facts.counts.cutOff).toBe(0);
  });
});

test("a message to who has said QUIT costs no reply", async () => {
  bench = await openDoor();
  const [subscriber, publisher] = [bench.client(), bench.client()];
  await bench.ask(subscriber, `HELLO 3\r\nSET v ${"x".repeat(20_000)}\r\nSUBSCRIBE c\r\n`);
  subscriber.stopsReading();
  subscriber.sends("GET v\r\nQUIT\r\n");
  await bench.ask(publisher, "PUBLISH c m\r\n");
  subscriber.reads();
  await bench.env.idle();
  expect(subscriber.take()).toBe(`$20000\r\n${"x".repeat(20_000)}\r\n+OK\r\n`);
});

test("who is cut off is so once", async () => {
  bench = await openDoor({ subscriberLimit: "10KiB" });
  const [subscriber, publisher] = [bench.client(), bench.client()];
  await bench.ask(subscriber, "SUBSCRIBE c\r\n");
  subscriber.stopsReading();
  publisher.sends(`PUBLISH c ${"x".repeat(4_000)}\r\n`.repeat(12));
  await bench.env.idle();
  expect(subscriber.isDestroyed).toBe(true);
  expect(bench.door.facts.counts.cutOff).toBe(1);
});

test("commands are counted when they are called, and not when they are asked about", async () => {
  bench = await openDoor();
  const client = bench.client();
  await bench.ask(client, "COMMAND GETKEYS SET a 1\r\nGET a\r\nget a\r\nGET\r\n");
  const called = bench.door.table.entries.filter(({ calls }) => calls > 0);
  expect(called.map(({ name, calls }) => [name, calls]).sort()).toEqual([
    ["COMMAND", 1],
    ["GET", 2],
  ]);
});
