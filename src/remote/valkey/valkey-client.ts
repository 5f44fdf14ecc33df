// Valkey client: what is used of a client built by iovalkey or ioredis, standalone or Cluster.
//
// Calls go through `sendCommand` as commands of our own (pending-call.ts). They are not put into the
// client's pipelines: these send all commands again when each of them has met the same error, wait
// for all replies before they hand out the first, and serve one pipeline at a time.

import { BackendUnavailableError } from "../../base/errors.js";

export interface ClientStream {
  cork(): void;
  uncork(): void;
  ref(): void;
  unref(): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Of whoever has taken the connection. */
  readonly remoteAddress?: string | undefined;
}

/** A command as a client handles it. Clients replace `reject` of commands that they may redirect. */
export interface ClientCommand {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly promise: Promise<unknown>;
  resolve: (reply: unknown) => void;
  reject: (error: Error) => void;
  getSlot(): number | null;
  getKeys(): readonly string[];
  setTimeout(ms: number): void;
  /** Of ioredis 6: which protocol its connection speaks, and how long a blocking command may take. */
  setReplyContext(context: unknown): void;
  setBlockingTimeout(ms: number): void;
  /** Called when, and each time that, the command is written to a stream. */
  toWritable(stream?: unknown): string | Buffer;
}

type Listener = (...args: never[]) => void;

interface CommonClient {
  readonly status: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly reconnectTimeout?: { unref?(): void } | null;
  connect(): Promise<void>;
  disconnect(reconnect?: boolean): void;
  sendCommand(command: ClientCommand): unknown;
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
}

export interface NodeClient extends CommonClient {
  readonly isCluster: false;
  readonly stream?: ClientStream;
}

export interface ClusterClient extends CommonClient {
  readonly isCluster: true;
  nodes(role?: "all" | "master" | "slave"): NodeClient[];
  refreshSlotsCache?(callback?: (error?: Error) => void): void;
}

export type ValkeyClient = NodeClient | ClusterClient;

/** What is used of the package iovalkey. */
export interface ClientModule {
  readonly Redis: new (options: object) => NodeClient;
  readonly Cluster: new (nodes: readonly object[], options: object) => ClusterClient;
}

/** @throws BackendUnavailableError when the package is not there. */
export async function loadClientModule(): Promise<ClientModule> {
  try {
    return (await import("iovalkey")) as unknown as ClientModule;
  } catch (cause) {
    throw new BackendUnavailableError(
      "the backend valkey needs the package iovalkey, which could not be loaded",
      {
        cause,
        hint: "install it with `npm install iovalkey`, or pass a client as `valkey.client`",
      },
    );
  }
}
