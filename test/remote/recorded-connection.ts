// A connection that tells what went through it.

import type { Call, Connection, Reply } from "../../src/remote/connection.js";
import { isList } from "../../src/remote/replies.js";

export interface Recorded {
  readonly operation: string;
  readonly args: number;
  readonly replyBytes: number;
}

export class RecordedConnection implements Connection {
  readonly partitions: number;
  readonly server: Connection["server"];
  readonly calls: Recorded[] = [];
  /** Runs behind each call, before its reply is given. */
  after: (call: Call) => Promise<void> = async () => {};
  /** What is given instead of a reply. */
  change: (call: Call, reply: Reply) => Reply = (_, reply) => reply;
  readonly #inner: Connection;

  constructor(inner: Connection) {
    this.#inner = inner;
    this.partitions = inner.partitions;
    this.server = inner.server;
  }

  async call(call: Call): Promise<Reply> {
    const reply = await this.#inner.call(call);
    const { operation, args } = call;
    this.calls.push({ operation, args: args.length, replyBytes: bytesOf(reply) });
    await this.after(call);
    return this.change(call, reply);
  }

  get hasEnded(): boolean {
    return this.#inner.hasEnded;
  }

  opened(): Promise<void> {
    return this.#inner.opened();
  }

  onReconnect(listener: () => void): void {
    this.#inner.onReconnect(listener);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

function bytesOf(reply: Reply): number {
  if (reply === null || typeof reply === "number") return 8;
  if (!isList(reply)) return Buffer.byteLength(reply);
  return reply.reduce((sum: number, each) => sum + bytesOf(each), 0);
}
