// Client session: the state of one connection, as commands see it.

import type { Env } from "../../env/env.js";
import { ClientTransaction } from "./client-transaction.js";
import { CommandError } from "./command.js";
import { type Encoded, type Encoder, resp2 } from "./encoder.js";
import type { Executor } from "./executor.js";
import type { ReplyMode, Server, Session } from "./session.js";
import type { User } from "./users.js";

/** What a session needs of the connection that it belongs to. */
export interface Wire {
  readonly address: string;
  readonly localAddress: string;
  readonly idleMs: number;
  readonly lastCommand: string;
  readonly pendingInputBytes: number;
  readonly pendingOutputBytes: number;
  send(text: Encoded): void;
  endAfterReply(): void;
  kill(): void;
  /** Whether who is at the other end is known. */
  identified(isKnown: boolean): void;
}

export class ClientSession implements Session {
  readonly server: Server;
  readonly id: number;
  readonly since: number;
  readonly channels = new Set<string>();
  readonly patterns = new Set<string>();
  readonly transaction: ClientTransaction;
  name = "";
  libraryName = "";
  libraryVersion = "";
  replyMode: ReplyMode = "on";
  readonly #wire: Wire;
  readonly #executor: Executor;
  #encode: Encoder = resp2;
  #user: User | undefined;
  // Ends the wait of a blocking command.
  #wait: AbortController | undefined;

  constructor(id: number, server: Server, wire: Wire, executor: Executor, env: Env) {
    this.id = id;
    this.server = server;
    this.#wire = wire;
    this.#executor = executor;
    this.since = env.clock.now();
    this.transaction = new ClientTransaction(this, executor);
    this.user = server.users.anyone;
  }

  get encode(): Encoder {
    return this.#encode;
  }

  set encode(encode: Encoder) {
    this.#encode = encode;
    this.#executor.encode = encode;
  }

  get user(): User | undefined {
    return this.#user;
  }

  set user(user: User | undefined) {
    this.#user = user;
    this.#wire.identified(user !== undefined);
  }

  get address(): string {
    return this.#wire.address;
  }

  get localAddress(): string {
    return this.#wire.localAddress;
  }

  get idleMs(): number {
    return this.#wire.idleMs;
  }

  get lastCommand(): string {
    return this.#wire.lastCommand;
  }

  get pendingInputBytes(): number {
    return this.#wire.pendingInputBytes;
  }

  get pendingOutputBytes(): number {
    return this.#wire.pendingOutputBytes;
  }

  /** Whether commands can be carried out as they come, without a closer look at the session. */
  get isPlain(): boolean {
    return (
      this.#user !== undefined &&
      !this.#user.readOnly &&
      !this.transaction.isOpen &&
      this.replyMode === "on" &&
      this.channels.size + this.patterns.size === 0
    );
  }

  /** Called behind every command while not every reply is sent. */
  turnReplyMode(): void {
    if (this.replyMode === "skip next") this.replyMode = "skip";
    else if (this.replyMode === "skip") this.replyMode = "on";
  }

  get isBlocked(): boolean {
    return this.#wait !== undefined;
  }

  /** The signal of a blocking command that begins; `endWait` has to follow. */
  beginWait(): AbortSignal {
    this.#wait = new AbortController();
    this.server.facts.counts.blocked++;
    return this.#wait.signal;
  }

  /** Whether it was ended as if its time were up. */
  endWait(): boolean {
    const signal = this.#wait?.signal;
    this.#wait = undefined;
    this.server.facts.counts.blocked--;
    return signal?.aborted === true && signal.reason === timeUp;
  }

  unblock(reason: "timeout" | "error"): boolean {
    if (this.#wait === undefined) return false;
    this.#wait.abort(
      reason === "timeout"
        ? timeUp
        : new CommandError("UNBLOCKED client unblocked via CLIENT UNBLOCK"),
    );
    return true;
  }

  /** Ends the wait of a blocking command, as the connection ends. */
  abandon(why: string): void {
    this.#wait?.abort(new CommandError(why));
  }

  send(text: Encoded): void {
    this.#wire.send(text);
  }

  endAfterReply(): void {
    this.#wire.endAfterReply();
  }

  kill(): void {
    this.#wire.kill();
  }

  reset(): void {
    this.transaction.discard();
    this.leaveChannels();
    this.replyMode = "on";
    this.name = "";
    this.encode = resp2;
    this.user = this.server.users.anyone;
  }

  leaveChannels(): void {
    const { channels } = this.server;
    for (const channel of this.channels) channels.unsubscribe(channel, this);
    for (const pattern of this.patterns) channels.unsubscribePattern(pattern, this);
    this.channels.clear();
    this.patterns.clear();
  }
}

const timeUp = new CommandError("the time is up");
