// Hostile clients, each over a connection of its own. Whatever they send, the server goes on, every
// reply is well-formed, the store is in order, and nothing is kept for who has gone. Those who do not
// know the password get nothing done and nothing told.
//
// They come in lives of the server, of 5,000 requests each, to a server without a password and to one
// with a password in turn. ANYKV_FUZZ_INPUTS sets the number of requests, ANYKV_SEED another seed, and
// ANYKV_FUZZ_AT repeats one life.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Handle } from "../../../src/kv/handle.js";
import { FunctionDoor } from "../../../src/server/functions/fcall.js";
import {
  functionLibraryOf,
  functionRows,
} from "../../../src/server/functions/function-commands.js";
import type { Door } from "../../../src/server/resp/door.js";
import { doorTo } from "../../../src/server/resp/resp-door.js";
import { respSettings } from "../../../src/server/resp/resp-options.js";
import { OpenedEngine } from "../../kv/kv-over-engine.js";
import { request } from "./door-bench.js";
import { FakeSocket } from "./fake-socket.js";
import { type HostileClient, HostileRequests } from "./hostile-requests.js";
import { rowProblems } from "./row-problems.js";
import { replyEnd } from "./wire-peer.js";

const seed = Number(process.env.ANYKV_SEED ?? 1);
const only = process.env.ANYKV_FUZZ_AT;
const inputs = Number(process.env.ANYKV_FUZZ_INPUTS ?? 20_000);
const inputsPerLife = 5_000;
const clientsPerTurn = 50;
const first = Number(only ?? 0);
const lives = only === undefined ? Math.ceil(inputs / inputsPerLife) : 1;

const storeName = { prefix: "anykv", store: "s" };
const storeKey = "anykv:{s:0}:v";
/** What nobody may hear who does not know the password. */
const secret = "what-is-kept-here";
const limits = { argumentLimit: "64KiB", requestLimit: "256KiB", outputLimit: "64KiB" };
/** A request under way, a chunk, and what was read ahead of a command that waits. */
const inputBytesMax = 262_144 + 2 * 1_048_576;

/** What may be said to who has not said who it is. */
const refusals =
  /^(-(NOAUTH|WRONGPASS|NOPROTO|ERR|EXECABORT Transaction discarded because of: (NOAUTH|ERR)) ?[^\r\n]*|\+OK|\+RESET)\r\n$/;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapBytes(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function repliesIn(text: string): { replies: string[]; rest: string } {
  const replies: string[] = [];
  let at = 0;
  for (let end = replyEnd(text, at); end !== undefined; end = replyEnd(text, at)) {
    replies.push(text.slice(at, end));
    at = end;
  }
  return { replies, rest: text.slice(at) };
}

class Life {
  readonly #opened = new OpenedEngine(false);
  readonly #hasPassword: boolean;
  #door!: Door;
  #requests!: HostileRequests;

  constructor(number: number) {
    this.#hasPassword = number % 2 === 1;
  }

  async begin(number: number): Promise<void> {
    const kv = this.#opened.handle();
    await kv.set("k", secret);
    await kv.append("l", secret);
    const served = await Handle.served(kv);
    const functions = new FunctionDoor(functionLibraryOf(served), storeName);
    const password = "only the right one is right";
    const users = [{ name: "reader", password: `${password}!`, readOnly: true }];
    const settings = respSettings({ ...limits, ...(this.#hasPassword && { password, users }) });
    this.#door = doorTo(served, settings, { commands: () => functionRows(functions) }).door;
    const names = this.#door.table.commands.map(({ name }) => name);
    this.#requests = new HostileRequests(seed * 1_000_003 + number, names, storeKey);
  }

  async turn(): Promise<void> {
    const door = this.#door;
    const { env } = this.#opened;
    const before = this.#kept();
    const settings = { ...door.settings };
    const clients = Array.from({ length: clientsPerTurn }, () => this.#send());
    await env.idle();
    // Waits end, and the door sweeps.
    await env.advance(1_500);
    for (const session of door.sessions.values()) {
      expect(session.pendingInputBytes).toBeLessThan(inputBytesMax);
      if (this.#hasPassword) expect(session.user).toBeUndefined();
    }
    for (const { socket, client } of clients) this.#check(socket, client);
    for (const { socket } of clients) socket.destroy();
    await env.idle();
    if (this.#hasPassword) expect(this.#kept()).toBe(before);
    Object.assign(door.settings, settings);
    await this.#goesOn();
  }

  #send(): { socket: FakeSocket; client: HostileClient } {
    const socket = new FakeSocket();
    this.#door.accept(socket.asSocket);
    const client = this.#requests.client();
    if (client.isDeaf) socket.stopsReading();
    for (const bytes of client.pieces) socket.sends(bytes);
    if (client.leaves) socket.leaves();
    return { socket, client };
  }

  #check({ received }: FakeSocket, { pieces }: HostileClient): void {
    const told = () =>
      `${JSON.stringify(received.slice(0, 500))} for ${Buffer.concat(pieces).subarray(0, 2_000).toString("hex")}`;
    const { replies, rest } = repliesIn(received);
    expect(rest, told()).toBe("");
    if (/-ERR internal error|cannot be carried out/.test(received)) expect.fail(told());
    if (!this.#hasPassword) return;
    if (received.includes(secret)) expect.fail(told());
    for (const reply of replies) if (!refusals.test(reply)) expect.fail(told());
  }

  /** All that a command could change. */
  #kept(): string {
    if (!this.#hasPassword) return "";
    const { settings, channels } = this.#door;
    return JSON.stringify([this.#opened.dump(), settings, channels.names]);
  }

  /** Nothing is left of those who were there, and whoever comes is answered. */
  async #goesOn(): Promise<void> {
    const door = this.#door;
    expect([door.sessions.size, door.stalled.size, door.channels.names.length]).toEqual([0, 0, 0]);
    expect(door.facts.counts.blocked).toBe(0);
    const socket = new FakeSocket();
    door.accept(socket.asSocket);
    socket.sends(this.#hasPassword ? request("AUTH", "only the right one is right") : "");
    socket.sends("PING\r\n");
    await this.#opened.env.idle();
    expect(socket.received).toMatch(this.#hasPassword ? /^\+OK\r\n\+PONG\r\n$/ : /^\+PONG\r\n$/);
    socket.destroy();
    await this.#opened.env.idle();
  }

  /** Requests so far. */
  get inputs(): number {
    return this.#requests.made;
  }

  end(): void {
    expect(rowProblems(this.#opened.engine)).toEqual([]);
  }
}

async function live(number: number): Promise<void> {
  const life = new Life(number);
  await life.begin(number);
  while (life.inputs < Math.min(inputs, inputsPerLife)) await life.turn();
  life.end();
}

test(`hostile clients, seed ${seed}`, { timeout: 3_600_000 }, async () => {
  const heaps: number[] = [];
  for (let number = first; number < first + lives; number++) {
    try {
      await live(number);
    } catch (error) {
      const again = `ANYKV_SEED=${seed} ANYKV_FUZZ_AT=${number}`;
      throw new Error(`${again} npx vitest run test/server/resp/door-fuzz.test.ts`, {
        cause: error,
      });
    }
    heaps.push(heapBytes());
  }
  // By the second life both kinds of server have been there.
  const [, before = 0] = heaps;
  const after = heaps.at(-1) ?? 0;
  const mebibytes = [before, after].map((bytes) => (bytes / 2 ** 20).toFixed(1));
  console.info(`${lives} lives of ${inputsPerLife} requests, heap ${mebibytes.join(" then ")} MiB`);
  if (lives > 2) expect(after - before).toBeLessThan(16 * 2 ** 20);
});
