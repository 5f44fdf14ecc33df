// Connection: what a remote store needs of a client of Valkey.
//
// A store is spread over `partitions`, numbered from 0. All keys of one partition begin with its tag
// (partitions.ts) and lie in one slot of a cluster, so every call concerns one slot.
//
// What a connection does for a call
// 1. It asks the server that owns the slot for `FCALL <library>_<operation> 1 <tag>:v <arguments>`, or
//    for the same by EVALSHA where functions are forbidden. A library that is not there (new node,
//    `FUNCTION FLUSH`) is loaded and the call sent again: nothing has happened.
// 2. Calls of one partition that are issued one after the other in one thread reach the server in
//    that order, as long as the connection stands.
// 3. A call that certainly has not been carried out is sent again, after a reconnect or to another
//    node. One that may have been carried out is sent again only if it `isRead`, or if it was sent
//    as `once` (docs/formats/valkey.md): the server then answers what it has answered before.
//    Otherwise it rejects with an error that says that it may have happened.
//
// Who owns what: arguments belong to the connection until the call has settled, and nobody changes
// them; bytes of a reply belong to the caller.

import type { Operation } from "./operation-table.js";

/** Text goes out as UTF-8, a number as its decimal text. */
export type Argument = string | number | Uint8Array;

/**
 * RESP as it comes: integers, bulk replies as bytes, nil, arrays. A status is bytes, too. Where bytes
 * cannot be had, bulk replies are texts, and a reply that is no text is damaged.
 */
export type Reply = number | string | Uint8Array | null | readonly Reply[];

export interface Call {
  /** operation-table.ts: the name behind that of the library. */
  readonly operation: Operation;
  readonly partition: number;
  readonly args: readonly Argument[];
  /** Changes nothing that anybody can observe: may be sent again whatever has happened. */
  readonly isRead: boolean;
}

/** What the server is like, as far as the capabilities of a store depend on it. */
export interface ServerFacts {
  /** "valkey 8.0.1 standalone": for reports and messages. */
  readonly description: string;
  readonly isCluster: boolean;
}

export interface Connection {
  /** At least 1; the same for everybody who uses the store (checked by the operation `open`). */
  readonly partitions: number;
  readonly server: ServerFacts;
  /**
   * Resolves to the reply of the function.
   *
   * @throws LibraryError for an error reply of the library (its text begins with `ANYKV_`).
   * @throws KvError for everything else, with a hint.
   */
  call(call: Call): Promise<Reply>;
  /** Whether nothing can be called any more. */
  readonly hasEnded: boolean;
  /** To be called when the store is open, before its first operation. */
  opened(): Promise<void>;
  /** Has `listener` called after each reconnect, when calls can be sent again. */
  onReconnect(listener: () => void): void;
  /** Lets what is under way settle, rejects what comes later, then hangs up. Idempotent. */
  close(): Promise<void>;
}

/** An error reply of the library, still as text: `ANYKV_<CODE> <more>`. remote-errors.ts reads it. */
export class LibraryError extends Error {}
