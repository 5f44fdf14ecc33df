// Dispatcher: from a request to its route, and from whatever happens there to an answer.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { isKvError } from "../../base/errors.js";
import { Admission } from "./admission.js";
import { Disconnected } from "./body.js";
import {
  type ConnectionState,
  cutOffIfDeaf,
  leaveTurn,
  requestsAtOnceMax,
  stateOf,
  turnOf,
  whenOver,
} from "./connection-state.js";
import { DoorMetrics } from "./door-metrics.js";
import { EventStreams } from "./events.js";
import { type DoorContext, type Route, requireGrant } from "./exchange.js";
import { functionPath } from "./function-calls.js";
import type { HttpSeams } from "./http-door.js";
import { errorAnswer, Refusal, refused } from "./refusal.js";
import { jsonType, sendText } from "./reply.js";
import { functionRoute, operationRoutes, reportRoutes } from "./routes.js";
import { streamRoutes } from "./streams.js";

const preflightSeconds = 600;
/** While more of an answer waits for its caller, the next request of the connection does, too. */
const untakenBytesMax = 65_536;
/** Stands in the metrics for what led nowhere. */
const nowhere = "none";

export class Dispatcher {
  readonly metrics = new DoorMetrics();
  readonly #context: DoorContext;
  readonly #seams: HttpSeams;
  readonly #admission: Admission;
  readonly #events: EventStreams;
  readonly #routes: ReadonlyMap<string, Route>;
  /** Answers that are not complete yet. */
  readonly #underway = new Set<ServerResponse>();
  /** Set while closing: called whenever a connection may have become idle. */
  #onIdle: (() => void) | undefined;

  constructor(context: DoorContext, seams: HttpSeams, connections: () => Promise<number>) {
    this.#context = context;
    this.#seams = seams;
    this.#admission = new Admission(context.settings);
    this.#events = new EventStreams(context);
    const metricsText = async (): Promise<string> =>
      this.metrics.text(context.kv, {
        connections: await connections(),
        requests: this.#underway.size,
        eventStreams: this.#events.size,
        others: seams.figures?.() ?? [],
      });
    this.#routes = new Map(
      Object.entries({
        ...operationRoutes(context),
        ...streamRoutes(context),
        ...reportRoutes(context, metricsText),
        "/v1/stats/events": this.#events.route(),
      }),
    );
  }

  /** Ends the streams of events; from now on each answer is the last of its connection. */
  close(onIdle: () => void): void {
    this.#onIdle = onIdle;
    this.#events.close();
    for (const response of this.#underway) this.#markLast(response);
  }

  /** Whether a connection has a request whose answer is not there yet. */
  isWaiting(socket: Socket): boolean {
    return socket.writableLength === 0 && stateOf(socket).requests > 0;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const connection = stateOf(request.socket);
    if (connection.untaken.size >= requestsAtOnceMax) connection.isCutOff = true;
    else cutOffIfDeaf(request.socket);
    // What was sent with the rest may still come, and is not carried out.
    if (connection.isCutOff) {
      request.socket.destroy();
      return;
    }
    connection.untaken.add(response);
    whenOver(response, () => {
      connection.untaken.delete(response);
      connection.waiting.delete(response);
      this.#onIdle?.();
    });
    void this.#inTurn(connection, request, response);
  }

  /** Never rejects. */
  async #inTurn(
    connection: ConnectionState,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    connection.requests++;
    this.#underway.add(response);
    if (this.#onIdle !== undefined) this.#markLast(response);
    const turn = turnOf(connection);
    // Others have theirs in between.
    if (turn !== undefined) await turn.then(() => this.#context.env.timers.breathe());
    let hasTurn = true;
    const leave = (): void => {
      if (hasTurn) leaveTurn(connection);
      hasTurn = false;
    };
    if (connection.isCutOff || request.socket.destroyed) this.#underway.delete(response);
    else await this.#answer(request, response, leave);
    connection.requests--;
    connection.waiting.delete(response);
    if (response.writableLength > untakenBytesMax) whenOver(response, leave);
    else leave();
  }

  /** Never rejects. */
  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    leave: () => void,
  ): Promise<void> {
    let route: Route | undefined;
    try {
      const url = request.url ?? "/";
      const end = url.indexOf("?");
      const path = end === -1 ? url : url.slice(0, end);
      route = this.#routes.get(path) ?? this.#functionAt(path);
      this.#admission.admit(request, response);
      if (request.method === "OPTIONS") answerOptions(request, response, route);
      else {
        const grant =
          route?.isPublic === true ? { mayWrite: false } : this.#admission.grantOf(request);
        const found = requireRoute(route, request.method, path);
        requireGrant({ grant }, found.access);
        const query = end === -1 ? "" : url.slice(end + 1);
        await found.handle({ request, response, grant, query, leaveTurn: leave });
      }
    } catch (thrown) {
      this.#fail(thrown, response);
    }
    // What is left of a body that nobody has asked for: Node would read no further behind it, and not
    // notice when the caller leaves.
    request.resume();
    this.#finish(route, response);
  }

  #finish(route: Route | undefined, response: ServerResponse): void {
    this.#underway.delete(response);
    this.metrics.answered(route?.name ?? nowhere, response.statusCode);
  }

  #functionAt(path: string): Route | undefined {
    if (!path.startsWith(functionPath)) return undefined;
    return functionRoute(this.#context, this.#seams.functions, path);
  }

  #fail(thrown: unknown, response: ServerResponse): void {
    if (!(thrown instanceof Refusal || thrown instanceof Disconnected || isKvError(thrown))) {
      this.#seams.onError?.(thrown);
    }
    // In the middle of an answer there is no other way to tell that it is not the whole.
    if (thrown instanceof Disconnected || response.headersSent) {
      response.destroy();
      return;
    }
    const { status, headers, body } = errorAnswer(thrown, this.#context.naming);
    // Nobody is left to tell of a caller who goes while it is sent.
    sendText(response, status, jsonType, JSON.stringify(body), headers)?.catch(() => {});
  }

  #markLast(response: ServerResponse): void {
    if (!response.headersSent) response.shouldKeepAlive = false;
  }
}

/** @throws Refusal: 404, or 405 with what is allowed. */
function requireRoute(route: Route | undefined, method: string | undefined, path: string): Route {
  if (route === undefined) {
    const shown = path.length > 80 ? "of a long path" : JSON.stringify(path);
    throw refused(404, `there is nothing at ${shown}`, "GET /openapi.json lists what there is");
  }
  if (method === route.method || (method === "HEAD" && route.method === "GET")) return route;
  const headers = { Allow: allowed(route) };
  throw refused(405, `${method} is not allowed here`, `allowed are ${headers.Allow}`, headers);
}

function allowed({ method }: Route): string {
  return method === "GET" ? "GET, HEAD, OPTIONS" : `${method}, OPTIONS`;
}

/** The question of a browser whether a page may call, or anybody's what may be called. */
function answerOptions(
  request: IncomingMessage,
  response: ServerResponse,
  route: Route | undefined,
): void {
  if (route === undefined) throw refused(404, "there is nothing at this path");
  response.setHeader("Allow", allowed(route));
  const isPreflight = request.headers["access-control-request-method"] !== undefined;
  if (isPreflight && response.hasHeader("Access-Control-Allow-Origin")) {
    response.setHeader("Access-Control-Allow-Methods", allowed(route));
    response.setHeader("Access-Control-Allow-Headers", "Authorization, Content-Type");
    response.setHeader("Access-Control-Max-Age", String(preflightSeconds));
  }
  response.writeHead(204);
  response.end();
}
