// Listener: where clients come in, by TCP, TLS or a Unix socket.

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { listen, type Place } from "../listen.js";

const keepAliveMs = 300_000;
const handshakeTimeoutMs = 10_000;

const socketOptions = {
  // A client that has sent all it has to say still gets its replies.
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  // Nothing is read before somebody takes it.
  pauseOnConnect: true,
  keepAliveInitialDelay: keepAliveMs,
};

export class Listener {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * Resolves when it listens.
   *
   * @throws ServerListenError
   */
  static async open(
    place: Place,
    tls: TlsOptions | undefined,
    accept: (socket: Socket) => void,
  ): Promise<Listener> {
    const server = serverFor(tls, accept);
    await listen(server, place);
    return new Listener(server);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" ? ((address as AddressInfo | null)?.port ?? 0) : 0;
  }

  /** No further connections; those that there are stay. */
  close(): void {
    this.#server.close();
  }
}

function serverFor(tls: TlsOptions | undefined, accept: (socket: Socket) => void): Server {
  if (tls === undefined) return createServer(socketOptions, accept);
  const options = { handshakeTimeout: handshakeTimeoutMs, ...tls, ...socketOptions };
  const server = createTlsServer(options, accept);
  // Who cannot agree on TLS is let go; that concerns nobody else.
  server.on("tlsClientError", (_, socket) => socket.destroy());
  return server;
}
