// Pending call: one call on its way, and the attempts to carry it out.
//
// A client of iovalkey takes an attempt for one of its commands. It may want to write it again by
// itself: after a reconnect (`autoResendUnfulfilledCommands`), or, in a cluster, when the connection
// to a node broke (`retryDelayOnFailover`). That would repeat what may have happened, so an attempt
//
// 1. is written once; a second time it writes a PING instead and counts as lost;
// 2. may be written again after the server has refused it, which is how a cluster redirects;
// 3. writes a PING, too, once its call has been given up: it may still wait in a queue of the client.

import type { Call, Reply } from "../connection.js";
import { makesRoom } from "../operation-table.js";
import type { Ticket } from "./once-calls.js";
import { isReplyError } from "./server-errors.js";
import type { ClientCommand } from "./valkey-client.js";

/** Whoever decides what becomes of calls. */
export interface CallOwner {
  answered(call: PendingCall, reply: Reply): void;
  /** The attempt of the call has failed; `wasLost`: it was written, and no answer came. */
  failed(call: PendingCall, error: Error, wasLost: boolean): void;
}

export class PendingCall {
  readonly call: Call;
  readonly slot: number;
  /** When it is given up, on the monotonic clock. */
  readonly deadline: number;
  readonly promise: Promise<Reply>;
  resolve!: (reply: Reply) => void;
  reject!: (error: Error) => void;
  attempt: Attempt | undefined;
  /** An attempt was lost: it may have been carried out. */
  isUncertain = false;
  /** Why it was last refused or could not be sent, for the error when time is up. */
  lastError: Error | undefined;
  /** How often the library was loaded for its sake. */
  loads = 0;
  /** What it is sent as if it is sent as `once`. */
  ticket: Ticket | undefined;
  /** Nobody has asked for it: it ends what may still be on its way. */
  isFence = false;
  /** How often the client has begun for its sake: once-calls.ts. */
  begins = 0;
  /** The server did not know the script: the next attempt brings the source along. */
  needsSource = false;

  constructor(call: Call, slot: number, deadline: number) {
    this.call = call;
    this.slot = slot;
    this.deadline = deadline;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Whether nobody can tell that it was carried out, or how often. */
  get isRepeatable(): boolean {
    return this.call.isRead || this.ticket !== undefined;
  }

  /** The call as it is written. */
  get form(): Call {
    const { call, ticket } = this;
    if (ticket === undefined) return call;
    const operation = makesRoom(call.operation) ? "once_free" : "once";
    const args = [ticket.client, ticket.sequence, call.operation, ...call.args];
    return { ...call, operation, args };
  }
}

const ping = "*1\r\n$4\r\nPING\r\n";

type Redirect = (error: Error) => void;

export class Attempt implements ClientCommand {
  readonly name = "fcall";
  readonly args: readonly unknown[] = [];
  readonly #pending: PendingCall;
  readonly #owner: CallOwner;
  readonly #payload: string | Buffer;
  #redirect: Redirect | undefined;
  #isWritten = false;
  #isOver = false;

  constructor(pending: PendingCall, payload: string | Buffer, owner: CallOwner) {
    this.#pending = pending;
    this.#payload = payload;
    this.#owner = owner;
  }

  get promise(): Promise<Reply> {
    return this.#pending.promise;
  }

  /** Whether it may have reached the server. */
  get isWritten(): boolean {
    return this.#isWritten;
  }

  /** About how many bytes it writes. */
  get size(): number {
    return this.#payload.length;
  }

  /** No matter what comes now, it is not for the call any more. */
  giveUp(): void {
    this.#isOver = true;
  }

  /** The connection is gone: what has been written will not be answered. */
  lose(): void {
    if (this.#isWritten && !this.#isOver) {
      this.#fail(new Error("the connection was lost before the answer came"));
    }
  }

  toWritable(): string | Buffer {
    this.lose();
    if (this.#isOver) return ping;
    this.#isWritten = true;
    return this.#payload;
  }

  // An instance field each: clients call them detached from the object.
  readonly resolve = (reply: unknown): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.answered(this.#pending, reply as Reply);
  };

  get reject(): Redirect {
    return this.#rejected;
  }

  /** A cluster sets here how it handles redirections. */
  set reject(redirect: Redirect) {
    this.#redirect = redirect;
  }

  readonly #rejected = (error: Error): void => {
    if (this.#isOver) return;
    const isRefusal = isReplyError(error);
    if (isRefusal) this.#isWritten = false;
    if (isRefusal && this.#redirect !== undefined && error.message.startsWith("MOVED ")) {
      this.#redirect(error);
    } else {
      this.#fail(error);
    }
  };

  #fail(error: Error): void {
    this.#isOver = true;
    this.#owner.failed(this.#pending, error, this.#isWritten);
  }

  getSlot(): number {
    return this.#pending.slot;
  }

  getKeys(): readonly string[] {
    return [];
  }

  // Replies are taken as they come, and time is watched over calls, not over attempts.
  setReplyContext(): void {}

  setBlockingTimeout(): void {}

  setTimeout(): void {}
}
