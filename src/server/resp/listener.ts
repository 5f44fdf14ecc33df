// Listener: where clients come in, by TCP, TLS or a Unix socket.

import { unlink } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";

// Connections that wait to be accepted.
const backlog = 4_096;
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

export type Place = { readonly host: string; readonly port: number } | { readonly path: string };

export class Listener {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Resolves when it listens. */
  static async open(
    place: Place,
    tls: TlsOptions | undefined,
    accept: (socket: Socket) => void,
  ): Promise<Listener> {
    const server = serverFor(tls, accept);
    try {
      await listen(server, place);
    } catch (error) {
      if (!("path" in place) || !isInUse(error) || !(await isAbandoned(place.path))) throw error;
      await unlink(place.path);
      await listen(server, place);
    }
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

function listen(server: Server, place: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...place, backlog }, () => {
      server.off("error", reject);
      // What goes wrong while a connection is accepted costs that connection.
      server.on("error", () => {});
      resolve();
    });
  });
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

/** Whether nobody listens on a Unix socket that is there: its process has been killed. */
function isAbandoned(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code === "ECONNREFUSED");
    });
  });
}
