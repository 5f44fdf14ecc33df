// Options of the HTTP door: what callers of `serve` may say, checked and completed.

import { isIP } from "node:net";
import type { TlsOptions } from "node:tls";
import { InvalidOptionsError } from "../../base/errors.js";
import {
  booleanField,
  type Fields,
  field,
  isInteger,
  refuse,
  textField,
} from "../../kv/arguments.js";
import { namedFields, namesOf } from "../../kv/option-names.js";
import { parseDuration } from "../../kv/options/duration.js";
import { parseSize } from "../../kv/options/size.js";
import { tlsField } from "../tls-field.js";

export interface HttpToken {
  /** At least 8 characters of those that RFC 6750 allows. */
  readonly token: string;
  /** Refuse what may change something or concerns files. Default false. */
  readonly readOnly?: boolean | undefined;
}

/** Durations are milliseconds or text ("30s"), sizes bytes or text ("16MiB"). */
export interface HttpOptions {
  /** The address to listen on; default "127.0.0.1". */
  host?: string | undefined;
  /** 0: any free port. Default 6381. */
  port?: number | undefined;
  /** Who may ask: with tokens every request but `/healthz` needs one of them. */
  tokens?: readonly (string | HttpToken)[] | undefined;
  /** Without tokens, refuse callers from other machines. Default true. */
  protectedMode?: boolean | undefined;
  /** Without tokens: names of this server, beside addresses and "localhost", in the header Host. */
  allowedHosts?: readonly string[] | undefined;
  /** Pages of which origins may call from a browser, as in "https://example.org". Default none. */
  cors?: { origins: readonly string[] } | undefined;
  /** The only directory in which callers may name files. Absent: operations on files are refused. */
  filesDirectory?: string | undefined;
  /** HTTPS. */
  tls?: TlsOptions | undefined;
  /** Largest body of a request; default 16 MiB. */
  bodyLimit?: number | string | undefined;
  /** Connections at once; more are closed at once. Default 10,000. */
  connectionsMax?: number | undefined;
  /** Streams of events at once; default 64. */
  eventStreamsMax?: number | undefined;
  /** How long the header of a request may take; default 10 s. */
  headerTimeout?: number | string | undefined;
  /** How long a whole request may take to arrive; default 60 s. */
  requestTimeout?: number | string | undefined;
  /** How long a connection may be idle between two requests; default 75 s. */
  idleTimeout?: number | string | undefined;
  /** How long a client may take nothing of a reply; default 30 s. */
  stallTimeout?: number | string | undefined;
  /** How long `close` lets requests come to their end; default 10 s. */
  closeTimeout?: number | string | undefined;
}

export interface HttpSettings {
  readonly host: string;
  readonly port: number;
  readonly tokens: readonly HttpToken[];
  readonly isProtected: boolean;
  readonly allowedHosts: ReadonlySet<string>;
  readonly origins: ReadonlySet<string>;
  readonly filesDirectory: string | undefined;
  readonly tls: TlsOptions | undefined;
  readonly bodyBytesMax: number;
  readonly connectionsMax: number;
  readonly eventStreamsMax: number;
  readonly headerTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly closeTimeoutMs: number;
}

export const httpDefaults = {
  host: "127.0.0.1",
  port: 6381,
  bodyBytesMax: 16_777_216,
  connectionsMax: 10_000,
  eventStreamsMax: 64,
  headerTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 75_000,
  stallTimeoutMs: 30_000,
  closeTimeoutMs: 10_000,
} as const;

const optionNames = namesOf<HttpOptions>({
  host: true,
  port: true,
  tokens: true,
  protectedMode: true,
  allowedHosts: true,
  cors: true,
  filesDirectory: true,
  tls: true,
  bodyLimit: true,
  connectionsMax: true,
  eventStreamsMax: true,
  headerTimeout: true,
  requestTimeout: true,
  idleTimeout: true,
  stallTimeout: true,
  closeTimeout: true,
});

/** @throws InvalidOptionsError */
export function httpSettings(options: unknown): HttpSettings {
  const fields = namedFields(options, optionNames);
  const size = field(fields, "bodyLimit");
  return {
    host: textField(fields, "host") ?? httpDefaults.host,
    port: portField(fields),
    tokens: tokensField(fields),
    isProtected: booleanField(fields, "protectedMode", true),
    allowedHosts: new Set(textsField(fields, "allowedHosts").map((host) => host.toLowerCase())),
    origins: originsField(fields),
    filesDirectory: textField(fields, "filesDirectory"),
    tls: tlsField(fields, "http.tls"),
    bodyBytesMax: size === undefined ? httpDefaults.bodyBytesMax : parseSize(size, "bodyLimit"),
    connectionsMax: numberField(fields, "connectionsMax"),
    eventStreamsMax: numberField(fields, "eventStreamsMax"),
    headerTimeoutMs: durationField(fields, "header"),
    requestTimeoutMs: durationField(fields, "request"),
    idleTimeoutMs: durationField(fields, "idle"),
    stallTimeoutMs: durationField(fields, "stall"),
    closeTimeoutMs: durationField(fields, "close"),
  };
}

function portField(fields: Fields): number {
  const port = field(fields, "port") ?? httpDefaults.port;
  if (!isInteger(port) || port < 0 || port > 65_535) {
    refuse('option "port"', "an integer from 0 to 65535", port);
  }
  return port;
}

function numberField(fields: Fields, name: "connectionsMax" | "eventStreamsMax"): number {
  const value = field(fields, name) ?? httpDefaults[name];
  if (!isInteger(value) || value < 1) refuse(`option "${name}"`, "an integer of at least 1", value);
  return value;
}

function durationField(
  fields: Fields,
  name: "header" | "request" | "idle" | "stall" | "close",
): number {
  const value = field(fields, `${name}Timeout`);
  if (value === undefined) return httpDefaults[`${name}TimeoutMs`];
  const ms = parseDuration(value, `${name}Timeout`);
  // Node's timers hold no more.
  if (ms < 1 || ms >= 2 ** 31) refuse(`option "${name}Timeout"`, "from 1 ms to 24 days", value);
  return ms;
}

function textsField(fields: Fields, name: string): string[] {
  const values = field(fields, name) ?? [];
  if (!Array.isArray(values)) refuse(`option "${name}"`, "an array of strings", values);
  return Array.from(values as unknown[], (value, index) => {
    if (typeof value === "string" && value !== "") return value;
    return refuse(`${name}[${index}]`, "a non-empty string", value);
  });
}

const tokenForm = /^[A-Za-z0-9\-._~+/]{8,}=*$/;

function tokensField(fields: Fields): HttpToken[] {
  const tokens = field(fields, "tokens") ?? [];
  if (!Array.isArray(tokens)) refuse('option "tokens"', "an array", tokens);
  return Array.from(tokens as unknown[], (given, index) => {
    const names = namesOf<HttpToken>({ token: true, readOnly: true });
    const grant: Fields = typeof given === "string" ? { token: given } : namedFields(given, names);
    const { token } = grant;
    // Never quoted: it is a secret.
    if (typeof token !== "string" || !tokenForm.test(token)) {
      throw new InvalidOptionsError(
        `tokens[${index}] must be at least 8 letters, digits or any of -._~+/ (and = at the end)`,
      );
    }
    return { token, readOnly: booleanField(grant, "readOnly", false) };
  });
}

function originsField(fields: Fields): ReadonlySet<string> {
  const cors = field(fields, "cors");
  if (cors === undefined) return new Set();
  const origins = textsField(namedFields(cors, new Set(["origins"])), "origins");
  for (const origin of origins) {
    if (URL.canParse(origin) && new URL(origin).origin === origin) continue;
    refuse('option "cors.origins"', 'of origins as in "https://example.org"', origin);
  }
  return new Set(origins);
}

/** Whether an address or a name is that of this machine alone. */
export function isLoopback(host: string | undefined): boolean {
  if (host === undefined) return false;
  const plain = host.startsWith("::ffff:") ? host.slice("::ffff:".length) : host;
  if (isIP(plain) === 4) return plain.startsWith("127.");
  return plain === "::1" || plain === "localhost";
}
