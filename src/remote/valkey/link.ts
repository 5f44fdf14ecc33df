// Link: a client, and whether calls can be sent through it right now.
//
// Invariants
// 1. A connection to a single server is used only after it has passed the server check: behind the
//    same address there may be a replica, or another version, after a failover.
// 2. What is written in one turn of the event loop goes out together, as long as it is little; large
//    batches go out in parts.
// 3. Connections of our own never keep the process alive.

import { ServerConnectionError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import type { ServerFacts } from "../connection.js";
import { backOffMs, clientName } from "./client-options.js";
import { mindNeedlessPassword } from "./needless-password.js";
import type { Attempt } from "./pending-call.js";
import { ask } from "./raw-command.js";
import { checkServer, type Expected } from "./server-check.js";
import { isReplyError } from "./server-errors.js";
import type { ClientStream, NodeClient, ValkeyClient } from "./valkey-client.js";

/** So that a server begins while the rest is still being put together. */
const heldBytesMax = 49_152;

export interface LinkOptions {
  readonly env: Pick<Env, "timers">;
  readonly expected: Expected;
  /** Whether the client is ours to disconnect. */
  readonly isOwn: boolean;
}

export class Link {
  readonly client: ValkeyClient;
  readonly #options: LinkOptions;
  #isChecked = false;
  #isHungUp = false;
  #stopWaiting: () => void = () => {};
  #corked: ClientStream[] | undefined;
  #corkedBytes = 0;
  /** What the client has complained about last, until a connection stands. */
  lastError: Error | undefined;
  /** Whether the last attempt to connect got a connection; with TLS: a secured one. */
  wasConnected = false;
  /** Called when calls can be sent, also after a reconnect. */
  onUp: () => void = () => {};
  /** Called when the connection to a single server is gone. */
  onDown: () => void = () => {};
  /** Called when the client will not connect any more. */
  onEnd: () => void = () => {};
  readonly #listeners: readonly (readonly [event: string, listener: (...args: never[]) => void])[];

  constructor(client: ValkeyClient, options: LinkOptions) {
    this.client = client;
    this.#options = options;
    if (options.isOwn && !client.isCluster) mindNeedlessPassword(client, options.expected.at);
    this.#listeners = this.#listenersOf();
    for (const [event, listener] of this.#listeners) client.on(event, listener);
  }

  get isUp(): boolean {
    return this.#isChecked && this.client.status === "ready";
  }

  /** Whether the server has taken the connection, whatever is spoken on it. */
  get hasTcp(): boolean {
    return !this.client.isCluster && this.client.stream?.remoteAddress !== undefined;
  }

  get hasEnded(): boolean {
    return this.client.status === "end";
  }

  /**
   * Connects, and checks a single server.
   *
   * @throws whatever the client throws: `lastError` tells more; ServerUnsuitableError.
   */
  async open(): Promise<ServerFacts | undefined> {
    const { client } = this;
    if (this.hasEnded) {
      throw new ServerConnectionError("the client that was given has been closed", {
        hint: "give one that is open as `valkey.client`",
      });
    }
    if (client.status === "wait") await client.connect();
    else if (client.status !== "ready") await this.#ready();
    const facts = client.isCluster ? undefined : await this.#check(client);
    this.#isChecked = true;
    return facts;
  }

  send(attempt: Attempt): void {
    if (this.#corked === undefined) this.#cork();
    this.client.sendCommand(attempt);
    this.#corkedBytes += attempt.size;
    if (this.#corkedBytes >= heldBytesMax) this.#uncork();
  }

  /** The nodes that carry out calls. */
  primaries(): readonly NodeClient[] {
    return this.client.isCluster ? this.client.nodes("master") : [this.client];
  }

  /** Has a cluster asked where its slots are. */
  refresh(): void {
    if (this.client.isCluster) this.client.refreshSlotsCache?.();
  }

  /** Connects anew: behind the address there may be another server by now. */
  renew(): void {
    if (this.#options.isOwn && !this.client.isCluster) this.client.disconnect(true);
  }

  async hangUp(): Promise<void> {
    this.#isHungUp = true;
    const { client } = this;
    if (this.#options.isOwn && !this.hasEnded) {
      const isConnected = /^(connecting|connect|ready)$/.test(client.status);
      const closed = new Promise<void>((resolve) => client.on("close", () => resolve()));
      client.disconnect();
      // Between two attempts to connect there is nothing that could close.
      if (isConnected) await closed;
    }
    this.#stopWaiting();
    for (const [event, listener] of this.#listeners) {
      // What a dying client of ours still complains about must find a listener.
      if (event !== "error") client.off(event, listener);
      else if (!this.#options.isOwn) client.off(event, listener);
    }
  }

  #ready(): Promise<void> {
    const { client } = this;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        client.off("ready", ready);
        client.off("end", ended);
      };
      const ready = (): void => {
        stop();
        resolve();
      };
      const ended = (): void => {
        stop();
        reject(new Error("the client was closed"));
      };
      this.#stopWaiting = stop;
      client.on("ready", ready);
      client.on("end", ended);
    });
  }

  #listenersOf(): (readonly [string, (...args: never[]) => void])[] {
    // What a server says stands above what becomes of its connection afterwards.
    const complain = (error: Error): void => {
      if (!isReplyError(this.lastError) || isReplyError(error)) this.lastError = heard(error);
    };
    return [
      ["error", complain],
      ["node error", complain],
      ["connecting", () => this.#begin()],
      ["connect", () => this.#connected()],
      ["ready", () => void this.#recheck()],
      ["close", () => this.#closed()],
      ["end", () => this.onEnd()],
      ["reconnecting", () => this.#reconnecting()],
      ["+node", (node: NodeClient) => this.#free(node)],
    ];
  }

  #connected(): void {
    this.wasConnected = true;
    if (!this.client.isCluster && this.#options.isOwn) mind(this.client.stream);
  }

  #free(node: NodeClient): void {
    const { isOwn, expected } = this.#options;
    if (!isOwn) return;
    mindNeedlessPassword(node, expected.at);
    node.on("connect", () => mind(node.stream));
  }

  #reconnecting(): void {
    if (this.#options.isOwn) this.client.reconnectTimeout?.unref?.();
  }

  #begin(): void {
    this.wasConnected = false;
    this.lastError = undefined;
  }

  #closed(): void {
    if (this.client.isCluster) return;
    this.#isChecked = false;
    this.onDown();
  }

  /** After a reconnect; the first connection is checked by `open`. */
  async #recheck(): Promise<void> {
    const { client } = this;
    if (client.isCluster) {
      if (this.#isChecked) this.#rise();
      return;
    }
    if (!this.#hasOpened) return;
    try {
      await this.#check(client);
    } catch (error) {
      if (this.#isHungUp) return;
      if (error instanceof Error && client.status === "ready") this.lastError = error;
      this.#tryLater(client);
      return;
    }
    this.#isChecked = true;
    this.#rise();
  }

  #hasOpened = false;

  /** From now on the link looks after itself. */
  opened(): void {
    this.#hasOpened = true;
    this.lastError = undefined;
  }

  #rise(): void {
    this.lastError = undefined;
    if (!this.#isHungUp) this.onUp();
  }

  #tryLater(client: NodeClient): void {
    if (client.status !== "ready") return;
    const { env, isOwn } = this.#options;
    env.timers.after(backOffMs(5), () => {
      if (this.#isHungUp || client.status !== "ready") return;
      if (isOwn) client.disconnect(true);
      else void this.#recheck();
    });
  }

  async #check(client: NodeClient): Promise<ServerFacts> {
    const { env, expected, isOwn } = this.#options;
    // A server that turns us away says why and hangs up: whoever writes before reading that loses it.
    await env.timers.breathe();
    await env.timers.breathe();
    const checking = checkServer(client, expected);
    await checking.catch(() => {});
    // AUTH and SELECT were answered before; that they were refused is reported within this turn.
    await env.timers.breathe();
    if (isOwn) ask(client, "CLIENT", "SETNAME", clientName).catch(() => {});
    const refused = this.lastError as (Error & { command?: { name?: string } }) | undefined;
    const isRefused = isReplyError(refused) && /^(auth|select)$/.test(refused.command?.name ?? "");
    return isRefused ? Promise.reject(refused) : checking;
  }

  #cork(): void {
    const streams = this.primaries().flatMap(({ stream }) =>
      stream === undefined ? [] : [stream],
    );
    for (const stream of streams) stream.cork();
    this.#corked = streams;
    this.#corkedBytes = 0;
    this.#options.env.timers.breathe().then(() => {
      if (this.#corked === streams) this.#uncork();
    });
  }

  #uncork(): void {
    const streams = this.#corked ?? [];
    this.#corked = undefined;
    for (const stream of streams) stream.uncork();
  }
}

/** A client that gets an error reply before it has asked anything wraps it in a complaint. */
function heard(error: Error): Error {
  const [, reply] = /^Command queue state error.* Last error: (.*)$/s.exec(error.message) ?? [];
  return reply === undefined ? error : Object.assign(new Error(reply), { name: "ReplyError" });
}

/**
 * A stream of TLS can fail twice: it tells of an alert of the server, stays open, and is then reset.
 * The client listens once, and what fails unheard would end the process.
 */
function mind(stream: ClientStream | undefined): void {
  stream?.unref();
  stream?.on("error", () => {});
}
