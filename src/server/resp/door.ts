// RESP door: all connections of a server, and what they share.

import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Env, Timer } from "../../env/env.js";
import type { DirectAccess } from "../../store/direct.js";
import { Channels } from "./channels.js";
import type { CommandTable } from "./command-table.js";
import { Connection } from "./connection.js";
import { ScanCursors } from "./scan-cursors.js";
import type { Counts, ServerFacts } from "./server-facts.js";
import type { Server, Session } from "./session.js";
import type { Settings } from "./settings.js";
import type { Users } from "./users.js";
import type { ValueCodec } from "./value-codec.js";

const sweepMs = 1_000;
const fullReply = "-ERR max number of clients reached\r\n";

export interface DoorParts {
  readonly env: Env;
  readonly direct: DirectAccess;
  readonly values: ValueCodec;
  readonly table: CommandTable;
  readonly users: Users;
  readonly settings: Settings;
  readonly facts: ServerFacts;
}

export class Door implements Server {
  readonly env: Env;
  readonly direct: DirectAccess;
  readonly values: ValueCodec;
  readonly table: CommandTable;
  readonly users: Users;
  readonly settings: Settings;
  readonly facts: ServerFacts;
  readonly channels = new Channels<Session>();
  readonly cursors = new ScanCursors();
  readonly sessions = new Map<number, Session>();
  /** Those for whom replies wait. */
  readonly stalled = new Set<Connection>();
  readonly #connections = new Map<number, Connection>();
  #unflushed: Connection[] = [];
  #lastId = 0;
  #bufferedBytes = 0;
  #sweep: Timer | undefined;
  #isClosing = false;
  #onEmpty: (() => void) | undefined;

  constructor(parts: DoorParts) {
    this.env = parts.env;
    this.direct = parts.direct;
    this.values = parts.values;
    this.table = parts.table;
    this.users = parts.users;
    this.settings = parts.settings;
    this.facts = parts.facts;
  }

  accept(socket: Socket): void {
    if (this.#isClosing || this.#connections.size >= this.settings.clientsMax) {
      this.facts.counts.rejectedConnections++;
      socket.on("error", () => {});
      socket.end(this.#isClosing ? "" : fullReply, () => socket.destroy());
      return;
    }
    this.facts.counts.connections++;
    const id = ++this.#lastId;
    const connection = new Connection(id, this, socket);
    this.#connections.set(id, connection);
    this.sessions.set(id, connection.session);
    this.#arm();
  }

  left(connection: Connection): void {
    const { id } = connection.session;
    this.stalled.delete(connection);
    this.sessions.delete(id);
    this.#connections.delete(id);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  /**
   * Hands over the replies of a connection when everybody has been served whose requests are there.
   * Handing over wakes a client, which costs as much as some requests: what is sent to clients that
   * are awake costs a fraction of that.
   */
  flushLater(connection: Connection): void {
    if (this.#unflushed.push(connection) === 1) this.env.timers.breathe().then(this.#flushAll);
  }

  readonly #flushAll = (): void => {
    const connections = this.#unflushed;
    this.#unflushed = [];
    for (const connection of connections) connection.flush();
  };

  /** What is buffered for clients has changed by so much; whether it is too much for all together. */
  buffered(bytes: number): boolean {
    this.#bufferedBytes += bytes;
    return this.#bufferedBytes > this.settings.bufferBytesMax;
  }

  // One timer for all connections, however many there are (ten thousand take it a millisecond or so);
  // none while there are none.
  #arm(): void {
    this.#sweep ??= this.env.timers.after(sweepMs, () => {
      this.#sweep = undefined;
      this.#cutOffIdle();
      if (this.#connections.size > 0) this.#arm();
    });
  }

  #cutOffIdle(): void {
    const { idleTimeoutMs, slowReaderTimeoutMs } = this.settings;
    const nowMs = this.env.clock.monotonic();
    for (const connection of this.#connections.values()) {
      connection.sweep(nowMs);
      const { idleMs } = connection;
      if (this.stalled.has(connection) && idleMs >= slowReaderTimeoutMs) this.#cutOff(connection);
      else if (idleTimeoutMs > 0 && idleMs >= idleTimeoutMs && !connection.mayBeIdle) {
        connection.kill();
      }
    }
  }

  #cutOff(connection: Connection): void {
    this.facts.counts.cutOff++;
    connection.kill();
  }

  /** Finishes what has been received; what takes longer is cut off. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosing = true;
    // What has arrived in this moment is seen.
    await this.env.timers.breathe();
    if (this.#connections.size > 0) {
      const empty = new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
      const timer = this.env.timers.after(timeoutMs, () => this.#killAll(), true);
      for (const connection of [...this.#connections.values()]) connection.finish();
      await empty;
      timer.cancel();
    }
    this.#sweep?.cancel();
  }

  #killAll(): void {
    for (const connection of [...this.#connections.values()]) connection.kill();
  }
}

export function newCounts(): Counts {
  return {
    connections: 0,
    commands: 0,
    rejectedConnections: 0,
    cutOff: 0,
    failedLogins: 0,
    blocked: 0,
  };
}

export function newRunId(): string {
  return randomBytes(20).toString("hex");
}
