// Random requests over few keys, so that commands of all kinds meet on them. A seed gives the same
// requests again.

import { seededRandom } from "anykv/testing";
import type { Random } from "../../../src/env/env.js";
import type { Serialization, Word } from "./direct-door.js";

type Draw = (draw: Draws) => Word[];

const texts = [
  "",
  "a",
  "abc",
  "1",
  "-7",
  "3.5",
  "007",
  " 5",
  "1e3",
  "9223372036854775806",
  "Zoë€😀",
];
/** In a store of strings this text is a hash. */
const object = '{"a":1}';
const documents = ['"quoted"', "back\\slash", "null", "[1]", "x".repeat(70), "tab\tline\n"];
const members = ["a", "b", "c", "1", "2", "é", "member", "x".repeat(70)];
const patterns = [
  "*",
  "k?",
  "k[0-2]",
  "k[^0]",
  "[a-b",
  "\\k1",
  "*1*",
  "",
  "k1",
  "?",
  "**a**",
  "[c-a]",
];
const bytes = [Buffer.from([0xff, 0, 0x80]), Buffer.from("c3", "hex"), Buffer.from([0xa9])];

/** Draws what requests are made of. */
export class Draws {
  readonly #random: Random;
  readonly #binary: boolean;
  readonly #documents: readonly string[];

  constructor(seed: number, serialization: Serialization) {
    this.#random = seededRandom(seed);
    this.#binary = serialization === "bytes";
    this.#documents = serialization === "string" ? documents : [...documents, object];
  }

  below(bound: number): number {
    return this.#random.below(bound);
  }

  one<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  some<Item>(most: number, draw: () => Item): Item[] {
    return Array.from({ length: 1 + this.below(most) }, draw);
  }

  maybe(chance: number, words: () => Word[]): Word[] {
    return this.below(100) < chance ? words() : [];
  }

  key = (): Word => `k${this.below(6)}`;
  keys = (): Word[] => this.some(3, this.key);
  value = (): Word => {
    if (this.#binary && this.below(5) === 0) return this.one(bytes);
    return this.below(4) === 0 ? this.one(this.#documents) : this.one(texts);
  };
  member = (): Word => (this.#binary && this.below(6) === 0 ? this.one(bytes) : this.one(members));
  field = (): Word => this.one(["a", "b", "1", "0", "__proto__", "fé", "long".repeat(15), ""]);
  index = (): Word => (this.below(20) === 0 ? "x" : this.below(12) - 6);
  count = (): Word => (this.below(20) === 0 ? "x" : this.below(6) - 1);
  number = (): Word => this.one(["1", "-1", "5", "0", "9223372036854775807", "x", "1.5", "12345"]);
  float = (): Word =>
    this.one([
      "0.1",
      "-0.2",
      "3",
      "1e5",
      "1e-7",
      "x",
      "12345678.9",
      "0.3333333333333333333",
      "1e17",
    ]);
  side = (): Word => this.one(["LEFT", "RIGHT", "left", "right"]);
  pattern = (): Word => this.one(patterns);
  /** Far enough ahead, or past. */
  moment = (): Word[] =>
    this.one<Word[]>([
      ["EX", 1_000 + this.below(1_000)],
      ["PX", 1_000_000 + this.below(1_000)],
      ["EXAT", 4_000_000_000 + this.below(9)],
      ["PXAT", 4_000_000_000_123],
      ["EXAT", 1],
      ["px", 0],
    ]);
}

const conditions = (d: Draws): Word[] => d.maybe(40, () => [d.one(["NX", "XX", "GT", "LT"])]);

const strings: readonly Draw[] = [
  (d) => ["GET", d.key()],
  (d) => ["SET", d.key(), d.value()],
  (d) => [
    "SET",
    d.key(),
    d.value(),
    ...d.maybe(40, () => [d.one(["NX", "XX"])]),
    ...d.maybe(30, () => ["GET"]),
    ...d.maybe(40, d.moment),
    ...d.maybe(10, () => ["KEEPTTL"]),
  ],
  (d) => ["GETSET", d.key(), d.value()],
  (d) => ["GETDEL", d.key()],
  (d) => ["GETEX", d.key(), ...d.maybe(60, d.moment), ...d.maybe(15, () => ["PERSIST"])],
  (d) => ["MGET", ...d.keys()],
  (d) => ["MSET", ...d.some(3, () => [d.key(), d.value()]).flat()],
  (d) => ["MSETNX", ...d.some(2, () => [d.key(), d.value()]).flat()],
  (d) => ["SETNX", d.key(), d.value()],
  (d) => ["SETEX", d.key(), 5_000 + d.below(9), d.value()],
  (d) => ["PSETEX", d.key(), 5_000_000 + d.below(9), d.value()],
  (d) => ["INCR", d.key()],
  (d) => ["DECR", d.key()],
  (d) => ["INCRBY", d.key(), d.number()],
  (d) => ["DECRBY", d.key(), d.number()],
  (d) => ["INCRBYFLOAT", d.key(), d.float()],
  (d) => ["APPEND", d.key(), d.value()],
  (d) => ["STRLEN", d.key()],
  (d) => [d.one(["GETRANGE", "SUBSTR"]), d.key(), d.index(), d.index()],
  (d) => ["SETRANGE", d.key(), d.index(), d.one(["", "x", "12"])],
];

const keys: readonly Draw[] = [
  (d) => ["DEL", ...d.keys()],
  (d) => ["UNLINK", d.key()],
  (d) => ["EXISTS", ...d.keys()],
  (d) => ["TOUCH", ...d.keys()],
  (d) => ["TYPE", d.key()],
  (d) => ["RENAME", d.key(), d.key()],
  (d) => ["RENAMENX", d.key(), d.key()],
  (d) => ["COPY", d.key(), d.key(), ...d.maybe(50, () => ["REPLACE"])],
  (d) => ["KEYS", d.pattern()],
  (d) => ["SCAN", 0, "COUNT", 100, "MATCH", d.pattern()],
  (d) => ["SCAN", 0, "COUNT", 100, "TYPE", d.one(["string", "list", "set", "hash", "zset"])],
  () => ["DBSIZE"],
  (d) => ["EXPIRE", d.key(), 3_000 + d.below(2_000), ...conditions(d)],
  (d) => ["PEXPIRE", d.key(), 3_000_000 + d.below(2_000_000), ...conditions(d)],
  (d) => ["EXPIREAT", d.key(), 4_000_000_000 + d.below(9), ...conditions(d)],
  (d) => ["PEXPIREAT", d.key(), 4_000_000_000_000 + d.below(9_000), ...conditions(d)],
  (d) => ["EXPIRE", d.key(), -d.below(3), ...conditions(d)],
  (d) => [d.one(["TTL", "PTTL"]), d.key()],
  (d) => [d.one(["EXPIRETIME", "PEXPIRETIME"]), d.key()],
  (d) => ["PERSIST", d.key()],
];

const lists: readonly Draw[] = [
  (d) => [d.one(["LPUSH", "RPUSH"]), d.key(), ...d.some(4, d.value)],
  (d) => [d.one(["LPUSH", "RPUSH"]), d.key(), d.value()],
  (d) => [d.one(["LPUSHX", "RPUSHX"]), d.key(), ...d.some(2, d.value)],
  (d) => [d.one(["LPOP", "RPOP"]), d.key(), ...d.maybe(50, () => [d.count()])],
  (d) => ["LLEN", d.key()],
  (d) => ["LRANGE", d.key(), d.index(), d.index()],
  (d) => ["LRANGE", d.key(), 0, -1],
  (d) => ["LINDEX", d.key(), d.index()],
  (d) => ["LSET", d.key(), d.index(), d.value()],
  (d) => ["LINSERT", d.key(), d.one(["BEFORE", "after"]), d.value(), d.value()],
  (d) => ["LREM", d.key(), d.index(), d.value()],
  (d) => ["LTRIM", d.key(), d.index(), d.index()],
  (d) => [
    "LPOS",
    d.key(),
    d.value(),
    ...d.maybe(40, () => ["RANK", d.index()]),
    ...d.maybe(40, () => ["COUNT", d.count()]),
    ...d.maybe(20, () => ["MAXLEN", d.count()]),
  ],
  (d) => ["LMOVE", d.key(), d.key(), d.side(), d.side()],
  (d) => ["RPOPLPUSH", d.key(), d.key()],
  (d) => ["LMPOP", 2, d.key(), d.key(), d.side(), ...d.maybe(50, () => ["COUNT", d.count()])],
  (d) => [d.one(["BLPOP", "BRPOP"]), ...d.keys(), "0.001"],
  (d) => ["BLMOVE", d.key(), d.key(), d.side(), d.side(), "0.001"],
  (d) => ["BLMPOP", "0.001", 2, d.key(), d.key(), d.side(), "COUNT", d.count()],
];

const hashes: readonly Draw[] = [
  (d) => [d.one(["HSET", "HMSET"]), d.key(), ...d.some(3, () => [d.field(), d.one(texts)]).flat()],
  (d) => ["HSETNX", d.key(), d.field(), d.one([object, "a\\b", "\n"])],
  (d) => ["HGET", d.key(), d.field()],
  (d) => ["HMGET", d.key(), ...d.some(3, d.field)],
  (d) => ["HDEL", d.key(), ...d.some(2, d.field)],
  (d) => [d.one(["HKEYS", "HVALS", "HGETALL", "HLEN"]), d.key()],
  (d) => [d.one(["HEXISTS", "HSTRLEN"]), d.key(), d.field()],
  (d) => ["HINCRBY", d.key(), d.field(), d.number()],
  (d) => ["HINCRBYFLOAT", d.key(), d.field(), d.float()],
  (d) => ["HSCAN", d.key(), 0, ...d.maybe(50, () => ["MATCH", d.pattern()])],
  (d) => ["HRANDFIELD", d.key(), 100, ...d.maybe(50, () => ["WITHVALUES"])],
];

const sets: readonly Draw[] = [
  (d) => ["SADD", d.key(), ...d.some(4, d.member)],
  (d) => ["SREM", d.key(), ...d.some(2, d.member)],
  (d) => ["SISMEMBER", d.key(), d.member()],
  (d) => ["SMISMEMBER", d.key(), ...d.some(3, d.member)],
  (d) => ["SMEMBERS", d.key()],
  (d) => ["SCARD", d.key()],
  (d) => ["SRANDMEMBER", d.key(), 100],
  (d) => ["SPOP", d.key(), ...d.maybe(50, () => [d.count()])],
  (d) => ["SMOVE", d.key(), d.key(), d.member()],
  (d) => ["SSCAN", d.key(), 0, "COUNT", 100, ...d.maybe(50, () => ["MATCH", d.pattern()])],
  (d) => [d.one(["SINTER", "SUNION", "SDIFF"]), ...d.keys()],
  (d) => [d.one(["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"]), d.key(), ...d.keys()],
  (d) => ["SINTERCARD", 2, d.key(), d.key(), ...d.maybe(50, () => ["LIMIT", d.below(3)])],
];

/** Requests that take a string for what it is, whatever its text. */
export const stringNames: ReadonlySet<string> = new Set(
  (
    "GET SET GETSET GETDEL GETEX MGET INCR DECR INCRBY DECRBY INCRBYFLOAT APPEND STRLEN GETRANGE " +
    "SUBSTR SETRANGE"
  ).split(" "),
);

export function* requests(
  seed: number,
  serialization: Serialization,
  count: number,
): Iterable<Word[]> {
  const draws = new Draws(seed, serialization);
  const families = [strings, keys, lists, sets, ...(serialization === "bytes" ? [] : [hashes])];
  for (let left = count; left > 0; left--) yield draws.one(draws.one(families))(draws);
}
