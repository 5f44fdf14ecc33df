// RESP door: a store for every client of Redis and Valkey.

import { InvalidOptionsError } from "../../base/errors.js";
import type { View } from "../../engine/engine.js";
import { Handle, type Served } from "../../kv/handle.js";
import type { DirectAccess } from "../../store/direct.js";
import type { Figure } from "../figures.js";
import type { Command } from "./command.js";
import { CommandTable } from "./command-table.js";
import { bucketCount } from "./commands/scan.js";
import { Door, newCounts, newRunId } from "./door.js";
import { figuresOf } from "./door-figures.js";
import { Listener } from "./listener.js";
import { type RespOptions, type RespSettings, respSettings } from "./resp-options.js";
import type { ServerFacts } from "./server-facts.js";
import { dataCommands } from "./table/data-commands.js";
import { sessionCommands } from "./table/session-commands.js";
import { Users } from "./users.js";
import { valueCodecOf } from "./value-codecs.js";

export interface RespAddress {
  /** Absent where the door listens on a Unix socket only. */
  readonly host?: string;
  readonly port?: number;
  /** The Unix socket, if there is one. */
  readonly path?: string;
  /** As "redis://127.0.0.1:6380", "rediss://..." or "unix:///path". */
  readonly url: string;
}

export interface RespDoor {
  readonly address: RespAddress;
  /** What the door has counted since it was opened. */
  figures(): readonly Figure[];
  /**
   * Listens no longer, finishes what has been received, and resolves when every connection is closed.
   * The store stays open. Repeated calls return the same promise.
   */
  close(): Promise<void>;
}

/** What the door is given beside the options of its user. */
export interface RespSeams {
  /** Further commands, for the store that is served. */
  readonly commands?: ((served: Served) => readonly Command[]) | undefined;
}

/**
 * Opens the door to a store; resolves when it listens.
 *
 * @throws InvalidOptionsError, also for a store whose operations are carried out elsewhere; what the
 * opening of the store rejects with, and what listening fails with.
 */
export async function openRespDoor(
  handle: Handle,
  options?: RespOptions,
  seams: RespSeams = {},
): Promise<RespDoor> {
  const settings = respSettings(options);
  const { door, facts } = doorTo(await Handle.served(handle), settings, seams);
  const listeners = await listenersOf(door, settings);
  facts.port = listeners.find(({ port }) => port > 0)?.port ?? 0;
  let closed: Promise<void> | undefined;
  return {
    address: addressOf(settings, facts.port),
    figures: () => figuresOf(door),
    close: () => {
      for (const listener of listeners) listener.close();
      closed ??= door.close(settings.closeTimeoutMs);
      return closed;
    },
  };
}

/** A door at which nobody listens yet. */
export function doorTo(
  served: Served,
  settings: RespSettings,
  seams: RespSeams = {},
): { readonly door: Door; readonly facts: ServerFacts & { port: number } } {
  const direct = directAccessOf(served);
  const facts = factsOf(served, settings, direct);
  const { env, serialization } = served.shared.options;
  const door = new Door({
    env,
    direct,
    values: valueCodecOf(serialization),
    table: new CommandTable([
      ...dataCommands,
      ...sessionCommands,
      ...(seams.commands?.(served) ?? []),
    ]),
    users: new Users(settings.users),
    settings: settings.settings,
    facts,
  });
  return { door, facts };
}

function directAccessOf({ store }: Served): DirectAccess {
  if (store.direct !== undefined) return store.direct;
  throw new InvalidOptionsError(
    `a store with the backend "${store.backend}" has no RESP door: its operations are carried out by a server`,
    { hint: "let clients connect to that server, or serve the store over HTTP" },
  );
}

async function listenersOf(door: Door, settings: RespSettings): Promise<Listener[]> {
  const { host, port, path, tls } = settings;
  const listeners: Listener[] = [];
  const accept = door.accept.bind(door);
  try {
    if (port !== undefined) listeners.push(await Listener.open({ host, port }, tls, accept));
    // Whoever may open the socket is on this machine: there is nobody to hide from on the way.
    if (path !== undefined) listeners.push(await Listener.open({ path }, undefined, accept));
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
  return listeners;
}

function addressOf({ host, path, port, tls }: RespSettings, actualPort: number): RespAddress {
  const scheme = tls === undefined ? "redis" : "rediss";
  const name = host.includes(":") ? `[${host}]` : host;
  const socket = path === undefined ? {} : { path };
  if (port === undefined) return { ...socket, url: `unix://${path}` };
  return { host, port: actualPort, ...socket, url: `${scheme}://${name}:${actualPort}` };
}

function factsOf(
  { store, shared }: Served,
  { host, path, tls }: RespSettings,
  direct: DirectAccess,
): ServerFacts & { port: number } {
  const { env, serialization } = shared.options;
  return {
    now: () => env.clock.now(),
    startedAt: env.clock.now(),
    runId: newRunId(),
    backend: store.backend,
    serialization,
    durability: store.capabilities.durability,
    host,
    port: 0,
    path: path ?? "",
    isTls: tls !== undefined,
    counts: newCounts(),
    countKeys: () => direct.query(countKeys, undefined),
  };
}

function countKeys(view: View): number {
  return view.values.size + view.lists.size + bucketCount(view);
}
