// Options of the RESP door: what callers of `serve` may say, checked and completed.
//
// Whoever can reach the door can do everything with the store, unless there are passwords. So without
// one the door opens to this machine alone, except where the caller says that it is protected in
// another way.

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
import type { Settings } from "./settings.js";
import type { UserSettings } from "./users.js";

export interface RespUser {
  /** Without blanks; "default" is who gives a password and no name. */
  readonly name: string;
  readonly password: string;
  /** Refuse what writes, and what concerns other clients and the settings. Default false. */
  readonly readOnly?: boolean | undefined;
}

/** Durations are milliseconds or text ("30s"), sizes bytes or text ("16MiB"). */
export interface RespOptions {
  /** The address to listen on; default "127.0.0.1". */
  host?: string | undefined;
  /** 0: any free port. Default 6380; none if only `path` is given. */
  port?: number | undefined;
  /** A Unix socket to listen on, instead of an address or beside it. */
  path?: string | undefined;
  /** Speak TLS; options of Node's `tls.createServer`: `cert`, `key`, `ca` and the like. */
  tls?: TlsOptions | undefined;
  /** What clients have to give with AUTH; they are the user "default" then. */
  password?: string | undefined;
  /** Further users. If there are some and no password, everybody has to be one of them. */
  users?: readonly RespUser[] | undefined;
  /** Without passwords, refuse to listen on addresses that other machines can reach. Default true. */
  protectedMode?: boolean | undefined;
  /** Connections at once; more are refused. Default 10,000. */
  clientsMax?: number | undefined;
  /** Largest argument of a command; default 64 MiB, at most 512 MiB. */
  argumentLimit?: number | string | undefined;
  /** All arguments of a command, or of a transaction, together; default 256 MiB. */
  requestLimit?: number | string | undefined;
  /** Arguments of a command; default 1,048,576. */
  argumentsMax?: number | undefined;
  /** Replies that wait for a client before no more of it is read; default 16 MiB. */
  outputLimit?: number | string | undefined;
  /** Messages that wait for a subscriber before it is cut off; default 32 MiB. */
  subscriberLimit?: number | string | undefined;
  /** What waits to be read or sent for all clients together; default 1 GiB. */
  bufferLimit?: number | string | undefined;
  /** How long a connection may be silent, unless it waits for elements or messages; 0, the default: without end. */
  idleTimeout?: number | string | undefined;
  /** How long a client may take nothing of its replies; default 60 s. */
  stallTimeout?: number | string | undefined;
  /** How long `close` lets commands come to their end; default 10 s. */
  closeTimeout?: number | string | undefined;
}

export interface RespSettings {
  readonly host: string;
  /** undefined: none. */
  readonly port: number | undefined;
  readonly path: string | undefined;
  readonly tls: TlsOptions | undefined;
  readonly users: readonly UserSettings[];
  readonly closeTimeoutMs: number;
  readonly settings: Settings;
}

export const respDefaults = {
  host: "127.0.0.1",
  port: 6380,
  clientsMax: 10_000,
  argumentsMax: 1_048_576,
  argumentBytesMax: 67_108_864,
  requestBytesMax: 268_435_456,
  lineBytesMax: 65_536,
  outputBytesMax: 16_777_216,
  messageBytesMax: 33_554_432,
  bufferBytesMax: 1_073_741_824,
  idleTimeoutMs: 0,
  stallTimeoutMs: 60_000,
  closeTimeoutMs: 10_000,
};

const argumentBytesMaxMax = 536_870_912;

const optionNames = namesOf<RespOptions>({
  host: true,
  port: true,
  path: true,
  tls: true,
  password: true,
  users: true,
  protectedMode: true,
  clientsMax: true,
  argumentLimit: true,
  requestLimit: true,
  argumentsMax: true,
  outputLimit: true,
  subscriberLimit: true,
  bufferLimit: true,
  idleTimeout: true,
  stallTimeout: true,
  closeTimeout: true,
});

/** @throws InvalidOptionsError */
export function respSettings(options: unknown): RespSettings {
  const fields = namedFields(options, optionNames);
  const host = textField(fields, "host") ?? respDefaults.host;
  const path = pathField(fields);
  const isOnlyPath =
    path !== undefined && (field(fields, "host") ?? field(fields, "port")) === undefined;
  const port = isOnlyPath ? undefined : portField(fields);
  const users = usersOf(fields);
  if (port !== undefined) refuseOpenHouse(fields, host, users);
  return {
    host,
    port,
    path,
    tls: tlsField(fields, "resp.tls"),
    users,
    closeTimeoutMs: durationField(fields, "close"),
    settings: {
      clientsMax: countField(fields, "clientsMax"),
      argumentsMax: countField(fields, "argumentsMax"),
      argumentBytesMax: sizeField(fields, "argument", argumentBytesMaxMax),
      requestBytesMax: sizeField(fields, "request"),
      lineBytesMax: respDefaults.lineBytesMax,
      outputBytesMax: sizeField(fields, "output"),
      messageBytesMax: sizeField(fields, "subscriber"),
      bufferBytesMax: sizeField(fields, "buffer"),
      idleTimeoutMs: durationField(fields, "idle"),
      slowReaderTimeoutMs: durationField(fields, "stall"),
    },
  };
}

function portField(fields: Fields): number {
  const port = field(fields, "port") ?? respDefaults.port;
  if (!isInteger(port) || port < 0 || port > 65_535) {
    refuse('option "resp.port"', "an integer from 0 to 65535", port);
  }
  return port;
}

function pathField(fields: Fields): string | undefined {
  const path = textField(fields, "path");
  if (path === "" || path?.includes("\0")) {
    refuse('option "resp.path"', "a path without NUL characters", path);
  }
  return path;
}

function countField(fields: Fields, name: "clientsMax" | "argumentsMax"): number {
  const value = field(fields, name) ?? respDefaults[name];
  if (!isInteger(value) || value < 1 || value > respDefaults.argumentsMax) {
    refuse(`option "resp.${name}"`, `an integer from 1 to ${respDefaults.argumentsMax}`, value);
  }
  return value;
}

const sizeDefaults = {
  argument: respDefaults.argumentBytesMax,
  request: respDefaults.requestBytesMax,
  output: respDefaults.outputBytesMax,
  subscriber: respDefaults.messageBytesMax,
  buffer: respDefaults.bufferBytesMax,
};

function sizeField(
  fields: Fields,
  name: keyof typeof sizeDefaults,
  bytesMax = Number.MAX_SAFE_INTEGER,
): number {
  const option = `${name}Limit`;
  const value = field(fields, option);
  if (value === undefined) return sizeDefaults[name];
  const bytes = parseSize(value, `resp.${option}`);
  if (bytes >= 1_024 && bytes <= bytesMax) return bytes;
  return refuse(`option "resp.${option}"`, `from 1 KiB to ${bytesMax} bytes`, value);
}

function durationField(fields: Fields, name: "idle" | "stall" | "close"): number {
  const option = `${name}Timeout`;
  const value = field(fields, option);
  if (value === undefined) return respDefaults[`${name}TimeoutMs`];
  const ms = parseDuration(value, `resp.${option}`);
  if (ms > 0 || name === "idle") return ms;
  return refuse(`option "resp.${option}"`, "at least 1 ms", value);
}

const userName = /^[!-~]+$/;

/** Without a password and without users, everybody is the user "default". */
function usersOf(fields: Fields): UserSettings[] {
  const password = field(fields, "password");
  const users = usersField(fields);
  if (password !== undefined) {
    users.unshift({
      name: "default",
      password: secret(password, "resp.password"),
      readOnly: false,
    });
  } else if (users.length === 0) {
    users.push({ name: "default", password: undefined, readOnly: false });
  }
  const names = users.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return users;
  throw new InvalidOptionsError(`the user ${JSON.stringify(twice)} is there twice`);
}

function usersField(fields: Fields): UserSettings[] {
  const users = field(fields, "users") ?? [];
  if (!Array.isArray(users)) refuse('option "resp.users"', "an array", users);
  const names = namesOf<RespUser>({ name: true, password: true, readOnly: true });
  return Array.from(users as unknown[], (given, index) => {
    const user = namedFields(given, names);
    const { name } = user;
    if (typeof name !== "string" || !userName.test(name)) {
      return refuse(`resp.users[${index}].name`, "text without blanks", name);
    }
    return {
      name,
      password: secret(field(user, "password"), `resp.users[${index}].password`),
      readOnly: booleanField(user, "readOnly", false, `resp.users[${index}].readOnly`),
    };
  });
}

/** Never quoted in a message. */
function secret(password: unknown, option: string): string {
  if (typeof password === "string" && password !== "" && password.isWellFormed()) return password;
  throw new InvalidOptionsError(`option "${option}" must be a non-empty string`);
}

function refuseOpenHouse(fields: Fields, host: string, users: readonly UserSettings[]): void {
  const isOpen = users.some(({ password }) => password === undefined);
  if (!isOpen || isLoopback(host) || !booleanField(fields, "protectedMode", true)) return;
  throw new InvalidOptionsError(
    `without a password the RESP door does not listen on ${host}, which others can reach`,
    {
      hint: "set `resp.password` or `resp.users`, or `resp.protectedMode: false` if the network is closed to others",
    },
  );
}

/** Whether an address or a name is that of this machine alone. */
function isLoopback(host: string): boolean {
  const plain = host.startsWith("::ffff:") ? host.slice("::ffff:".length) : host;
  if (isIP(plain) === 4) return plain.startsWith("127.");
  return plain === "::1" || plain === "localhost";
}
