// Connections: those of a server that are open, and which of them nobody misses.
//
// Node takes a connection for idle as soon as its last answer has been handed over, however much of it
// is still to be sent, and one that has sent nothing yet for busy. When a server closes, the one would
// lose an answer whose effect is there, and the other be waited for.

import type { Server } from "node:http";
import type { Socket } from "node:net";
import { stateOf } from "./connection-state.js";

export class Connections {
  /** Those that carry requests; with TLS from the end of the handshake on. */
  readonly #open = new Set<Socket>();
  readonly #accepted = new Set<Socket>();

  constructor(server: Server, isTls: boolean) {
    keep(server, "connection", this.#accepted);
    keep(server, isTls ? "secureConnection" : "connection", this.#open);
    // Called by `close` of the server, too.
    server.closeIdleConnections = () => this.closeIdle();
  }

  closeIdle(): void {
    for (const socket of this.#open) closeIfIdle(socket);
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

/** Closes a connection of which nothing is under way, and no part of a request has come. */
export function closeIfIdle(socket: Socket): void {
  const { untaken, bytesRead } = stateOf(socket);
  if (untaken.size > 0 || socket.writableLength > 0 || socket.bytesRead > bytesRead) return;
  socket.destroy();
}
