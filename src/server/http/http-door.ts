// HTTP door: a store as JSON over HTTP, on a port of its own.
//
// The life of a request: admission (address, Host, origin, token) -> route -> the body, bounded ->
// one call of the library -> one write. Nothing is kept between two requests.
//
// Who is cut off: headers and bodies that take too long to arrive (Node's own time-outs), callers that
// take nothing of a reply for `stallTimeout`, and connections without a request for `idleTimeout`. A
// request that only waits for its result may be silent as long as it likes.
//
// `close` stops listening, lets what has been received come to its end, and ends at once what only
// waits; whatever is left after `closeTimeout` is cut off.

import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { OperationCanceledError } from "../../base/errors.js";
import { type Env, nodeEnv } from "../../env/env.js";
import type { Kv } from "../../kv/kv.js";
import type { Figure } from "../figures.js";
import { namingOf, openFiles } from "../files/served-files.js";
import { listen } from "../listen.js";
import { cutOffIfDeaf, stateOf, whenOver } from "./connection-state.js";
import { Connections } from "./connections.js";
import { Dispatcher } from "./dispatcher.js";
import type { DoorContext, Exchange } from "./exchange.js";
import type { ServedFunctions } from "./function-calls.js";
import { type HttpOptions, type HttpSettings, httpSettings } from "./http-options.js";
import { answerUnreadable } from "./unreadable.js";

const probeAfterMs = 300_000;

export interface HttpAddress {
  readonly host: string;
  readonly port: number;
  /** As "http://127.0.0.1:6381". */
  readonly url: string;
}

export interface HttpDoor {
  readonly address: HttpAddress;
  /** Resolves when every connection is closed. The store stays open. Repeated calls do nothing. */
  close(): Promise<void>;
}

/** What the door is given beside the options of its user. */
export interface HttpSeams {
  /** Answers `POST /v1/fcall/<operation>`; absent: 501. */
  readonly functions?: ServedFunctions | undefined;
  /** Of another door to the same store; `GET /metrics` shows them, too. */
  readonly figures?: (() => readonly Figure[]) | undefined;
  readonly env?: Env | undefined;
  /** Told of what becomes an answer with the status 500 and no name. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Opens the door to a store; resolves when it listens.
 *
 * @throws InvalidOptionsError, also for a directory that is not there, what the opening of the store
 * rejects with, and what listening fails with.
 */
export async function openHttpDoor(
  kv: Kv,
  options?: HttpOptions,
  seams: HttpSeams = {},
): Promise<HttpDoor> {
  const settings = httpSettings(options);
  const { filesDirectory } = settings;
  const files = await openFiles(filesDirectory, "filesDirectory");
  const { serialization, disk } = await kv.stats();
  const door = new ListeningDoor(settings, seams, {
    kv,
    env: seams.env ?? nodeEnv,
    settings,
    files,
    isBytes: serialization === "bytes",
    naming: namingOf(disk?.path, files?.root),
  });
  await door.listen();
  return door;
}

class ListeningDoor implements HttpDoor {
  readonly #settings: HttpSettings;
  readonly #env: Env;
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #dispatcher: Dispatcher;
  /** What waits for others, and what works for a while; each ends in its own way. */
  readonly #waiting = new Set<AbortController>();
  readonly #working = new Set<AbortController>();
  #address: HttpAddress | undefined;
  #closed: Promise<void> | undefined;

  constructor(settings: HttpSettings, seams: HttpSeams, shared: Omit<DoorContext, "attend">) {
    this.#settings = settings;
    this.#env = shared.env;
    this.#server = serverOf(settings);
    this.#connections = new Connections(this.#server, this.#env.timers, settings.tls !== undefined);
    const context: DoorContext = {
      ...shared,
      attend: (exchange, pace) => this.#attend(exchange, pace),
    };
    const connections = (): Promise<number> =>
      new Promise((resolve) => this.#server.getConnections((_error, count) => resolve(count)));
    this.#dispatcher = new Dispatcher(context, seams, connections);
    this.#server.on("request", (request, response) => this.#dispatcher.handle(request, response));
    this.#server.on("timeout", (socket: Socket) => this.#silent(socket));
    this.#server.on("clientError", (error, socket) => {
      this.#dispatcher.metrics.unreadable();
      answerUnreadable(error, socket as Socket);
    });
    // There is nobody to tell: what is written now goes out when the handshake is done.
    this.#server.on("tlsClientError", (_error, socket: Socket) => socket.destroy());
  }

  get address(): HttpAddress {
    if (this.#address === undefined) throw new Error("the door does not listen yet");
    return this.#address;
  }

  /** @throws ServerListenError */
  async listen(): Promise<void> {
    const { host, port, tls } = this.#settings;
    const server = this.#server;
    await listen(server, { host, port });
    const { address, port: taken, family } = server.address() as AddressInfo;
    const shown = family === "IPv6" ? `[${address}]` : address;
    const scheme = tls === undefined ? "http" : "https";
    this.#address = { host: address, port: taken, url: `${scheme}://${shown}:${taken}` };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const server = this.#server;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.#dispatcher.close(() => this.#connections.closeIdleSoon());
    cancel(this.#waiting);
    const { closeTimeoutMs } = this.#settings;
    const timer = this.#env.timers.after(closeTimeoutMs, () => this.#cutOff(), true);
    await closed;
    timer.cancel();
  }

  #cutOff(): void {
    cancel(this.#working);
    this.#connections.closeAll();
  }

  #attend({ request, response, leaveTurn }: Exchange, pace: "waits" | "works"): AbortSignal {
    const isWaiting = pace === "waits";
    const controllers = isWaiting ? this.#waiting : this.#working;
    const controller = new AbortController();
    const hangUp = (): void => controller.abort(new Error("the caller has hung up"));
    controllers.add(controller);
    whenOver(response, () => {
      controllers.delete(controller);
      if (!response.writableFinished) hangUp();
    });
    if (!isWaiting) return controller.signal;
    const connection = stateOf(request.socket);
    connection.waiting.add(response);
    if (this.#closed !== undefined) cancel(this.#waiting);
    // Nobody would notice that a caller has left of whom nothing more can be read.
    if (connection.isUnreadable || cutOffIfDeaf(request.socket)) hangUp();
    leaveTurn();
    return controller.signal;
  }

  /** Nothing has come and gone for a while. */
  #silent(socket: Socket): void {
    if (this.#dispatcher.isWaiting(socket)) return;
    socket.destroy();
  }
}

function cancel(controllers: ReadonlySet<AbortController>): void {
  for (const controller of controllers) {
    controller.abort(new OperationCanceledError("the server is closing"));
  }
}

function serverOf(settings: HttpSettings): Server {
  const { headerTimeoutMs, requestTimeoutMs, tls } = settings;
  const headersTimeout = Math.min(headerTimeoutMs, requestTimeoutMs);
  const options = {
    headersTimeout,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: settings.idleTimeoutMs,
    // Peers that vanish without a word: a waiting pop would take an element for nobody.
    keepAlive: true,
    keepAliveInitialDelay: probeAfterMs,
    // How often Node looks for requests that take too long.
    connectionsCheckingInterval: Math.min(5_000, Math.max(50, Math.floor(headersTimeout / 2))),
  };
  const server =
    tls === undefined
      ? createServer(options)
      : createTlsServer({ ...tls, ...options, handshakeTimeout: headersTimeout });
  server.timeout = settings.stallTimeoutMs;
  server.maxConnections = settings.connectionsMax;
  return server;
}
