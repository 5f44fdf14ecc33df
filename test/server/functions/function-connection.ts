// A connection whose server is this process: each call goes the way of FCALL, in the bytes that a
// client would send, and so does its reply.

import type { Env } from "../../../src/env/env.js";
import {
  type Call,
  type Argument as CallArgument,
  type Connection,
  LibraryError,
  type Reply,
} from "../../../src/remote/connection.js";
import { partitionTag } from "../../../src/remote/partitions.js";
import { FunctionDoor, type ServedName } from "../../../src/server/functions/fcall.js";
import type { FunctionLibrary } from "../../../src/server/functions/function-library.js";
import { wireReply } from "../../../src/server/functions/function-reply.js";
import { type Argument, argumentOf } from "../../../src/server/resp/argument.js";

/** As a parser of RESP would give it. */
export function received(argument: CallArgument): Argument {
  return argumentOf(typeof argument === "object" ? argument : Buffer.from(String(argument)));
}

export class FunctionConnection implements Connection {
  readonly partitions: number;
  readonly server = { description: "this process", isCluster: false };
  readonly #door: FunctionDoor;
  readonly #name: ServedName;
  readonly #env: Env;
  readonly #underway = new Set<Promise<unknown>>();
  #closed = false;

  constructor(library: FunctionLibrary, name: ServedName, env: Env, partitions = 1) {
    this.#door = new FunctionDoor(library, name);
    this.#name = name;
    this.#env = env;
    this.partitions = partitions;
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
    const { prefix, store } = this.#name;
    const key = `${partitionTag(prefix, store, partition)}:v`;
    const words = [`anykv_${operation}`, 1, key, ...args].map(received);
    try {
      return wireReply(await this.#door.call(words, false));
    } catch (error) {
      // What goes over a wire is text.
      throw error instanceof LibraryError ? new LibraryError(error.message) : error;
    }
  }

  // The virtual Env counts work as ready only while somebody breathes.
  async #stayBusy(reply: Promise<unknown>): Promise<void> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    reply.then(settle, settle);
    while (!settled) await this.#env.timers.breathe();
  }
}
