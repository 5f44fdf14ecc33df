// Options of the clients that we build ourselves.
//
// iovalkey is left with one duty: connections. Whether a call is sent again is decided here
// (valkey-connection.ts), so everything in it that sends again or puts aside is turned off.

import { isIP } from "node:net";
import type { ServerAddress, ValkeySettings } from "./valkey-settings.js";

export const backOffMs = (attempts: number): number =>
  Math.min(20 * 2 ** Math.min(attempts, 10), 2_000);

/** What CLIENT LIST shows. */
export const clientName = "anykv";
const keepAliveMs = 30_000;

/** For a connection to one node. */
function nodeOptions(settings: ValkeySettings): object {
  const { username, password, tls, connectTimeoutMs, commandTimeoutMs } = settings;
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    // Both families of addresses.
    family: 0,
    connectTimeout: connectTimeoutMs,
    // A connection that has been silent for so long, with commands under way, is given up.
    ...(commandTimeoutMs === 0 ? {} : { socketTimeout: commandTimeoutMs }),
    keepAlive: keepAliveMs,
    lazyConnect: true,
    // INFO may be forbidden, and takes a round trip; we ask HELLO.
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // Reject what is under way as soon as the connection is lost: otherwise it is never settled.
    maxRetriesPerRequest: 0,
  };
}

/** `retryStrategy` gets the number of attempts and gives the milliseconds until the next. */
export function standaloneOptions(
  settings: ValkeySettings,
  address: ServerAddress,
  retryStrategy: ((attempts: number) => number | null) | null,
): object {
  const { tls, database } = settings;
  const named = tls !== undefined && "host" in address && isIP(address.host) === 0;
  return {
    ...nodeOptions(settings),
    ...address,
    // Node leaves the name out that servers choose their certificate by.
    ...(named ? { tls: { servername: address.host, ...tls } } : {}),
    db: database,
    retryStrategy,
  };
}

export function clusterOptions(settings: ValkeySettings): object {
  const { connectTimeoutMs } = settings;
  return {
    redisOptions: { ...nodeOptions(settings), connectionName: clientName },
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    slotsRefreshTimeout: connectTimeoutMs,
    clusterRetryStrategy: backOffMs,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // Names stay names: certificates are for names.
    dnsLookup: (host: string, callback: (error: null, address: string) => void) =>
      callback(null, host),
  };
}
