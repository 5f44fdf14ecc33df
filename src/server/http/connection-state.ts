// Connection state: what the door knows of a connection beside its requests.
//
// Requests of one connection may be sent one behind the other without waiting. Node then gives a
// socket to the answer whose turn it is; those behind it have none, and are told nothing when the
// connection closes. So whoever has to know asks here.

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests under way on one connection; who sends more without waiting is cut off. */
export const requestsAtOnceMax = 256;

export interface ConnectionState {
  /** Under way. */
  requests: number;
  /** Of these: what waits for others, however long that takes. */
  waiting: number;
  /** What it has sent is not to be carried out. */
  isCutOff: boolean;
  /** Called when the connection closes. */
  readonly gone: Set<() => void>;
}

const states = new WeakMap<Socket, ConnectionState>();

export function stateOf(socket: Socket): ConnectionState {
  const known = states.get(socket);
  if (known !== undefined) return known;
  const state: ConnectionState = { requests: 0, waiting: 0, isCutOff: false, gone: new Set() };
  states.set(socket, state);
  socket.on("close", () => {
    for (const listener of [...state.gone]) listener();
  });
  return state;
}

/**
 * Ends a connection that has so much to take behind an answer that waits that Node reads no further:
 * nobody would notice when the caller has gone, and what waits would take an element for nobody.
 */
export function cutOffIfDeaf(socket: Socket): void {
  const state = stateOf(socket);
  if (state.waiting === 0 || !socket.isPaused()) return;
  state.isCutOff = true;
  socket.destroy();
}

/**
 * Has `listener` called once, when the answer has been taken or can no longer be. Gives back what
 * takes the listener away again.
 */
export function whenOver(response: ServerResponse, listener: () => void): () => void {
  const { socket } = response.req;
  const { gone } = stateOf(socket);
  const forget = (): void => {
    gone.delete(over);
    response.off("close", over);
  };
  const over = (): void => {
    forget();
    listener();
  };
  gone.add(over);
  response.on("close", over);
  if (socket.destroyed) queueMicrotask(() => gone.has(over) && over());
  return forget;
}
