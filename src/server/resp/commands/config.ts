// Config: the settings of a server by the names that Valkey has for them; no others exist.

import type { Argument } from "../argument.js";
import { CommandError } from "../command.js";
import type { Encoded } from "../encoder.js";
import { globOf } from "../glob.js";
import type { Server, Session } from "../session.js";

interface Parameter {
  readonly get: (server: Server) => string | number;
  /** undefined for what stays as it is while the server runs. */
  readonly set?: (server: Server, value: number) => void;
  readonly min?: number;
  readonly max?: number;
}

const yesNo = (is: boolean): string => (is ? "yes" : "no");
const msPerSecond = 1_000;

const parameters: Readonly<Record<string, Parameter>> = {
  appendonly: { get: ({ facts }) => yesNo(facts.durability !== "nothing") },
  bind: { get: ({ facts }) => facts.host },
  databases: { get: () => 1 },
  maxclients: {
    get: ({ settings }) => settings.clientsMax,
    set: ({ settings }, value) => {
      settings.clientsMax = value;
    },
    min: 1,
    max: 1_000_000,
  },
  maxmemory: { get: () => 0 },
  "maxmemory-policy": { get: () => "noeviction" },
  port: { get: ({ facts }) => facts.port },
  "proto-max-bulk-len": {
    get: ({ settings }) => settings.argumentBytesMax,
    set: ({ settings }, value) => {
      settings.argumentBytesMax = value;
    },
    min: 1_048_576,
    max: 536_870_912,
  },
  save: { get: () => "" },
  timeout: {
    get: ({ settings }) => Math.ceil(settings.idleTimeoutMs / msPerSecond),
    set: ({ settings }, value) => {
      settings.idleTimeoutMs = value * msPerSecond;
    },
    min: 0,
    max: 2_147_483_647,
  },
  unixsocket: { get: ({ facts }) => facts.path },
};

export function get({ encode, server }: Session, args: readonly Argument[]): Encoded {
  const patterns = args.map((pattern) => globOf(String(pattern).toLowerCase()));
  const chosen = Object.entries(parameters).filter(([name]) =>
    patterns.some((matches) => matches(name)),
  );
  return encode.map(
    chosen.flatMap(([name, parameter]) => [
      encode.bulk(name),
      encode.bulk(String(parameter.get(server))),
    ]),
  );
}

/** All of them, or none. */
export function set({ encode, server }: Session, args: readonly Argument[]): Encoded {
  if (args.length % 2 !== 0) {
    throw new CommandError("ERR wrong number of arguments for 'config|set' command");
  }
  const changes = new Map<string, () => void>();
  for (let at = 0; at < args.length; at += 2) {
    const name = String(args[at]).toLowerCase();
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (parameter === undefined) {
      throw new CommandError(
        `ERR Unknown option or number of arguments for CONFIG SET - '${String(args[at])}'`,
      );
    }
    if (changes.has(name)) throw failed(name, "duplicate parameter");
    changes.set(name, changeOf(server, name, parameter, args[at + 1] as Argument));
  }
  for (const change of changes.values()) change();
  return encode.ok;
}

function failed(name: string, why: string): CommandError {
  return new CommandError(
    `ERR CONFIG SET failed (possibly related to argument '${name}') - ${why}`,
  );
}

function changeOf(
  server: Server,
  name: string,
  { set: change, min = 0, max = Number.MAX_SAFE_INTEGER }: Parameter,
  argument: Argument,
): () => void {
  if (change === undefined) throw failed(name, "can't set immutable config");
  const text = String(argument);
  if (!/^-?\d{1,15}$/.test(text)) {
    throw failed(name, "argument couldn't be parsed into an integer");
  }
  const value = Number(text);
  if (value < min || value > max) {
    throw failed(name, `argument must be between ${min} and ${max} inclusive`);
  }
  return () => change(server, value);
}

export function resetStatistics({ encode, server }: Session): Encoded {
  const { counts } = server.facts;
  for (const entry of server.table.entries) entry.calls = 0;
  counts.connections = 0;
  counts.commands = 0;
  counts.rejectedConnections = 0;
  counts.cutOff = 0;
  counts.failedLogins = 0;
  return encode.ok;
}
