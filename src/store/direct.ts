// Direct access: transactions of a local store for whoever has operations of his own, such as the
// commands of a server's protocol.
//
// Operations run as those of the store itself do: synchronously, checking first and writing
// afterwards. Who waits for elements stands in one queue with `popWait`.

import type { Awaitable, Transaction, View } from "../engine/engine.js";

/** Tells, inside a transaction, that the array under a key has got elements. */
export type Pushed = (key: string) => void;

/** A wait for elements of any of several arrays. */
export interface TakeRequest<Result> {
  readonly keys: readonly string[];
  /**
   * Takes what there is, inside a transaction; undefined: nothing for now, none of the keys has an
   * element. It is called again when one of them has got some. What it throws ends the wait.
   */
  readonly take: (transaction: Transaction, pushed: Pushed) => Result | undefined;
  /** undefined: wait without end. */
  readonly timeoutMs: number | undefined;
  /** Whichever is aborted first ends the wait. */
  readonly signals: readonly AbortSignal[];
}

export interface DirectAccess {
  read<Request, Result>(
    operation: (view: View, request: Request) => Result,
    request: Request,
  ): Awaitable<Result>;
  /** Settles when the write is as durable as the store promises; at once where that takes no time. */
  write<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result>;
  /** Reads that count by rank: nothing that is due is in the tables. */
  query<Request, Result>(
    operation: (view: View, request: Request) => Result,
    request: Request,
  ): Awaitable<Result>;
  /** Writes that count by rank. */
  allocate<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result>;
  /** A number that has risen whenever the content has changed between two looks at it. */
  readonly changes: number;
  /** Whether somebody waits for elements of the array. O(1). */
  isAwaited(key: string): boolean;
  /**
   * Inside a transaction of `write` or `allocate` whose operation has added elements to arrays: gives
   * them to those who wait, in turn, before anybody else can come in between. It is the last thing
   * that happens in the transaction, and what comes of that is told to the result.
   */
  serve(transaction: Transaction, keys: readonly string[]): Serving;
  /** Who waits longest is served first; undefined when the time is up. */
  wait<Result>(request: TakeRequest<Result>): Promise<Result | undefined>;
}

/** Elements that a transaction has given to those who wait. */
export interface Serving {
  /** The transaction is durable: they are told. */
  settle(): void;
  /** It has failed, and so have they. */
  fail(error: unknown): void;
}
