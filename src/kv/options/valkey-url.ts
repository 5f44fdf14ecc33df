// URLs of servers: `valkey://` and `redis://`, `valkeys://` and `rediss://` with TLS, and `unix://`
// for the path of a socket.
//
// An URL may hold a password, so no message repeats any of it, not even what stands where its scheme
// belongs.

import { InvalidOptionsError } from "../../base/errors.js";

/** What an URL says; what it does not say is absent. */
export interface UrlParts {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly username?: string;
  readonly password?: string;
  readonly database?: number;
  readonly tls?: true;
}

const schemes: ReadonlyMap<string, "plain" | "tls" | "socket"> = new Map([
  ["valkey:", "plain"],
  ["redis:", "plain"],
  ["valkeys:", "tls"],
  ["rediss:", "tls"],
  ["unix:", "socket"],
]);
const forms = "valkey://[user:password@]host[:port][/database] or unix:///path[?database=number]";

function refuseUrl(reason: string): never {
  throw new InvalidOptionsError(`option "valkey.url" ${reason}`, {
    hint: `an URL is ${forms}; redis: means the same, valkeys: and rediss: add TLS`,
  });
}

/** @throws InvalidOptionsError */
export function parseValkeyUrl(text: string): UrlParts {
  const url = URL.canParse(text) ? new URL(text) : refuseUrl("must be an URL");
  const kind = schemes.get(url.protocol);
  if (kind === undefined) refuseUrl('must begin with "valkey://" or another scheme of a server');
  if (url.hash !== "") refuseUrl('must have no "#" (write %23 in a password)');
  const common = { ...part("username", url.username), ...part("password", url.password) };
  return kind === "socket"
    ? { ...common, ...socketParts(url) }
    : { ...common, ...hostParts(url, kind) };
}

function part(name: string, encoded: string): object {
  return encoded === "" ? {} : { [name]: decode(encoded) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuseUrl('must have no "%" that encodes nothing (write %25)');
  }
}

function hostParts(url: URL, kind: "plain" | "tls"): UrlParts {
  if (url.search !== "") refuseUrl("must have no parameters; give options beside it");
  if (url.hostname === "") refuseUrl("must name a host");
  const database = url.pathname.replace(/^\//, "");
  return {
    host: decode(url.hostname).replace(/^\[|\]$/g, ""),
    ...(url.port === "" ? {} : { port: Number(url.port) }),
    ...(database === "" ? {} : { database: databaseNumber(database) }),
    ...(kind === "tls" ? { tls: true } : {}),
  };
}

function socketParts(url: URL): UrlParts {
  if (url.hostname !== "") refuseUrl("must have three slashes for a socket: unix:///path");
  if (url.pathname.length < 2) refuseUrl("must name the path of a socket");
  const unknown = [...url.searchParams.keys()].find((name) => name !== "database" && name !== "db");
  if (unknown !== undefined) refuseUrl(`must have no parameter but "database"`);
  const database = url.searchParams.get("database") ?? url.searchParams.get("db");
  return {
    path: decode(url.pathname),
    ...(database === null ? {} : { database: databaseNumber(database) }),
  };
}

function databaseNumber(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : refuseUrl("must name a database by its number");
}
