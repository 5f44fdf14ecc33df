// Function host: what operations are carried out on, and what they remember between calls.

import type { Awaitable, Transaction, View } from "../../engine/engine.js";
import type { Env } from "../../env/env.js";
import type { CountedSource } from "../../store/store.js";
import type { Loads } from "./loads.js";
import type { Marks } from "./marks.js";

/** Transactions of the served store: the part of its direct access that functions need. */
export interface FunctionAccess {
  read<Request, Result>(
    operation: (view: View, request: Request) => Result,
    request: Request,
  ): Awaitable<Result>;
  write<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result>;
  query<Request, Result>(
    operation: (view: View, request: Request) => Result,
    request: Request,
  ): Awaitable<Result>;
  allocate<Request, Result>(
    operation: (transaction: Transaction, request: Request) => Result,
    request: Request,
  ): Awaitable<Result>;
  /** Gives elements that a transaction has added to those who wait for them, at its end. */
  serve(
    transaction: Transaction,
    keys: readonly string[],
  ): { settle(): void; fail(error: unknown): void };
  /** A number that rises with every transaction that may have changed the content. */
  readonly changes: number;
}

export interface ServedStore {
  readonly direct: FunctionAccess;
  replace(source: CountedSource): Promise<void>;
}

export interface FunctionHost {
  readonly store: ServedStore;
  readonly env: Env;
  readonly loads: Loads;
  /** Where the pages of others have ended. */
  readonly marks: Marks;
  /** Whether the partition has been opened in the life of this server. */
  isOpen: boolean;
  /** The token before the first one of a store that has never granted any. */
  readonly firstToken: () => number;
}
