// Socket address: the two ends of a connection, as clients are told of them.

import type { Socket } from "node:net";

/** As `127.0.0.1:50000`, `[::1]:50000`, or the path of the Unix socket and `:0`. */
export function remoteAddressOf({ remoteAddress, remotePort }: Socket, path: string): string {
  return addressOf(remoteAddress, remotePort, path);
}

/** In the same form. */
export function localAddressOf({ localAddress, localPort }: Socket, path: string): string {
  return addressOf(localAddress, localPort, path);
}

function addressOf(host: string | undefined, port: number | undefined, path: string): string {
  if (host === undefined) return `${path}:0`;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
