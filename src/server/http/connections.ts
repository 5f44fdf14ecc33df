// Connections: those of a server that are open, and which of them nobody misses.
//
// Node takes a connection for idle as soon as its last answer has been handed over, however much of it
// is still to be sent, and one that has sent nothing yet for busy. When a server closes, the one would
// lose an answer whose effect is there, and the other be waited for.

import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Timers } from "../../env/env.js";
import { stateOf } from "./connection-state.js";

export class Connections {
  /** Those that carry requests; with TLS from the end of the handshake on. */
  readonly #open = new Set<Socket>();
  readonly #accepted = new Set<Socket>();
  readonly #timers: Timers;
  readonly #closeIdleOfNode: () => void;
  #isDue = false;

  constructor(server: Server, timers: Timers, isTls: boolean) {
    this.#timers = timers;
    keep(server, "connection", this.#accepted);
    keep(server, isTls ? "secureConnection" : "connection", this.#open);
    this.#closeIdleOfNode = server.closeIdleConnections.bind(server);
    // Called by `close` of the server, too.
    server.closeIdleConnections = () => this.closeIdle();
  }

  /** Node knows who is in the middle of a request; those that have an answer to take are shielded. */
  closeIdle(): void {
    const shielded = [...this.#open].filter(hasAnswers);
    for (const socket of shielded) {
      Object.defineProperty(socket, "destroy", { value: () => socket, configurable: true });
    }
    try {
      this.#closeIdleOfNode();
    } finally {
      for (const socket of shielded) Reflect.deleteProperty(socket, "destroy");
    }
    for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy();
  }

  /** When others that become idle in this turn of the event loop have done so. */
  closeIdleSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#timers.breathe().then(() => {
      this.#isDue = false;
      this.closeIdle();
    });
  }

  closeAll(): void {
    for (const socket of this.#open) socket.destroy();
    for (const socket of this.#accepted) socket.destroy();
  }
}

function keep(server: Server, event: string, sockets: Set<Socket>): void {
  server.on(event, (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
}

function hasAnswers(socket: Socket): boolean {
  return stateOf(socket).untaken.size > 0 || socket.writableLength > 0;
}
