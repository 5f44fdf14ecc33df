// Connection state: what the door knows of a connection beside its requests.
//
// Requests of one connection may be sent one behind the other without waiting. Node then gives a
// socket to the answer whose turn it is; those behind it have none, and are told nothing when the
// connection closes. So whoever has to know asks here.

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests of one connection whose answers have not been taken; who sends more is cut off. */
export const requestsAtOnceMax = 256;

export interface ConnectionState {
  /** Under way. */
  requests: number;
  /** Answers that have not been taken, in the order of the requests. */
  readonly untaken: Set<ServerResponse>;
  /** Of these: what waits for others, however long that takes. */
  readonly waiting: Set<ServerResponse>;
  /** Whether somebody has the turn; and those who come next. */
  isBusy: boolean;
  readonly queue: (() => void)[];
  /** What it has sent is not to be carried out. */
  isCutOff: boolean;
  /** Something has come that is no request: nothing behind it can be read. */
  isUnreadable: boolean;
  /** Called when the connection closes. */
  readonly gone: Set<() => void>;
}

const states = new WeakMap<Socket, ConnectionState>();

export function stateOf(socket: Socket): ConnectionState {
  const known = states.get(socket);
  if (known !== undefined) return known;
  const state: ConnectionState = {
    requests: 0,
    untaken: new Set(),
    waiting: new Set(),
    isBusy: false,
    queue: [],
    isCutOff: false,
    isUnreadable: false,
    gone: new Set(),
  };
  states.set(socket, state);
  socket.on("close", () => {
    for (const listener of [...state.gone]) listener();
  });
  return state;
}

/**
 * The turn of a request: one after the other, so that the answers of many that came together are not
 * all in memory at once. Undefined where nobody is before it; `leaveTurn` has to follow.
 */
export function turnOf(state: ConnectionState): Promise<void> | undefined {
  if (state.isBusy) return new Promise((resolve) => state.queue.push(resolve));
  state.isBusy = true;
  return undefined;
}

export function leaveTurn(state: ConnectionState): void {
  const next = state.queue.shift();
  if (next === undefined) state.isBusy = false;
  else next();
}

/**
 * Ends a connection that has so much to take behind an answer that waits that Node reads no further:
 * nobody would notice when the caller has gone, and what waits would take an element for nobody.
 *
 * @returns whether it did
 */
export function cutOffIfDeaf(socket: Socket): boolean {
  const state = stateOf(socket);
  const [first] = state.untaken;
  if (first === undefined || !state.waiting.has(first) || !socket.isPaused()) return false;
  state.isCutOff = true;
  socket.destroy();
  return true;
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
