// Where the types of Valkey and the kinds of anykv meet: one store, seen by both.

import type { Kv } from "anykv";
import { describe, expect, test } from "vitest";
import { OpenedEngine } from "../../kv/kv-over-engine.js";
import { DirectDoor, type Serialization } from "./direct-door.js";

function opened(serialization: Serialization = "json"): {
  kv: Kv;
  door: DirectDoor;
  env: OpenedEngine["env"];
} {
  const owner = new OpenedEngine();
  const { env, engine, store } = owner;
  const door = new DirectDoor({ serialization, env, engine, store });
  return { kv: owner.handle(serialization), door, env };
}

const bulk = (text: string): string =>
  `$${Buffer.byteLength(text)}\r\n${Buffer.from(text).toString("latin1")}\r\n`;
const nil = "$-1\r\n";
const wrongType = /^-WRONGTYPE/;

describe("values", () => {
  test("that clients set are strings, whatever they look like", async () => {
    const { kv, door } = opened();
    for (const text of ["456", "null", '{"a":1}', '"quoted"', "back\\slash", "Zoë", "", "\u0000"]) {
      door.run("SET", "k", text);
      expect(await kv.get("k")).toBe(text);
      expect(door.run("GET", "k")).toBe(bulk(text));
    }
  });

  test("of JSON show as their text", async () => {
    const { kv, door } = opened();
    await kv.set("k", { a: 1, b: [true, null] });
    expect(door.run("GET", "k")).toBe(bulk('{"a":1,"b":[true,null]}'));
    expect(door.run("TYPE", "k")).toBe("+hash\r\n");
    await kv.set("k", 41);
    expect(door.run("INCR", "k")).toBe(":42\r\n");
    expect(await kv.get("k")).toBe(42);
    await kv.set("k", "41");
    expect(door.run("INCRBY", "k", 5)).toBe(":46\r\n");
    expect(await kv.get("k")).toBe(46);
    await kv.set("k", [1, 2]);
    expect(door.run("APPEND", "k", "!")).toBe(":6\r\n");
    expect(await kv.get("k")).toBe("[1,2]!");
  });

  test("that are compressed show as they were", async () => {
    for (const serialization of ["json", "string"] as const) {
      const { kv, door } = opened(serialization);
      await kv.set("k", "ab".repeat(1_000), { compress: true });
      expect(door.run("GET", "k")).toBe(bulk("ab".repeat(1_000)));
      await kv.append("l", "ab".repeat(1_000), { compress: true });
      expect(door.run("LPOP", "l")).toBe(bulk("ab".repeat(1_000)));
    }
  });

  test("are bytes in a store of bytes, and text elsewhere", async () => {
    const raw = Buffer.from([0xff, 0, 0x41]);
    const { kv, door } = opened("bytes");
    door.run("SET", "k", raw);
    expect(await kv.get("k")).toEqual(new Uint8Array(raw));
    expect(door.run("GET", "k")).toBe("$3\r\n\xff\0A\r\n");
    expect(door.run("HSET", "h", "f", "v")).toMatch(/^-ERR the store keeps bytes/);
    expect(opened().door.run("SET", "k", raw)).toMatch(/^-ERR the store keeps text/);
  });
});

describe("hashes", () => {
  test("are JSON objects, of which only what is written changes", async () => {
    const { kv, door } = opened();
    await kv.set("user", { name: "Ada", age: 36, tags: ["a", "}"], "2": null });
    expect(door.run("HGET", "user", "age")).toBe(bulk("36"));
    expect(door.run("HGET", "user", "tags")).toBe(bulk('["a","}"]'));
    expect(door.run("HSET", "user", "name", "Grace", "new", "1")).toBe(":1\r\n");
    expect(door.run("HINCRBY", "user", "age", 1)).toBe(":37\r\n");
    expect(door.run("HINCRBY", "user", "new", 1)).toBe(":2\r\n");
    expect(await kv.get("user")).toEqual({
      name: "Grace",
      age: 37,
      tags: ["a", "}"],
      "2": null,
      new: "2",
    });
    door.run("HDEL", "user", "name", "age", "tags", "2", "new");
    expect(await kv.exists("user")).toBe(false);
  });

  test("keep digits and names as they are", () => {
    const { door } = opened("string");
    door.run("SET", "k", '{ "n" : 12345678901234567890 , "__proto__" : {"x":"\\"}"} , "1":1 }');
    door.run("HSET", "k", "z", "é");
    const text = '{"n":12345678901234567890,"__proto__":{"x":"\\"}"},"1":1,"z":"é"}';
    expect(door.run("GET", "k")).toBe(bulk(text));
  });

  test("are no strings in JSON", () => {
    const { door } = opened();
    door.run("SET", "k", '{"a":1}');
    expect(door.run("TYPE", "k")).toBe("+string\r\n");
    expect(door.run("HGET", "k", "a")).toMatch(wrongType);
  });
});

describe("lists", () => {
  test("are arrays", async () => {
    const { kv, door } = opened();
    await kv.append("l", { a: 1 });
    await kv.append("l", 5);
    door.run("RPUSH", "l", "5");
    expect(door.run("LRANGE", "l", 0, -1)).toBe(`*3\r\n${bulk('{"a":1}')}${bulk("5")}${bulk("5")}`);
    expect(door.run("LREM", "l", 0, "5")).toBe(":2\r\n");
    door.run("LINSERT", "l", "AFTER", '{"a":1}', "x");
    expect(await kv.range("l", 0, 10)).toEqual([{ a: 1 }, "x"]);
    expect(door.run("GET", "l")).toMatch(wrongType);
  });

  test("that get elements are told of", () => {
    const { door } = opened();
    door.run("RPUSH", "a", "1");
    door.run("RENAME", "a", "b");
    door.run("COPY", "b", "c");
    door.run("LMOVE", "b", "d", "LEFT", "LEFT");
    expect(door.pushed).toEqual(["a", "b", "c", "d"]);
  });
});

describe("sets", () => {
  test("are filters", async () => {
    const { kv, door } = opened();
    const filter = kv.filter("s");
    await filter.add("a");
    await filter.add(Buffer.from([0xff]));
    expect(door.run("SISMEMBER", "s", "a")).toBe(":1\r\n");
    expect(door.run("SISMEMBER", "s", Buffer.from([0xff]))).toBe(":1\r\n");
    expect(door.run("SMEMBERS", "s")).toBe("*2\r\n$1\r\n\xff\r\n$1\r\na\r\n");
    expect(door.run("TYPE", "s")).toBe("+set\r\n");
    door.run("SADD", "s", "b");
    expect(await filter.contains("b")).toBe(true);
    door.run("DEL", "s");
    expect(await filter.size()).toBe(0);
  });

  test("expire as a whole, and what is added expires with them", async () => {
    const { door, env } = opened();
    door.run("SADD", "s", "a", "b");
    door.run("PEXPIRE", "s", 1_000);
    door.run("SADD", "s", "c");
    expect(door.run("PTTL", "s")).toBe(":1000\r\n");
    env.stall(999);
    expect(door.run("SCARD", "s")).toBe(":3\r\n");
    expect(door.run("PERSIST", "s")).toBe(":1\r\n");
    door.run("PEXPIRE", "s", 1_000);
    env.stall(1_000);
    // Nothing has removed the rows yet.
    expect(door.run("EXISTS", "s")).toBe(":0\r\n");
    expect(door.run("SISMEMBER", "s", "c")).toBe(":0\r\n");
    expect(door.run("SADD", "s", "c")).toBe(":1\r\n");
    expect(door.run("TTL", "s")).toBe(":-1\r\n");
    expect(door.run("DEL", "s")).toBe(":1\r\n");
    expect(door.run("SET", "s", "v")).toBe("+OK\r\n");
    expect(door.run("SADD", "s", "x")).toMatch(wrongType);
    door.run("DEL", "s");
    expect(door.run("SADD", "s", "c")).toBe(":1\r\n");
    expect(door.run("PTTL", "s")).toBe(":-1\r\n");
    expect(door.run("SMEMBERS", "s")).toBe("*1\r\n$1\r\nc\r\n");
  });

  test("with the name of a value are hidden by it", async () => {
    const { kv, door } = opened();
    await kv.filter("k").add("m");
    await kv.set("k", "v");
    expect(door.run("TYPE", "k")).toBe("+string\r\n");
    expect(door.run("DBSIZE")).toBe(":1\r\n");
    expect(door.run("KEYS", "*")).toBe("*1\r\n$1\r\nk\r\n");
    expect(door.run("SISMEMBER", "k", "m")).toMatch(wrongType);
    expect(door.run("SET", "k", "w")).toBe("+OK\r\n");
    expect(await kv.filter("k").contains("m")).toBe(true);
    door.run("RENAME", "k", "l");
    expect(await kv.filter("l").contains("m")).toBe(true);
    expect(door.run("DEL", "l")).toBe(":1\r\n");
    expect(await kv.filter("l").contains("m")).toBe(false);
  });
});

describe("names", () => {
  test("are those that the library takes", () => {
    const { door } = opened();
    expect(door.run("SET", "", "v")).toBe("-ERR key must not be empty\r\n");
    expect(door.run("GET", "k".repeat(1_025))).toBe("-ERR key must be at most 1024 bytes\r\n");
    expect(door.run("SET", "é".repeat(512), "v")).toBe("+OK\r\n");
    expect(door.run("SET", "é".repeat(513), "v")).toMatch(/^-ERR key must be at most/);
    expect(door.run("GET", Buffer.from([0xff]))).toBe("-ERR key must be valid UTF-8\r\n");
    expect(door.run("SADD", "k".repeat(257), "m")).toMatch(/^-ERR key of a set must be/);
    expect(door.run("SADD", "s", "")).toBe("-ERR member must not be empty\r\n");
    expect(door.run("SADD", "s", "m".repeat(1_025))).toMatch(/^-ERR member must be at most/);
    expect(door.run("SISMEMBER", "s", "")).toBe(":0\r\n");
    expect(door.run("HSET", "h", Buffer.from([0xff]), "v")).toBe(
      "-ERR field must be valid UTF-8\r\n",
    );
    expect(door.run("EXISTS", "s")).toBe(":0\r\n");
  });

  test("a command that is refused has changed nothing", () => {
    const { door } = opened();
    const raw = Buffer.from([0xff]);
    for (const words of [
      ["MSET", "a", "1", "b", raw],
      ["RPUSH", "a", "1", raw],
      ["SADD", "a", "1", ""],
      ["HSET", "a", "f", "1", "g", raw],
      ["SET", "a", raw, "GET"],
      ["SETRANGE", "a", 3, raw],
    ]) {
      expect(door.run(...words)).toMatch(/^-ERR/);
      expect(door.run("DBSIZE")).toBe(":0\r\n");
    }
  });
});

describe("claims", () => {
  test("survive SET and the like, and end with the key", async () => {
    const { kv, door } = opened();
    for (const end of [
      ["DEL", "k"],
      ["RENAME", "k", "l"],
      ["LPUSH", "x"],
      ["EXPIRE", "k", "-1"],
    ]) {
      await kv.set("k", "v");
      const claim = await kv.claimKey("k");
      if (claim === null) throw new Error("no claim");
      for (const words of [
        ["SET", "k", "w"],
        ["INCRBY", "n", 1],
        ["APPEND", "k", "w"],
        ["GETSET", "k", "1"],
      ]) {
        door.run(...words);
      }
      expect(await kv.claimRandom({ prefix: "k" })).toBe(null);
      expect(await kv.renewClaim(claim, { ttl: 1_000 })).toBe(true);
      if (end[0] === "LPUSH") door.run("RENAME", "n", "k");
      else door.run(...end);
      expect(await kv.renewClaim(claim, { ttl: 1_000 })).toBe(false);
      expect(door.problems()).toEqual([]);
    }
  });
});

test("what has expired is gone for every command, removed or not", () => {
  const { door, env } = opened();
  door.run("SET", "a", "v", "PX", 10);
  door.run("RPUSH", "b", "1", "2");
  door.run("PEXPIRE", "b", 10);
  door.run("SADD", "c", "m");
  door.run("PEXPIRE", "c", 10);
  env.stall(10);
  expect(door.run("EXISTS", "a", "b", "c")).toBe(":0\r\n");
  expect(door.run("GET", "b")).toBe(nil);
  expect(door.run("LLEN", "a")).toBe(":0\r\n");
  expect(door.run("RPUSH", "a", "x")).toBe(":1\r\n");
  expect(door.run("SADD", "b", "x")).toBe(":1\r\n");
  expect(door.run("INCR", "c")).toBe(":1\r\n");
  expect(door.run("TTL", "a")).toBe(":-1\r\n");
  expect(door.run("DBSIZE")).toBe(":3\r\n");
  expect(door.problems()).toEqual([]);
});
