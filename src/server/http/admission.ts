// Admission: who may ask for what.
//
// 1. Tokens, where there are any: every request needs one (`Authorization: Bearer ...`). They are
//    compared by their digests, all of them, in constant time.
// 2. Without tokens: callers of this machine alone, unless protected mode is off; and no names but
//    ours in the header Host, so that a page whose name somebody points at this machine (DNS
//    rebinding) is refused. An address in Host can only be meant.
// 3. Pages of other origins: refused unless the option says otherwise, with or without tokens, also
//    where a browser would ask without waiting for an answer.

import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { isIP } from "node:net";
import { type HttpSettings, type HttpToken, isLoopback } from "./http-options.js";
import { refused } from "./refusal.js";

export interface Grant {
  readonly mayWrite: boolean;
}

interface KnownToken {
  readonly digest: Buffer;
  readonly grant: Grant;
}

const everything: Grant = { mayWrite: true };
const bearer = /^bearer +([^ ]+) *$/i;

const digestOf = (token: string): Buffer => hash("sha256", token, "buffer");

export class Admission {
  readonly #settings: HttpSettings;
  readonly #tokens: readonly KnownToken[];
  /** What has passed last: most requests name the same host. */
  #lastHost: string | undefined;

  constructor(settings: HttpSettings) {
    this.#settings = settings;
    this.#tokens = settings.tokens.map(({ token, readOnly }: HttpToken) => ({
      digest: digestOf(token),
      grant: { mayWrite: readOnly !== true },
    }));
  }

  /** Sets the headers that tell a browser what it may pass on. @throws Refusal */
  admit(request: IncomingMessage, response: ServerResponse): void {
    const { headers, socket } = request;
    if (this.#tokens.length === 0) {
      this.#requireNeighbour(socket.remoteAddress);
      this.#requireOwnHost(headers.host);
    }
    const { origin } = headers;
    if (origin !== undefined) this.#requireOrigin(request, origin, response);
    else if (headers["sec-fetch-site"] === "cross-site") throw foreignPage();
  }

  /** What the caller may do. @throws Refusal without a token that is known. */
  grantOf(request: IncomingMessage): Grant {
    if (this.#tokens.length === 0) return everything;
    const { authorization } = request.headers;
    if (authorization === undefined) {
      throw refused(401, "a token is needed", "send the header Authorization: Bearer <token>", {
        "WWW-Authenticate": 'Bearer realm="anykv"',
      });
    }
    const token = bearer.exec(authorization)?.[1] ?? "";
    const digest = digestOf(token);
    let grant: Grant | undefined;
    // All of them, so that the time tells nothing about their order either.
    for (const known of this.#tokens) {
      if (timingSafeEqual(known.digest, digest)) grant = known.grant;
    }
    if (grant !== undefined) return grant;
    throw refused(401, "the token is not known", undefined, {
      "WWW-Authenticate": 'Bearer realm="anykv", error="invalid_token"',
    });
  }

  #requireNeighbour(address: string | undefined): void {
    if (!this.#settings.isProtected || isLoopback(address)) return;
    throw refused(
      403,
      "this server has no tokens and answers callers on its own machine alone",
      "start it with `tokens`, or with `protectedMode: false` if the network is trusted",
    );
  }

  #requireOwnHost(host: string | undefined): void {
    if (host !== undefined && host === this.#lastHost) return;
    const name = hostName(host ?? "");
    const { allowedHosts } = this.#settings;
    if (name !== "localhost" && isIP(name) === 0 && !allowedHosts.has(name)) {
      throw refused(
        421,
        "the header Host names no host of this server",
        "use an address or localhost, or start the server with `allowedHosts` or `tokens`",
      );
    }
    this.#lastHost = host;
  }

  #requireOrigin(request: IncomingMessage, origin: string, response: ServerResponse): void {
    if (this.#settings.origins.has(origin)) {
      response.setHeader("Access-Control-Allow-Origin", origin);
      response.setHeader("Vary", "Origin");
      return;
    }
    const scheme = "encrypted" in request.socket ? "https" : "http";
    if (origin === `${scheme}://${request.headers.host}`) return;
    throw foreignPage();
  }
}

function foreignPage(): Error {
  return refused(
    403,
    "pages of this origin may not use the server",
    "name it in the option `cors.origins`",
  );
}

/** Of `name:port`, `[address]:port` or either without a port, in small letters. */
function hostName(host: string): string {
  const [, address, name = ""] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host) ?? [];
  return (address ?? name).toLowerCase();
}
