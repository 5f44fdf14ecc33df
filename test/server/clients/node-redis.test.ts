// node-redis, as it comes from npm, in RESP2 and RESP3, at our doors and at a Valkey.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createClient,
  createClientPool,
  RESP_TYPES,
  type RedisClientOptions,
  WatchError,
} from "@redis/client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { lackOfOpenssl, makeCertificates } from "../../remote/certificates.js";
import { describeWith, lackOf } from "../../remote/servers.js";
import { type ClientServer, everyPlace, heard, type Place } from "./places.js";

const host = "127.0.0.1";

/** What is called here is the same in both protocols, and so are its results. */
const newClient = (options: RedisClientOptions, protocol: 2 | 3) =>
  createClient({ ...options, RESP: protocol as 3 });
type Client = ReturnType<typeof newClient>;

for (const place of everyPlace()) {
  const lack = place.isOurs ? undefined : lackOf("valkey");
  describeWith(`node-redis at ${place.name}`, lack, () => {
    afterAll(() => place.close());
    for (const protocol of [2, 3] as const) {
      describe(`RESP${protocol}`, () => tests(place, protocol));
    }
  });
}

function tests(place: Place, protocol: 2 | 3): void {
  let directory: string;
  let server: ClientServer;
  let client: Client;
  const clients: Client[] = [];

  /** Connected or about to be: what is called meanwhile waits. */
  function begun(options: RedisClientOptions): Client {
    const made = newClient(options, protocol);
    // Connections that end with their server are told of.
    made.on("error", () => {});
    clients.push(made);
    return made;
  }

  function connected(options: RedisClientOptions = {}): Promise<Client> {
    return begun({ socket: { host, port: server.port }, ...options }).connect();
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "anykv-node-redis-"));
    server = await place.start({ path: join(directory, "socket") });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(async () => {
    client = await connected({ name: "tester" });
    await client.flushAll();
  });
  afterEach(() => {
    for (const made of clients.splice(0)) if (made.isOpen) made.destroy();
  });

  test("who it is", async () => {
    expect(await client.clientGetName()).toBe("tester");
    const { name, resp, libName } = await client.clientInfo();
    expect({ name, resp, libName }).toEqual({
      ...{ name: "tester", resp: protocol, libName: "node-redis" },
    });
    expect(await client.info("clients")).toContain("connected_clients:");
  });

  test("strings and counters", async () => {
    const expiration = { type: "EX", value: 100 } as const;
    expect(await client.set("a", 1, { expiration, condition: "NX" })).toBe("OK");
    expect(await client.set("a", 2, { condition: "NX" })).toBeNull();
    expect(await client.ttl("a")).toBeGreaterThan(90);
    expect(await client.incrBy("a", 41)).toBe(42);
    expect(await client.incrByFloat("a", 0.5)).toBe("42.5");
    await client.mSet({ b: "x", c: "y" });
    expect(await client.mGet(["b", "missing", "c"])).toEqual(["x", null, "y"]);
    const text = Buffer.from("naïve €😀\0\r\n");
    await client.set("text", text);
    const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    expect(await buffers.get("text")).toEqual(text);
    expect(await client.getDel("text")).toBe(text.toString());
    await expect(client.incr("b")).rejects.toThrow("ERR value is not an integer or out of range");
  });

  test("lists, and waiting for them", async () => {
    await client.rPush("list", ["a", "b", "c"]);
    expect(await client.lRange("list", 0, -1)).toEqual(["a", "b", "c"]);
    expect(await client.lPopCount("list", 2)).toEqual(["a", "b"]);
    const other = await connected();
    const popped = client.blPop(["none", "queue"], 0);
    await other.rPush("queue", "job");
    expect(await popped).toEqual({ key: "queue", element: "job" });
    const moved = client.blMove("queue", "done", "LEFT", "RIGHT", 0);
    await other.rPush("queue", "next");
    expect(await moved).toBe("next");
    expect(await client.brPop("queue", 0.01)).toBeNull();
    expect(await client.lmPop("done", "LEFT")).toEqual(["done", ["next"]]);
  });

  test("hashes and sets", async () => {
    expect(await client.hSet("hash", { name: "Ann", age: 41 })).toBe(2);
    expect({ ...(await client.hGetAll("hash")) }).toEqual({ name: "Ann", age: "41" });
    expect(await client.hIncrBy("hash", "age", 1)).toBe(42);
    expect(await client.hmGet("hash", ["age", "none"])).toEqual(["42", null]);
    expect({ ...(await client.hGetAll("none")) }).toEqual({});
    expect(await client.hRandFieldCountWithValues("hash", 2)).toHaveLength(2);
    expect(await client.sAdd("set", ["a", "b", "a"])).toBe(2);
    expect([...(await client.sMembers("set"))].sort()).toEqual(["a", "b"]);
    expect(await client.sIsMember("set", "b")).toBe(1);
    expect(await client.smIsMember("set", ["a", "z"])).toEqual([1, 0]);
    expect(await client.sCard("set")).toBe(2);
  });

  test("transactions, watched keys, pipelines", async () => {
    expect(await client.multi().set("n", 1).incr("n").get("n").exec()).toEqual(["OK", 2, "2"]);
    const other = await connected();
    await client.watch("n");
    await other.incr("n");
    await expect(client.multi().set("n", 0).exec()).rejects.toBeInstanceOf(WatchError);
    await client.watch("n");
    expect(await client.multi().get("n").exec()).toEqual(["3"]);
    await expect(client.multi().addCommand(["NOPE"]).exec()).rejects.toThrow();
    const numbers = await Promise.all(Array.from({ length: 1_000 }, () => client.incr("m")));
    expect(numbers).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
    const pool = await createClientPool({ socket: { host, port: server.port }, RESP: 3 }).connect();
    expect(await pool?.execute((one) => one.get("m"))).toBe("1000");
    await pool?.close();
  });

  test("messages", async () => {
    const listener = await connected();
    const messages: unknown[] = [];
    const note = (...message: unknown[]): void => void messages.push(message);
    await listener.subscribe(["news", "sport"], note);
    await listener.pSubscribe("w*", note);
    expect(await client.publish("news", "é€😀")).toBe(1);
    expect(await client.publish("weather", "rain")).toBe(1);
    expect(await heard(messages, 2)).toEqual([
      ["é€😀", "news"],
      ["rain", "weather"],
    ]);
    await listener.unsubscribe();
    await listener.pUnsubscribe();
    expect(await listener.get("none")).toBeNull();
    expect(await client.publish("news", "nobody")).toBe(0);
  });

  test("iterators of keys, fields and members", async () => {
    const numbers = Array.from({ length: 500 }, (_, index) => String(index));
    await client.mSet(numbers.map((number) => [`key:${number}`, number] as [string, string]));
    await client.sAdd("set", numbers);
    await client.hSet("hash", Object.fromEntries(numbers.map((number) => [`f${number}`, number])));
    const all = async <Item>(pages: AsyncIterable<readonly Item[]>): Promise<Set<Item>> => {
      const found = new Set<Item>();
      for await (const page of pages) for (const one of page) found.add(one);
      return found;
    };
    const keys = await all(client.scanIterator({ MATCH: "key:*", COUNT: 50 }));
    expect(keys).toEqual(new Set(numbers.map((number) => `key:${number}`)));
    expect(await all(client.sScanIterator("set"))).toEqual(new Set(numbers));
    const fields = await all(client.hScanIterator("hash"));
    expect(new Set([...fields].map(({ field }) => field)).size).toBe(500);
    expect(await all(client.scanIterator({ TYPE: "hash" }))).toEqual(new Set(["hash"]));
  });

  test.runIf(place.isOurs)("functions", async () => {
    const [key] = ["anykv:{:0}:v"];
    expect(await client.fCall("anykv_increment", { keys: [key], arguments: ["n", "5"] })).toBe("5");
    expect(await client.fCallRo("anykv_get", { keys: [key], arguments: ["n"] })).toBe("j5");
    const none = client.fCall("anykv_none", { keys: [key], arguments: [] });
    await expect(none).rejects.toThrow("ANYKV_UNKNOWN_OPERATION");
  });

  test("reconnects after a restart, and listens again", async () => {
    const socket = { host, port: server.port, reconnectStrategy: 20 };
    const [writer, listener] = [await connected({ socket }), await connected({ socket })];
    const messages: unknown[] = [];
    await listener.subscribe("news", (message) => messages.push(message));
    await writer.set("a", "1");
    const back = (one: Client) => new Promise((resolve) => one.once("ready", resolve));
    const ready = Promise.all([back(writer), back(listener)]);
    await server.restart();
    await ready;
    expect(await writer.set("a", "2")).toBe("OK");
    expect(await writer.get("a")).toBe("2");
    while ((await writer.publish("news", "again")) === 0);
    expect((await heard(messages, 1))[0]).toBe("again");
  });

  test("a socket, and a URL", async () => {
    const path = join(directory, "socket");
    const local = await begun({ socket: { path, tls: false } }).connect();
    expect(await local.echo("here")).toBe("here");
    const named = await begun({ url: `redis://${host}:${server.port}/0` }).connect();
    expect(await named.echo("here")).toBe("here");
    await local.close();
    await named.close();
  });

  test("a password", async () => {
    const locked = await place.start({ password: "sesame" });
    const socket = { host, port: locked.port, reconnectStrategy: false } as const;
    try {
      expect(await (await connected({ socket, password: "sesame" })).ping()).toBe("PONG");
      const both = { username: "default", password: "sesame" };
      expect(await (await connected({ socket, ...both })).ping()).toBe("PONG");
      await expect(connected({ socket, password: "wrong" })).rejects.toThrow("WRONGPASS");
      const nobody = connected({ socket }).then((one) => one.get("a"));
      await expect(nobody).rejects.toThrow("NOAUTH");
    } finally {
      await locked.stop();
    }
  });

  test.skipIf(lackOfOpenssl() !== undefined)("TLS", async () => {
    const certificates = makeCertificates();
    const secure = await place.start({ tls: certificates });
    const { port } = secure;
    const { ca } = certificates;
    try {
      const trusting = await connected({ socket: { host, port, tls: true, ca } });
      expect(await trusting.set("a", "b".repeat(100_000))).toBe("OK");
      expect((await trusting.get("a"))?.length).toBe(100_000);
      const socket = { host, port, tls: true, reconnectStrategy: false } as const;
      await expect(connected({ socket })).rejects.toThrow();
    } finally {
      for (const made of clients.splice(0)) if (made.isOpen) made.destroy();
      await secure.stop();
      certificates.remove();
    }
  });
}
