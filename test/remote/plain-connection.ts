// A plain connection for tests of the store: one client, no retries, no cluster. With the test clock
// the server is told the time of the Env before a call whenever it has moved.

import { Redis } from "iovalkey";
import type { Env } from "../../src/env/env.js";
import {
  type Argument,
  type Call,
  type Connection,
  LibraryError,
  type Reply,
} from "../../src/remote/connection.js";
import { type LibraryClock, libraryWith } from "../../src/remote/library.js";
import { partitionTag } from "../../src/remote/partitions.js";

export const testPrefix = "suite";

export interface PlainOptions {
  readonly store: string;
  readonly partitions: number;
  readonly clock: LibraryClock;
  readonly form: "functions" | "script";
}

/** A client that loads the library into the server: on a port of the loopback, or at an URL. */
export async function plainClient(place: number | string, clock: LibraryClock): Promise<Redis> {
  const client =
    typeof place === "number"
      ? new Redis({ port: place, host: "127.0.0.1", enableAutoPipelining: false })
      : new Redis(place.replace(/^valkey/, "redis"), { enableAutoPipelining: false });
  const library = libraryWith(clock);
  await client.call("FUNCTION", "LOAD", "REPLACE", library.functions);
  await client.call("SCRIPT", "LOAD", library.script);
  return client;
}

/** Shares a client that outlives it. */
export class PlainConnection implements Connection {
  readonly partitions: number;
  readonly server = { description: "a plain server", isCluster: false };
  readonly #client: Redis;
  readonly #env: Env;
  readonly #options: PlainOptions;
  readonly #underway = new Set<Promise<unknown>>();
  #told = Number.NaN;
  #closed = false;

  constructor(client: Redis, env: Env, options: PlainOptions) {
    this.#client = client;
    this.#env = env;
    this.#options = options;
    this.partitions = options.partitions;
  }

  tag(partition: number): string {
    return partitionTag(testPrefix, this.#options.store, partition);
  }

  call(call: Call): Promise<Reply> {
    if (this.#closed) return Promise.reject(new Error("the connection is closed"));
    const reply = this.#send(call);
    this.#underway.add(reply);
    void this.#stayBusy(reply).finally(() => this.#underway.delete(reply));
    return reply;
  }

  onReconnect(): void {}

  async opened(): Promise<void> {}

  get hasEnded(): boolean {
    return this.#closed;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underway);
  }

  async #send({ operation, partition, args }: Call): Promise<Reply> {
    this.#tellTime();
    const { clock, form } = this.#options;
    const library = libraryWith(clock);
    const [command, name, ...before] =
      form === "functions"
        ? ["FCALL", `${library.name}_${operation}`]
        : ["EVALSHA", library.scriptSha1, operation];
    const keys = [1, `${this.tag(partition)}:v`];
    const words = [name, ...keys, ...before, ...args].map(word);
    try {
      return (await this.#client.callBuffer(`${command}`, ...(words as string[]))) as Reply;
    } catch (error) {
      const { message } = error as Error;
      throw message.startsWith("ANYKV_") ? new LibraryError(message) : error;
    }
  }

  #tellTime(): void {
    const now = this.#env.clock.now();
    if (this.#options.clock === "server" || now === this.#told) return;
    this.#told = now;
    for (let partition = 0; partition < this.partitions; partition++) {
      void this.#client.set(`${this.tag(partition)}:clock`, now);
    }
  }

  // The virtual Env counts work as ready as long as somebody breathes: it waits for replies, then.
  async #stayBusy(reply: Promise<unknown>): Promise<void> {
    if (this.#options.clock === "server") return;
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    reply.then(settle, settle);
    while (!settled) await this.#env.timers.breathe();
  }
}

function word(argument: Argument | undefined): string | Buffer {
  if (argument instanceof Uint8Array) {
    return Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);
  }
  return `${argument}`;
}
