// Options of the valkey backend.
//
// What the URL says must not be said again beside it, and what belongs to a client that is passed in
// must not be given at all: of two answers one would be ignored. Messages never repeat a password,
// nor any text in which one may stand.

import { isDeepStrictEqual } from "node:util";
import { InvalidOptionsError } from "../../base/errors.js";
import { partitionsMax, storePrefixBytesMax } from "../../base/limits.js";
import type { ValkeyClient } from "../../remote/valkey/valkey-client.js";
import {
  type ServerAddress,
  type TlsOptions,
  type ValkeySettings,
  valkeyDefaults,
} from "../../remote/valkey/valkey-settings.js";
import {
  booleanField,
  checkText,
  countField,
  type Fields,
  field,
  isInteger,
  isPlainObject,
  refuse,
} from "../arguments.js";
import { checkNames, namesOf } from "../option-names.js";
import { parseDuration } from "./duration.js";
import {
  checkHost,
  checkSocketPath,
  clusterOption,
  type NodeList,
  portField,
  refuseUnseen,
  type ValkeyNode,
} from "./valkey-address.js";
import { parseValkeyUrl, type UrlParts } from "./valkey-url.js";

export interface ValkeyOptions {
  /**
   * `valkey://[user:password@]host[:port][/database]`; `redis:` means the same, `valkeys:` and
   * `rediss:` add TLS. A Unix socket is `unix:///path[?database=number]`.
   */
  url?: string | undefined;
  /** Default "127.0.0.1". */
  host?: string | undefined;
  /** Default 6379. */
  port?: number | undefined;
  /** A Unix socket, instead of host and port. */
  path?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  /** The number of the database; default 0, the only one of a cluster. */
  database?: number | undefined;
  /** Speak TLS; an object holds options of Node's `tls.connect`, `ca`, `cert`, `key`, `servername` and the like. */
  tls?: boolean | TlsOptions | undefined;
  /** The server is part of a cluster; a list names nodes to begin with. Default false. */
  cluster?: boolean | readonly ValkeyNode[] | undefined;
  /**
   * Over how many slots a store is spread: 1 to 1,024; default 16 on a cluster, otherwise 1. Fixed
   * by whoever creates the store.
   */
  partitions?: number | undefined;
  /** How the keys of all stores begin; at most 64 bytes without braces; default "anykv". */
  prefix?: string | undefined;
  /** How long opening may take: ms or text, at least 1 ms; default 5 s. */
  connectTimeout?: number | string | undefined;
  /**
   * How long an operation may take on its way to the server and back, reconnecting included: ms or
   * text; 0: without end; default 10 s.
   */
  commandTimeout?: number | string | undefined;
  /**
   * Send a write again whose answer was lost with its connection: the server keeps the answers of
   * the last ones, so none is carried out twice. Costs a little for each write; default false. Reads
   * are always sent again.
   */
  retryWrites?: boolean | undefined;
  /** A client of iovalkey or ioredis, standalone or Cluster; it stays open when the store closes. */
  client?: object | undefined;
}

export const valkeyNames: ReadonlySet<string> = namesOf<ValkeyOptions>({
  url: true,
  host: true,
  port: true,
  path: true,
  username: true,
  password: true,
  database: true,
  tls: true,
  cluster: true,
  partitions: true,
  prefix: true,
  connectTimeout: true,
  commandTimeout: true,
  retryWrites: true,
  client: true,
});
/** Options that are plain values, so that they can be written in a file. */
export const valkeyFileOptionNames: readonly string[] = [...valkeyNames].filter(
  (name) => name !== "client",
);

const tlsNames: ReadonlySet<string> = namesOf<TlsOptions>({
  ca: true,
  cert: true,
  ciphers: true,
  key: true,
  maxVersion: true,
  minVersion: true,
  passphrase: true,
  pfx: true,
  rejectUnauthorized: true,
  servername: true,
});
/** What of `tls` can be written in a file. */
export const tlsFileOptionNames: readonly string[] = [...tlsNames].filter((name) => name !== "pfx");

/** @throws InvalidOptionsError */
export function valkeySettings(fields: Fields): ValkeySettings {
  checkNames(fields, valkeyNames, "valkey.");
  const client = clientOption(fields);
  const place = client === undefined ? placeOptions(fields) : noPlace(fields, client);
  const partitions = countField(named(fields, "partitions"), "valkey.partitions", partitionsMax);
  const fallback = place.isCluster ? valkeyDefaults.clusterPartitions : valkeyDefaults.partitions;
  return {
    ...place,
    partitions: partitions ?? fallback,
    prefix: prefixOption(fields),
    connectTimeoutMs: connectTimeout(fields),
    commandTimeoutMs: duration(fields, "commandTimeout") ?? valkeyDefaults.commandTimeoutMs,
    retryWrites: booleanField(fields, "retryWrites", false, "valkey.retryWrites"),
    client,
  };
}

type Place = Pick<
  ValkeySettings,
  "nodes" | "username" | "password" | "database" | "tls" | "isCluster"
>;

function placeOptions(fields: Fields): Place {
  const given = givenIn(fields);
  const cluster = clusterOption(fields);
  const isCluster = cluster !== false;
  if (isNodes(cluster)) refuseBesideNodes(fields, given);
  if (isCluster && given.path !== undefined) refuseTogether("valkey.path", "valkey.cluster");
  if (isCluster && (given.database ?? 0) !== 0) {
    refuse('option "valkey.database"', "0 on a cluster, which has no other", given.database);
  }
  return {
    nodes: isNodes(cluster) ? cluster : [addressOf(given)],
    username: given.username,
    password: given.password,
    database: given.database ?? valkeyDefaults.database,
    tls: given.tls,
    isCluster,
  };
}

interface Given extends Omit<UrlParts, "tls"> {
  readonly tls?: TlsOptions;
}

/** What the URL and the options beside it say. */
function givenIn(fields: Fields): Given {
  const url = secretText(fields, "url");
  const parts = url === undefined ? {} : parseValkeyUrl(url);
  const beside = besideUrl(fields);
  const twice = Object.keys(parts).find((name) => name !== "tls" && name in beside);
  if (twice !== undefined) refuseTogether(`valkey.${twice}`, "valkey.url");
  const { tls } = beside;
  if (parts.tls && tls === null) refuseTogether("valkey.tls: false", "valkey.url");
  const merged = { ...parts, ...beside };
  if (merged.path !== undefined && (merged.host ?? merged.port) !== undefined) {
    refuseTogether("valkey.path", merged.host === undefined ? "valkey.port" : "valkey.host");
  }
  const { tls: _, ...place } = merged;
  const effective = tls ?? (parts.tls ? {} : undefined);
  return effective === undefined ? place : { ...place, tls: effective };
}

/** `tls` is null where it is explicitly off. */
function besideUrl(fields: Fields): Omit<UrlParts, "tls"> & { tls?: TlsOptions | null } {
  const port = portField(fields, "valkey.port");
  const database = field(fields, "database");
  if (database !== undefined && !(isInteger(database) && database >= 0)) {
    refuseUnseen("valkey.database", "an integer of at least 0", database);
  }
  const tls = tlsOption(fields);
  return {
    ...textOption(fields, "host", checkHost),
    ...(port === undefined ? {} : { port }),
    ...textOption(fields, "path", checkSocketPath),
    ...textOption(fields, "username"),
    ...textOption(fields, "password"),
    ...(database === undefined ? {} : { database: database as number }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function isNodes(cluster: boolean | NodeList): cluster is NodeList {
  return typeof cluster === "object";
}

function refuseBesideNodes(fields: Fields, given: Given): void {
  const name = (["host", "port", "path"] as const).find((part) => given[part] !== undefined);
  if (name === undefined) return;
  const option = field(fields, name) === undefined ? "url" : name;
  refuseTogether(`valkey.${option}`, "the nodes of valkey.cluster");
}

function refuseTogether(one: string, other: string): never {
  throw new InvalidOptionsError(`option "${one}" must be left out together with "${other}"`, {
    hint: "say it in one place only",
  });
}

function addressOf({ host, port, path }: Given): ServerAddress {
  if (path !== undefined) return { path };
  return { host: host ?? valkeyDefaults.host, port: port ?? valkeyDefaults.port };
}

const named = (fields: Fields, name: string): Fields => ({ [`valkey.${name}`]: fields[name] });

/** Text of which nothing may be shown. */
function secretText(fields: Fields, name: string): string | undefined {
  const value = field(fields, name);
  if (value === undefined) return undefined;
  if (typeof value === "string" && value !== "" && !value.includes("\0")) return value;
  if (typeof value === "number") {
    // A number may have lost its leading zeros, so it is not taken for the text.
    throw new InvalidOptionsError(`option "valkey.${name}" must be a string, got a number`, {
      hint: `write it in quotes, also in a file of YAML: ${name}: "..."`,
    });
  }
  if (value === "") refuseEmpty(name);
  const got = typeof value === "string" ? "another text" : `a value of type ${typeof value}`;
  throw new InvalidOptionsError(
    `option "valkey.${name}" must be a non-empty string without NUL, got ${got}`,
  );
}

/** As a variable of the environment is that was set to nothing. */
function refuseEmpty(name: string): never {
  const isPlace = name === "url" || name === "host";
  const fallback = isPlace ? `; without it the host is ${valkeyDefaults.host}` : "";
  throw new InvalidOptionsError(`option "valkey.${name}" must not be empty`, {
    hint: `give it a value, or leave it out${fallback}`,
  });
}

function textOption(
  fields: Fields,
  name: string,
  check: (text: string, option: string) => void = () => {},
): object {
  const value = secretText(fields, name);
  if (value !== undefined) check(value, `valkey.${name}`);
  return value === undefined ? {} : { [name]: value };
}

function tlsOption(fields: Fields): TlsOptions | null | undefined {
  const tls = field(fields, "tls");
  if (tls === undefined) return undefined;
  if (typeof tls === "boolean") return tls ? {} : null;
  if (isPlainObject(tls)) {
    // A mistyped `rejectUnauthorized` or `ca` would show only in the connection, and not as what it is.
    checkNames(tls, tlsNames, "valkey.tls.");
    return tls as TlsOptions;
  }
  return refuseUnseen("valkey.tls", "a boolean or an object of TLS options", tls);
}

/** Braces in a prefix would put all stores of the prefix into one slot. */
function prefixOption(fields: Fields): string {
  const prefix = field(fields, "prefix") ?? valkeyDefaults.prefix;
  checkText(prefix, 'option "valkey.prefix"', storePrefixBytesMax);
  if (/[{}]/.test(prefix)) refuseUnseen("valkey.prefix", "text without braces", prefix);
  return prefix;
}

function duration(fields: Fields, name: string): number | undefined {
  const value = field(fields, name);
  return value === undefined ? undefined : parseDuration(value, `valkey.${name}`);
}

function connectTimeout(fields: Fields): number {
  const ms = duration(fields, "connectTimeout") ?? valkeyDefaults.connectTimeoutMs;
  return ms >= 1 ? ms : refuse('option "valkey.connectTimeout"', "at least 1 ms", ms);
}

function clientOption(fields: Fields): ValkeyClient | undefined {
  const client = field(fields, "client");
  if (client === undefined) return undefined;
  const { sendCommand, connect, options } = client as Partial<ValkeyClient>;
  if (typeof sendCommand !== "function" || typeof connect !== "function" || !options) {
    return refuseUnseen("valkey.client", "a client of iovalkey or ioredis", client);
  }
  refuseClientOptions(options, "");
  if (isPlainObject(options.redisOptions))
    refuseClientOptions(options.redisOptions, "redisOptions.");
  return client as ValkeyClient;
}

/** What would change what is sent, or what comes back; everything else is up to the client. */
function refuseClientOptions(options: Fields, place: string): void {
  const hints = {
    keyPrefix: "give the prefix as `valkey.prefix`",
    stringNumbers: "give the store a client of its own",
  };
  for (const [name, hint] of Object.entries(hints)) {
    if (!options[name]) continue;
    throw new InvalidOptionsError(
      `option "valkey.client" must be a client without \`${place}${name}\``,
      { hint },
    );
  }
}

const clientsOwn = [
  ...(["url", "host", "port", "path", "username", "password", "database", "tls"] as const),
];

/** Where a client is connected to is its own business; `cluster` may be said if it is true of it. */
function noPlace(fields: Fields, client: ValkeyClient): Place {
  const given = clientsOwn.find((name) => field(fields, name) !== undefined);
  if (given !== undefined) refuseTogether(`valkey.${given}`, "valkey.client");
  const isCluster = client.isCluster === true;
  const cluster = field(fields, "cluster");
  if (cluster !== undefined && cluster !== isCluster) {
    refuseUnseen("valkey.cluster", `left out or ${isCluster}, as the client is`, cluster);
  }
  return {
    nodes: [],
    username: undefined,
    password: undefined,
    database: 0,
    tls: undefined,
    isCluster,
  };
}

// A mistyped `tls` would send a password in the clear.
const optionOf = {
  nodes: "host",
  username: "username",
  password: "password",
  database: "database",
  tls: "tls",
  isCluster: "cluster",
  partitions: "partitions",
  prefix: "prefix",
  connectTimeoutMs: "connectTimeout",
  commandTimeoutMs: "commandTimeout",
  retryWrites: "retryWrites",
  client: "client",
} as const satisfies Readonly<Record<keyof ValkeySettings, string>>;

/** The options in which two normal forms differ; `host` stands for the whole address. */
export function differingValkeyOptions(
  a: ValkeySettings | undefined,
  b: ValkeySettings | undefined,
): string[] {
  if (a === undefined || b === undefined) return [];
  const names = Object.keys(optionOf) as (keyof ValkeySettings)[];
  const same = (name: keyof ValkeySettings): boolean =>
    name === "client" ? a.client === b.client : isDeepStrictEqual(a[name], b[name]);
  return names.filter((name) => !same(name)).map((name) => `valkey.${optionOf[name]}`);
}
