// Connections of a remote store to the door of a server, over real sockets.
//
// The client's own timers run in real time. While a call is under way the virtual Env of the test is
// kept busy, so that its time does not go on.

import type { Env } from "../../../src/env/env.js";
import { nodeEnv } from "../../../src/env/env.js";
import { normalizeOptions } from "../../../src/kv/options/options.js";
import {
  type Call,
  type Connection,
  LibraryError,
  type Reply,
} from "../../../src/remote/connection.js";
import { openValkey } from "../../../src/remote/valkey/open-valkey.js";
import type { ValkeySettings } from "../../../src/remote/valkey/valkey-settings.js";
import { WirePeer } from "../resp/wire-peer.js";

/** What `openKv` connects with. */
export async function resp2(url: string, env: Env, retryWrites: boolean): Promise<Connection> {
  const { valkey } = normalizeOptions({ backend: "valkey", valkey: { url, retryWrites } });
  const settings = valkey as ValkeySettings;
  const inner = await openValkey({ env: nodeEnv, settings, storeName: undefined });
  return new BusyConnection(inner, env);
}

/** A client that says `HELLO 3`. */
export async function resp3(port: number, env: Env): Promise<Connection> {
  const peer = await WirePeer.connect(port);
  const hello = await peer.run("HELLO", 3);
  if (!hello.startsWith("%")) throw new Error(`no map in RESP3: ${hello}`);
  return new BusyConnection(new Resp3Connection(peer), env);
}

class BusyConnection implements Connection {
  readonly #inner: Connection;
  readonly #env: Env;

  constructor(inner: Connection, env: Env) {
    this.#inner = inner;
    this.#env = env;
  }

  get partitions(): number {
    return this.#inner.partitions;
  }

  get server(): Connection["server"] {
    return this.#inner.server;
  }

  get hasEnded(): boolean {
    return this.#inner.hasEnded;
  }

  call(call: Call): Promise<Reply> {
    return this.#attend(this.#inner.call(call));
  }

  opened(): Promise<void> {
    return this.#attend(this.#inner.opened());
  }

  onReconnect(listener: () => void): void {
    this.#inner.onReconnect(listener);
  }

  close(): Promise<void> {
    return this.#attend(this.#inner.close());
  }

  #attend<Result>(work: Promise<Result>): Promise<Result> {
    void this.#stayBusy(work);
    return work;
  }

  // The virtual Env counts work as ready as long as somebody breathes.
  async #stayBusy(work: Promise<unknown>): Promise<void> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    work.then(settle, settle);
    while (!settled) await this.#env.timers.breathe();
  }
}

class Resp3Connection implements Connection {
  readonly partitions = 1;
  readonly server = { description: "anykv over RESP3", isCluster: false };
  readonly #peer: WirePeer;
  readonly #underway = new Set<Promise<unknown>>();
  #closed = false;

  constructor(peer: WirePeer) {
    this.#peer = peer;
  }

  get hasEnded(): boolean {
    return this.#closed;
  }

  async opened(): Promise<void> {}

  onReconnect(): void {}

  call({ operation, args }: Call): Promise<Reply> {
    if (this.#closed) return Promise.reject(new Error("the connection is closed"));
    const reply = this.#peer.run("FCALL", `anykv_${operation}`, 1, "anykv:{:0}:v", ...args);
    const settled = reply.then(replyOf);
    this.#underway.add(settled);
    const leave = (): boolean => this.#underway.delete(settled);
    settled.then(leave, leave);
    return settled;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underway);
    this.#peer.close();
  }
}

/** Of the text of a reply, a character for each byte. */
function replyOf(text: string): Reply {
  let at = 0;
  const one = (): Reply => {
    const line = text.indexOf("\r\n", at);
    const [sign, rest] = [text[at], text.slice(at + 1, line)];
    at = line + 2;
    if (sign === ":") return Number(rest);
    if (sign === "*") return Array.from({ length: Number(rest) }, one);
    if (sign !== "$") throw refusalOf(Buffer.from(`${sign}${rest}`, "latin1").toString());
    at += Number(rest) + 2;
    return Buffer.from(text.slice(at - Number(rest) - 2, at - 2), "latin1");
  };
  return one();
}

function refusalOf(line: string): Error {
  const message = line.replace(/^-/, "");
  return message.startsWith("ANYKV_") ? new LibraryError(message) : new Error(message);
}
