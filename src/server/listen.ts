// Listening: how a door comes to its place, and what is said when it cannot.

import { lstat, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { ServerListenError } from "../base/errors.js";

/** A socket's path, or a host and a port, of which 0 is any that is free. */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string };

// Connections that wait to be accepted.
const backlog = 4_096;

/**
 * Resolves when the server listens. A socket whose process is gone is removed; whatever else has its
 * path stays.
 *
 * @throws ServerListenError
 */
export async function listen(server: Server, place: Place): Promise<void> {
  try {
    if ("path" in place) await listenAtPath(server, place.path);
    else await listenAt(server, place);
  } catch (error) {
    throw failure(place, error);
  }
  // What goes wrong while a connection is accepted costs that connection.
  server.on("error", () => {});
}

async function listenAtPath(server: Server, path: string): Promise<void> {
  try {
    await listenAt(server, { path });
  } catch (error) {
    if (codeOf(error) !== "EADDRINUSE" || !(await isAbandoned(path))) throw error;
    await unlink(path);
    await listenAt(server, { path });
  }
}

function listenAt(server: Server, place: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...place, backlog }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Whether it is a socket on which nobody listens: its process has been killed. */
async function isAbandoned(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false;
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", (error) => resolve(codeOf(error) === "ECONNREFUSED"));
  });
}

const reasons: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  EADDRINUSE: ["it is taken", "choose another one, or end who has it; port 0 is any that is free"],
  EADDRNOTAVAIL: ["this machine has no such address", "choose one of this machine's addresses"],
  EACCES: ["this process has no right to it", "choose a port from 1024 on, or another path"],
  ENOTFOUND: ["there is no such host", "choose a name or an address of this machine"],
  ENOENT: ["there is no such directory", "make the directory of the socket first"],
};

function failure(place: Place, cause: unknown): ServerListenError {
  const where = "path" in place ? place.path : `${place.host}:${place.port}`;
  const code = codeOf(cause) ?? "";
  const [reason, hint] = reasons[code] ?? [cause instanceof Error ? cause.message : `${cause}`];
  const told = reasons[code] === undefined ? reason : `${reason} (${code})`;
  const details = hint === undefined ? { cause } : { cause, hint };
  return new ServerListenError(`cannot listen on ${where}: ${told}`, details);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
