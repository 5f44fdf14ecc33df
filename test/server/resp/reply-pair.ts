// A door and a real server that are asked the same: their replies are equal, byte for byte. What may
// differ is written down here, and in docs/resp.md:
//
// 1. Members, and keys of KEYS and SCAN, come in another order: replies are compared sorted.
// 2. SPOP chooses by itself: the real server is told to remove the same members.
// 3. A hash is a string, too: requests that Valkey refuses for it are left out.
// 4. Times of expiry are compared within what passes between two servers.
// 5. In a store of strings, text that is a JSON object is a hash: it is not among the values.
// 6. Text is not cut inside of a character: what SETRANGE leaves of one is refused.
// 7. Hashes are kept small, so that their fields have an order in Valkey.

import { expect } from "vitest";
import type { Word } from "./direct-door.js";
import { stringNames } from "./random-requests.js";
import { replyEnd } from "./wire-peer.js";

const unordered = new Set(
  "KEYS SMEMBERS SINTER SUNION SDIFF SRANDMEMBER HRANDFIELD SSCAN SCAN HSCAN".split(" "),
);
/** How far apart they may be, in the unit of the reply. */
const tolerance: Readonly<Record<string, number>> = {
  TTL: 1,
  PTTL: 900,
  EXPIRETIME: 1,
  PEXPIRETIME: 900,
};

/** The replies inside an aggregate. */
function partsOf(reply: string): string[] {
  const parts: string[] = [];
  let at = reply.indexOf("\r\n") + 2;
  for (let end = replyEnd(reply, at); at < reply.length && end !== undefined; ) {
    parts.push(reply.slice(at, end));
    at = end;
    end = replyEnd(reply, at);
  }
  return parts;
}

function sorted(name: string, reply: string): string {
  if (!/^[*~]/.test(reply)) return reply;
  const parts = partsOf(reply);
  if (!name.endsWith("SCAN")) return reply.slice(0, 4) + parts.sort().join("");
  return (
    parts[0] +
    partsOf(parts[1] ?? "*0\r\n")
      .sort()
      .join("")
  );
}

function isSame(name: string, ours: string, theirs: string): boolean {
  if (ours === theirs) return true;
  if (unordered.has(name)) return sorted(name, ours) === sorted(name, theirs);
  const within = tolerance[name];
  if (within === undefined) return false;
  const [a, b] = [ours, theirs].map((reply) => Number(reply.slice(1)));
  return Math.abs((a as number) - (b as number)) <= within && Number(a) > 0;
}

/** Whoever answers requests. */
export interface Answering {
  run(...words: Word[]): string | Promise<string>;
}

/** A door and a real server that are asked the same. */
export class Pair {
  readonly door: Answering;
  readonly peer: Answering;

  constructor(door: Answering, peer: Answering) {
    this.door = door;
    this.peer = peer;
  }

  /** Whether Valkey refuses it because a hash is no string there. */
  async #takesHashForString(words: readonly Word[]): Promise<boolean> {
    if (!stringNames.has(`${words[0]}`)) return false;
    for (const key of words.slice(1)) {
      if ((await this.peer.run("TYPE", key)) === "+hash\r\n") return true;
    }
    return false;
  }

  async #popped(words: readonly Word[]): Promise<[string, string]> {
    const ours = await this.door.run(...words);
    const key = words[1] as Word;
    const removed = /^[$]\d/.test(ours) ? [ours] : /^[*~]/.test(ours) ? partsOf(ours) : [];
    if (removed.length === 0) return [ours, await this.peer.run(...words)];
    const members = removed.map((part) =>
      Buffer.from(part.slice(part.indexOf("\r\n") + 2, -2), "latin1"),
    );
    return [`:${members.length}\r\n`, await this.peer.run("SREM", key, ...members)];
  }

  /** @throws what is different, with the requests before it */
  async runAll(seed: number, requests: Iterable<Word[]>): Promise<void> {
    const before: Word[][] = [];
    for (const words of requests) {
      before.push(words);
      const difference = await this.run(words);
      const title = `seed ${seed}: ${JSON.stringify(before.slice(-9))}`;
      expect(difference, title).toBe(undefined);
    }
  }

  /** What is different, if anything is. */
  async run(words: Word[]): Promise<unknown> {
    if (await this.#takesHashForString(words)) return undefined;
    const name = `${words[0]}`;
    const [ours, theirs] =
      name === "SPOP"
        ? await this.#popped(words)
        : await Promise.all([this.door.run(...words), this.peer.run(...words)]);
    if (name === "SETRANGE" && ours.startsWith("-ERR the store keeps text")) {
      await this.peer.run("DEL", words[1] as Word);
      await this.door.run("DEL", words[1] as Word);
      return undefined;
    }
    return isSame(name, ours, theirs) ? undefined : { ours, theirs };
  }
}
