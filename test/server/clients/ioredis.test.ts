// ioredis and iovalkey, as they come from npm, at our doors and at a Valkey.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis as IoRedis, type RedisOptions } from "ioredis";
import { Redis as IoValkey } from "iovalkey";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Certificates, lackOfOpenssl, makeCertificates } from "../../remote/certificates.js";
import { describeWith, lackOf } from "../../remote/servers.js";
import { type ClientServer, everyPlace, heard, type Place } from "./places.js";

type Create = (options: RedisOptions) => IoRedis;

const libraries: readonly [name: string, create: Create][] = [
  ["ioredis", (options) => new IoRedis({ ...options, protocol: 2, replyMapping: "legacy" })],
  [
    "ioredis in RESP3",
    (options) => new IoRedis({ ...options, protocol: 3, replyMapping: "legacy" }),
  ],
  // What is called here is the same in both.
  ["iovalkey", (options) => new IoValkey(options as object) as unknown as IoRedis],
];

const host = "127.0.0.1";
const binary = Buffer.from("naïve €😀\0\r\n");

for (const place of everyPlace()) {
  const lack = place.isOurs ? undefined : lackOf("valkey");
  describeWith(`at ${place.name}`, lack, () => {
    afterAll(() => place.close());
    for (const [name, create] of libraries) describe(name, () => tests(place, create));
  });
}

function tests(place: Place, create: Create): void {
  let directory: string;
  let server: ClientServer;
  let client: IoRedis;
  const clients: IoRedis[] = [];

  function connected(options: RedisOptions): IoRedis {
    const made = create({ host, retryStrategy: () => 20, ...options });
    // Connections that end with their server are told of.
    made.on("error", () => {});
    clients.push(made);
    return made;
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "anykv-ioredis-"));
    server = await place.start({ path: join(directory, "socket") });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(async () => {
    client = connected({ port: server.port });
    await client.flushall();
  });
  afterEach(() => {
    for (const made of clients.splice(0)) made.disconnect();
  });

  test("strings and counters", async () => {
    expect(await client.set("a", "1", "EX", 100, "NX")).toBe("OK");
    expect(await client.set("a", "2", "NX")).toBeNull();
    expect(await client.ttl("a")).toBeGreaterThan(90);
    expect(await client.incrby("a", 41)).toBe(42);
    expect(await client.incrbyfloat("a", 0.5)).toBe("42.5");
    expect(await client.mset({ b: "x", c: "y" })).toBe("OK");
    expect(await client.mget("b", "missing", "c")).toEqual(["x", null, "y"]);
    await client.set("text", binary);
    expect(await client.getBuffer("text")).toEqual(binary);
    expect(await client.getdel("text")).toBe(binary.toString());
    expect(await client.exists("text", "b")).toBe(1);
    await expect(client.incr("b")).rejects.toThrow("ERR value is not an integer or out of range");
  });

  test("lists, and waiting for them", async () => {
    await client.rpush("list", "a", "b", "c");
    expect(await client.lrange("list", 0, -1)).toEqual(["a", "b", "c"]);
    expect(await client.lpop("list", 2)).toEqual(["a", "b"]);
    const other = connected({ port: server.port });
    const popped = client.blpop("none", "queue", 0);
    await other.rpush("queue", "job");
    expect(await popped).toEqual(["queue", "job"]);
    const moved = client.blmove("queue", "done", "LEFT", "RIGHT", 0);
    await other.rpush("queue", "next");
    expect(await moved).toBe("next");
    expect(await client.brpop("queue", 0.01)).toBeNull();
    expect(await client.lmpop(1, "done", "LEFT")).toEqual(["done", ["next"]]);
  });

  test("hashes", async () => {
    expect(await client.hset("hash", { name: "Ann", age: "41" })).toBe(2);
    expect(await client.hgetall("hash")).toEqual({ name: "Ann", age: "41" });
    expect(await client.hincrby("hash", "age", 1)).toBe(42);
    expect(await client.hmget("hash", "age", "none")).toEqual(["42", null]);
    expect(await client.hgetall("none")).toEqual({});
    const [cursor, page] = await client.hscan("hash", 0);
    expect([cursor, page]).toEqual(["0", ["name", "Ann", "age", "42"]]);
  });

  test("sets", async () => {
    expect(await client.sadd("set", "a", "b", "a")).toBe(2);
    expect((await client.smembers("set")).sort()).toEqual(["a", "b"]);
    expect(await client.sismember("set", "b")).toBe(1);
    expect(await client.smismember("set", "a", "z")).toEqual([1, 0]);
    await client.sadd("other", "b", "c");
    expect(await client.sinter("set", "other")).toEqual(["b"]);
    expect(["a", "b"]).toContain(await client.spop("set"));
    expect(await client.scard("set")).toBe(1);
  });

  test("transactions, watched keys, pipelines", async () => {
    expect(await client.multi().set("n", 1).incr("n").get("n").exec()).toEqual([
      [null, "OK"],
      [null, 2],
      [null, "2"],
    ]);
    await client.watch("n");
    await connected({ port: server.port }).incr("n");
    expect(await client.multi().set("n", 0).exec()).toBeNull();
    await client.watch("n");
    expect(await client.multi().get("n").exec()).toEqual([[null, "3"]]);
    const broken = client.multi().set("n", 1).call("nope", "x").exec();
    await expect(broken).rejects.toThrow("EXECABORT");
    const pipeline = client.pipeline();
    for (let number = 0; number < 1_000; number++) pipeline.incr("n");
    const replies = await pipeline.exec();
    expect(replies?.at(-1)).toEqual([null, 1_003]);
    const automatic = connected({ port: server.port, enableAutoPipelining: true });
    const numbers = await Promise.all(Array.from({ length: 100 }, () => automatic.incr("m")));
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });

  test("messages", async () => {
    const listener = connected({ port: server.port });
    const messages: unknown[] = [];
    listener.on("message", (...message) => messages.push(message));
    listener.on("pmessage", (...message) => messages.push(message));
    expect(await listener.subscribe("news", "sport")).toBe(2);
    expect(await listener.psubscribe("w*")).toBe(3);
    expect(await client.publish("news", "é€😀")).toBe(1);
    expect(await client.publish("weather", "rain")).toBe(1);
    expect(await heard(messages, 2)).toEqual([
      ["news", "é€😀"],
      ["w*", "weather", "rain"],
    ]);
    expect(await client.pubsub("NUMSUB", "news")).toEqual(["news", 1]);
    expect(await listener.unsubscribe("news", "sport")).toBe(1);
    expect(await listener.punsubscribe()).toBe(0);
    expect(await listener.get("none")).toBeNull();
  });

  test("streams of keys, fields and members", async () => {
    const numbers = Array.from({ length: 500 }, (_, index) => String(index));
    await client.mset(new Map(numbers.map((number) => [`key:${number}`, number])));
    await client.sadd("set", ...numbers);
    await client.hset("hash", Object.fromEntries(numbers.map((number) => [`f${number}`, number])));
    const all = async (stream: AsyncIterable<string[]>): Promise<Set<string>> => {
      const found = new Set<string>();
      for await (const page of stream) for (const one of page) found.add(one);
      return found;
    };
    const keys = await all(client.scanStream({ match: "key:*", count: 50 }));
    expect(keys).toEqual(new Set(numbers.map((number) => `key:${number}`)));
    expect(await all(client.sscanStream("set"))).toEqual(new Set(numbers));
    expect((await all(client.hscanStream("hash"))).size).toBe(1_000);
    expect(await all(client.scanStream({ type: "hash" }))).toEqual(new Set(["hash"]));
  });

  test.runIf(place.isOurs)("functions", async () => {
    const place = "anykv:{:0}:v";
    expect(await client.fcall("anykv_version", 0)).toBe(1);
    expect(await client.fcall("anykv_increment", 1, place, "n", "5")).toBe("5");
    expect(await client.fcall_ro("anykv_get", 1, place, "n")).toBe("j5");
    await expect(client.fcall("anykv_none", 1, place)).rejects.toThrow("ANYKV_UNKNOWN_OPERATION");
  });

  test("reconnects after a restart, and listens again", async () => {
    const listener = connected({ port: server.port });
    const messages: unknown[] = [];
    listener.on("message", (...message) => messages.push(message));
    await listener.subscribe("news");
    await client.set("a", "1");
    const listening = new Promise((resolve) => {
      listener.once("ready", () => void listener.ping().then(resolve, resolve));
    });
    await server.restart();
    expect(await client.set("a", "2")).toBe("OK");
    expect(await client.get("a")).toBe("2");
    await listening;
    while ((await client.publish("news", "again")) === 0);
    expect((await heard(messages, 1))[0]).toEqual(["news", "again"]);
  });

  test("a socket", async () => {
    const path = join(directory, "socket");
    expect(await connected({ path }).echo("here")).toBe("here");
  });

  test("a password", async () => {
    const locked = await place.start({ password: "sesame" });
    try {
      const { port } = locked;
      expect(await connected({ port, password: "sesame" }).ping()).toBe("PONG");
      const both = { username: "default", password: "sesame" };
      expect(await connected({ port, ...both }).ping()).toBe("PONG");
      const never = { retryStrategy: () => null };
      const wrong = connected({ port, password: "wrong", ...never });
      await expect(wrong.get("a")).rejects.toThrow();
      const nobody = connected({ port, ...never, enableReadyCheck: false });
      await expect(nobody.get("a")).rejects.toThrow("NOAUTH");
    } finally {
      await locked.stop();
    }
  });

  test.skipIf(lackOfOpenssl() !== undefined)("TLS", async () => {
    const certificates: Certificates = makeCertificates();
    const secure = await place.start({ tls: certificates });
    try {
      const { port } = secure;
      const trusting = connected({ port, tls: { ca: certificates.ca } });
      expect(await trusting.set("a", "b".repeat(100_000))).toBe("OK");
      expect((await trusting.get("a"))?.length).toBe(100_000);
      const never = { retryStrategy: () => null, maxRetriesPerRequest: 0 };
      await expect(connected({ port, tls: {}, ...never }).get("a")).rejects.toThrow();
    } finally {
      for (const made of clients.splice(0)) made.disconnect();
      await secure.stop();
      certificates.remove();
    }
  });
}
