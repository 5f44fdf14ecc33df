// Nuisances: clients that send requests and read no reply, that subscribe and read no message, that
// send one byte at a time. The first two have to be cut off; the last are served like anybody else.

import { setMaxListeners } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { encoded, type Reply, ReplyReader, type WireError } from "./programs/wire.js";

const text = "x".repeat(100_000);
/** A reply that has not come by then does not come any more. */
const replyMs = 120_000;

function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.setEncoding("latin1");
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** A client that behaves. */
export class Visitor {
  readonly #socket: Socket;
  readonly #reader = new ReplyReader();
  readonly #due: ((reply: Reply) => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      for (const reply of this.#reader.push(String(chunk))) this.#due.shift()?.(reply);
    });
    socket.on("error", () => {});
  }

  static async connect(port: number): Promise<Visitor> {
    return new Visitor(await open(port));
  }

  /** Rejects when the reply does not come. */
  ask(...words: (string | number)[]): Promise<Reply> {
    this.#socket.write(encoded(words), "latin1");
    return new Promise((resolve, reject) => {
      const lost = () => reject(new Error(`no reply to ${words[0]}`));
      const timer = setTimeout(lost, replyMs);
      this.#due.push((reply) => {
        clearTimeout(timer);
        resolve(reply);
      });
    });
  }

  /** A number that INFO tells. */
  async told(fact: string): Promise<number> {
    const info = await this.ask("INFO");
    return Number(new RegExp(`^${fact}:(\\d+)`, "m").exec(String(info))?.[1]);
  }

  leave(): void {
    this.#socket.destroy();
  }
}

export interface Seen {
  /** Of the clients that do not read: how often they were cut off. */
  cutOff: number;
  /** Requests that came byte by byte, and had the right reply. */
  slow: number;
  readonly faults: string[];
}

/** A client that asks and does not read, again and again, until it is cut off behind the signal. */
async function neverReading(port: number, seen: Seen, signal: AbortSignal): Promise<void> {
  const visitor = await Visitor.connect(port);
  await visitor.ask("SET", "nuisance:text", text);
  const asking = encoded(["GET", "nuisance:text"]).repeat(100);
  do {
    const socket = await open(port);
    // Nothing is read: the end is seen by writing only.
    socket.on("error", () => {});
    socket.on("close", () => seen.cutOff++);
    while (!socket.closed) {
      if (socket.writableLength < 1_000_000) socket.write(asking);
      await sleep(50);
    }
  } while (!signal.aborted);
  visitor.leave();
}

/** The same with a subscriber that does not read, and messages for it. */
async function neverListening(port: number, seen: Seen, signal: AbortSignal): Promise<void> {
  const visitor = await Visitor.connect(port);
  do {
    const socket = await open(port);
    socket.on("error", () => {});
    socket.write(encoded(["SUBSCRIBE", "nuisance"]));
    while ((await visitor.ask("PUBLISH", "nuisance", "begin")) === 0) await sleep(20);
    while ((await visitor.ask("PUBLISH", "nuisance", text)) === 1) await sleep(5);
    seen.cutOff++;
    socket.destroy();
    await sleep(1_000, undefined, { signal }).catch(() => {});
  } while (!signal.aborted);
  visitor.leave();
}

/** Until the signal: requests that take their time to arrive, each with its reply. */
async function slowly(
  port: number,
  name: string,
  byteMs: number,
  seen: Seen,
  signal: AbortSignal,
): Promise<void> {
  const socket = await open(port);
  const reader = new ReplyReader();
  const replies: Reply[] = [];
  socket.on("data", (chunk) => replies.push(...reader.push(String(chunk))));
  socket.on("error", () => {});
  socket.on("close", () => {
    if (!signal.aborted) seen.faults.push(`${name}, who sends slowly, was cut off`);
  });
  for (let count = 1; !signal.aborted; count++) {
    for (const byte of encoded(["INCR", name])) {
      socket.write(byte);
      await sleep(byteMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) break;
    }
    if (signal.aborted) break;
    // At least the last byte is under way still.
    while (replies.length === 0 && !signal.aborted) await sleep(20);
    const reply = replies.shift();
    if (reply === count && replies.length === 0) seen.slow++;
    else if (!signal.aborted)
      seen.faults.push(`${name}: ${String((reply as WireError)?.text ?? reply)} for ${count}`);
  }
  // Nothing of it may come behind what is removed in the end.
  if (socket.destroyed) return;
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.end();
  await closed;
}

/** All of them at once, until the signal; then nothing of them is left at the server. */
export async function nuisances(port: number, byteMs: number, signal: AbortSignal): Promise<Seen> {
  setMaxListeners(0, signal);
  const seen: Seen = { cutOff: 0, slow: 0, faults: [] };
  const names = Array.from({ length: 20 }, (_, number) => `nuisance:${number}`);
  await Promise.all([
    neverReading(port, seen, signal),
    neverListening(port, seen, signal),
    ...names.map((name) => slowly(port, name, byteMs, seen, signal)),
  ]);
  const visitor = await Visitor.connect(port);
  await visitor.ask("DEL", "nuisance:text", ...names);
  visitor.leave();
  return seen;
}
