// Load steps: what an active client does, on keys of its own that it knows the content of, so that
// each reply has one right answer, and with others of its process where they have to meet.

import { inspect, isDeepStrictEqual } from "node:util";
import { seededRandom } from "anykv/testing";
import { LoadClient, type Place, type Tally } from "./load-client.js";
import type { Reply, Word } from "./wire.js";

/** Where the served store is for FCALL. */
const storeKey = "anykv:{load:0}:v";
export const sharedCounter = "shared";
export const jobs = 500;
const leaseMs = 600_000;
/** The clocks of two processes on one machine are one clock, read to the millisecond. */
const clockMs = 2;

/** What the clients of one process have in common. */
export interface Company {
  readonly name: string;
  readonly place: Place;
  readonly tally: Tally;
  /** Who waits for an element, and is told when it is on its way. */
  readonly mailboxes: { readonly key: string; readonly promised: (element: string) => void }[];
  /** Jobs that are claimed now, with their tokens. */
  readonly held: Map<string, string>;
  readonly tokens: Set<string>;
}

type Random = ReturnType<typeof seededRandom>;

export class LoadWorker {
  readonly client: LoadClient;
  readonly #company: Company;
  readonly #random: Random;
  isBusy = false;
  #made = 0;
  // What the server should have.
  #text: string | null = null;
  #count = 0;
  #shared = 0;
  readonly #list: string[] = [];
  readonly #hash = new Map<string, string>();
  readonly #set = new Set<string>();

  constructor(name: string, seed: number, company: Company) {
    this.client = new LoadClient(name, company.place, company.tally);
    this.#company = company;
    this.#random = seededRandom(seed);
  }

  /** Something by chance. */
  async step(): Promise<void> {
    const { tally } = this.#company;
    this.isBusy = true;
    const [kind, act] = this.#choose();
    try {
      await act.call(this);
      tally.steps[kind] = (tally.steps[kind] ?? 0) + 1;
    } catch (error) {
      tally.fault(`${this.client.name}: ${kind}: ${String(error)}`);
    }
    this.isBusy = false;
  }

  #choose(): readonly [string, () => Promise<void>] {
    const number = this.#random.below(1_000);
    if (number < 2) return ["reconnection", this.#reconnect];
    if (number < 40) return ["multi", this.#transact];
    if (number < 60) return ["expiry", this.#expire];
    if (number < 80) return ["wait", this.#wait];
    if (number < 84) return ["timeout", this.#waitInVain];
    if (number < 140) return ["delivery", this.#deliver];
    if (number < 240) return ["claim", this.#claim];
    if (number < 420) return ["string", this.#strings];
    if (number < 600) return ["counter", this.#counters];
    if (number < 720) return ["list", this.#lists];
    if (number < 860) return ["hash", this.#hashes];
    return ["set", this.#sets];
  }

  #key(kind: string): string {
    return `${this.client.name}:${kind}`;
  }

  #below(bound: number): number {
    return this.#random.below(bound);
  }

  /** A text that is nowhere else, mostly short. */
  #fresh(): string {
    const length = this.#below(200) === 0 ? 65_536 : this.#below(500);
    return `${this.client.name}-${++this.#made}-`.padEnd(length, "x");
  }

  async #strings(): Promise<void> {
    const key = this.#key("text");
    const { client } = this;
    const kind = this.#below(9);
    if (kind < 3) {
      const text = this.#fresh();
      same(await client.ask("SET", key, text, "GET"), this.#text);
      this.#text = text;
    } else if (kind < 5 && this.#text !== null) {
      const more = `+${this.#below(10)}`;
      if (this.#text.length > 100_000) this.#text = await this.#cleared(key);
      this.#text = (this.#text ?? "") + more;
      same(await client.ask("APPEND", key, more), this.#text.length);
    } else same(await client.ask("GET", key), this.#text);
  }

  async #cleared(key: string): Promise<null> {
    same(await this.client.ask("DEL", key), 1);
    return null;
  }

  async #counters(): Promise<void> {
    const own = ["INCRBY", this.#key("count"), 1 + this.#below(9)] as const;
    const [count, shared] = await this.client.askAll([...own], ["INCR", sharedCounter]);
    this.#count += own[2];
    same(count, this.#count);
    this.#sharedIs(shared);
  }

  /** Others raise it, too. */
  #sharedIs(shared: Reply | undefined): void {
    this.#company.tally.shared++;
    if (typeof shared !== "number" || shared <= this.#shared) {
      throw new Error(`the shared counter is ${JSON.stringify(shared)} after ${this.#shared}`);
    }
    this.#shared = shared;
  }

  async #lists(): Promise<void> {
    const { client } = this;
    const list = this.#list;
    const key = this.#key("list");
    const kind = this.#below(5);
    if (kind < 2 && list.length < 50) {
      const elements = Array.from({ length: 1 + this.#below(4) }, () => this.#fresh());
      list.push(...elements);
      same(await client.ask("RPUSH", key, ...elements), list.length);
    } else if (kind === 2) same(await client.ask("LRANGE", key, 0, -1), list);
    else if (kind === 3) same(await client.ask("LPOP", key), list.shift() ?? null);
    else same(await client.ask("RPOP", key), list.pop() ?? null);
  }

  async #hashes(): Promise<void> {
    const { client } = this;
    const hash = this.#hash;
    const [key, field] = [this.#key("hash"), `f${this.#below(20)}`];
    const kind = this.#below(5);
    const isNew = hash.has(field) ? 0 : 1;
    if (kind < 2) {
      const text = this.#fresh().slice(0, 300);
      hash.set(field, text);
      same(await client.ask("HSET", key, field, text), isNew);
    } else if (kind === 2) same(await client.ask("HGET", key, field), hash.get(field) ?? null);
    else if (kind === 3) {
      same(await client.ask("HDEL", key, field), hash.delete(field) ? 1 : 0);
    } else same(pairs(await client.ask("HGETALL", key)), new Map(hash));
  }

  async #sets(): Promise<void> {
    const { client } = this;
    const set = this.#set;
    const [key, member] = [this.#key("set"), `m${this.#below(30)}`];
    const kind = this.#below(4);
    const isThere = set.has(member) ? 1 : 0;
    if (kind === 0) {
      set.add(member);
      same(await client.ask("SADD", key, member), 1 - isThere);
    } else if (kind === 1) {
      set.delete(member);
      same(await client.ask("SREM", key, member), isThere);
    } else if (kind === 2) same(await client.ask("SISMEMBER", key, member), isThere);
    else
      same(await client.askAll(["SCARD", key], ["SMEMBERS", key]).then(sortedMembers), [
        set.size,
        [...set].sort(),
      ]);
  }

  async #transact(): Promise<void> {
    const [text, count] = [this.#fresh(), this.#key("count")];
    const key = this.#key("text");
    const [begun, ...more] = await this.client.askAll(
      ["MULTI"],
      ["SET", key, text],
      ["INCR", count],
      ["INCR", sharedCounter],
      ["GET", key],
      ["EXEC"],
    );
    this.#text = text;
    const done = more.pop();
    same([begun, ...more], ["OK", ...Array.from({ length: 4 }, () => "QUEUED")]);
    if (!Array.isArray(done)) throw new Error(`EXEC: ${JSON.stringify(done)}`);
    const [set, counted, shared, got] = done as Reply[];
    same([set, counted, got], ["OK", ++this.#count, text]);
    this.#sharedIs(shared);
  }

  /** The key must be there until its time has come, and no longer. */
  async #expire(): Promise<void> {
    const { client } = this;
    const [key, text, ms] = [this.#key("expiring"), this.#fresh(), 20 + this.#below(300)];
    const before = Date.now();
    same(await client.ask("SET", key, text, "PX", ms), "OK");
    const after = Date.now();
    for (let isThere = true; isThere; ) {
      await new Promise((resolve) => setTimeout(resolve, 30 + this.#below(60)));
      const asked = Date.now();
      const got = await client.ask("GET", key);
      const answered = Date.now();
      isThere = got !== null;
      if (isThere) same(got, text);
      if (isThere && asked > after + ms + clockMs) throw new Error("a key outlived its time");
      if (!isThere && answered < before + ms - clockMs) throw new Error("a key died too early");
    }
  }

  /** Until somebody delivers. */
  async #wait(): Promise<void> {
    const { mailboxes } = this.#company;
    const key = this.#key(`box${++this.#made}`);
    const promised = new Promise<string>((resolve) => {
      mailboxes.push({ key, promised: resolve });
    });
    const side = this.#below(2) === 0 ? "BLPOP" : "BRPOP";
    const got = await this.client.waitFor(side, this.#key("nothing"), key, "0");
    same(got, [key, await promised]);
  }

  async #waitInVain(): Promise<void> {
    same(await this.client.waitFor("BLPOP", this.#key("nothing"), "0.05"), null);
  }

  async #deliver(): Promise<void> {
    const box = this.#company.mailboxes.shift();
    if (box === undefined) return this.#counters();
    const element = this.#fresh();
    box.promised(element);
    same(await this.client.ask("LPUSH", box.key, element), 1);
  }

  /** Nobody else has what has been claimed; then it is given back. */
  async #claim(): Promise<void> {
    const { held, tokens, name } = this.#company;
    const words = [`${name}:job:`, 1, leaseMs, this.client.name, "j"];
    const reply = await this.#call("claim_random", ...words, this.#below(2 ** 31));
    const [state, , key = "", token = "", value] = reply as readonly string[];
    same([state, value], ["ok", `j"${key}"`]);
    if (held.has(key)) throw new Error(`${key} was claimed twice`);
    if (tokens.has(token)) throw new Error(`the token ${token} was granted twice`);
    held.set(key, token);
    tokens.add(token);
    const ending = this.#below(2) === 0 ? ["release_claims"] : ["complete_claims", ""];
    const [operation = "", ...first] = ending;
    if (this.#below(3) === 0) same(await this.#call("renew_claims", leaseMs, key, token), [1]);
    // Before the server does: another one may have it as soon as it is free.
    held.delete(key);
    same(await this.#call(operation, ...first, key, token), [1]);
    // Tokens rise: those of long ago cannot come again unless they fall.
    if (tokens.size > 100_000) tokens.clear();
  }

  #call(operation: Word, ...args: Word[]): Promise<Reply> {
    return this.client.ask("FCALL", `anykv_${operation}`, 1, storeKey, ...args);
  }

  async #reconnect(): Promise<void> {
    await this.client.leave(this.#below(2) === 0);
    await this.client.connect();
  }

  /** Everything that this client has written is there, and nothing else; then it is removed. */
  async settle(): Promise<void> {
    const kinds = ["text", "count", "list", "hash", "set"];
    const keys = kinds.map((kind) => this.#key(kind));
    const [text = "", count = "", list = "", hash = "", set = ""] = keys;
    const { client } = this;
    same(await client.ask("GET", text), this.#text);
    same(await client.ask("GET", count), this.#count === 0 ? null : `${this.#count}`);
    same(await client.ask("LRANGE", list, 0, -1), this.#list);
    same(pairs(await client.ask("HGETALL", hash)), new Map(this.#hash));
    same(sortedMembers(await client.askAll(["SCARD", set], ["SMEMBERS", set])), [
      this.#set.size,
      [...this.#set].sort(),
    ]);
    const parts = [this.#text, this.#count || null, this.#list[0], [...this.#hash][0]];
    const there = [...parts, [...this.#set][0]].filter((part) => (part ?? null) !== null);
    same(await client.ask("DEL", ...keys), there.length);
    this.#text = null;
    this.#count = 0;
    this.#shared = 0;
    this.#list.length = 0;
    this.#hash.clear();
    this.#set.clear();
  }
}

export function same(found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return;
  const [got, wanted] = [found, expected].map((part) => inspect(part).slice(0, 300));
  throw new Error(`got ${got}, not ${wanted}`);
}

function pairs(reply: Reply): Map<Reply, Reply> {
  if (!Array.isArray(reply)) throw new Error(`no list: ${JSON.stringify(reply)}`);
  const found = new Map<Reply, Reply>();
  for (let at = 0; at < reply.length; at += 2) found.set(reply[at], reply[at + 1]);
  return found;
}

function sortedMembers([size, members]: readonly Reply[]): unknown[] {
  return [size, Array.isArray(members) ? [...members].sort() : members];
}
