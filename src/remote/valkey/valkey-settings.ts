// Settings of a valkey store in their normal form, and their defaults.

import type { ConnectionOptions } from "node:tls";
import type { ValkeyClient } from "./valkey-client.js";

/** Where a server listens: a host and its port, or the path of a Unix socket. */
export type ServerAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

/** What is used of the options of `tls.connect`. */
export type TlsOptions = Readonly<
  Pick<
    ConnectionOptions,
    | "ca"
    | "cert"
    | "ciphers"
    | "key"
    | "maxVersion"
    | "minVersion"
    | "passphrase"
    | "pfx"
    | "rejectUnauthorized"
    | "servername"
  >
>;

export interface ValkeySettings {
  /** At least one; more than one only of a cluster. Empty with a `client`. */
  readonly nodes: readonly ServerAddress[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly tls: TlsOptions | undefined;
  readonly isCluster: boolean;
  readonly partitions: number;
  readonly prefix: string;
  readonly connectTimeoutMs: number;
  /** 0: without end. */
  readonly commandTimeoutMs: number;
  readonly retryWrites: boolean;
  /** Belongs to the caller, who closes it. */
  readonly client: ValkeyClient | undefined;
}

export const valkeyDefaults = {
  host: "127.0.0.1",
  port: 6379,
  database: 0,
  prefix: "anykv",
  partitions: 1,
  clusterPartitions: 16,
  connectTimeoutMs: 5_000,
  commandTimeoutMs: 10_000,
} as const;

/** "db.example:6379" or "/run/valkey.sock": for messages and reports. */
export function addressText(address: ServerAddress): string {
  if ("path" in address) return address.path;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
