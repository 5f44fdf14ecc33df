// Handle: one caller's access to a store, and the life of that access.
//
//   opening --> open --> closed
//
// Invariants
// 1. `ready` is set exactly while the handle is open: one field tells every operation that it may
//    go ahead, so that the common path has a single test.
// 2. Arguments are checked before the state, so a bad argument on a closed handle is reported as a
//    bad argument. Operations read `ready` before they first pause, and after their last check:
//    that is how the observer knows whether arguments were accepted.
// 3. Closing is counted: the store closes with its last handle, and each handle counts once.

import { DatabaseNotOpenError, StoreClosedError } from "../base/errors.js";
import type { Store } from "../store/store.js";
import type { StoreMetrics } from "./metrics.js";
import { Observer } from "./observe.js";
import type { KvOptions } from "./options/options.js";
import type { ValueFormat } from "./serialization/format.js";

/** What a handle shares with the other handles of the same store. */
export interface SharedStore {
  readonly options: KvOptions;
  readonly format: ValueFormat;
  /** The open store, or the promise of it; rejects when it could not be opened. */
  readonly store: Store | Promise<Store>;
  readonly metrics: StoreMetrics;
  /** Keeps the store open, whoever closes it meanwhile, until the work has settled. */
  attend(work: Promise<unknown>): void;
  /** Drops one handle; resolves when the store needs nothing more from this process. */
  release(): Promise<void>;
}

/** A handle whose store is open. */
export interface Served {
  readonly store: Store;
  readonly shared: SharedStore;
  /** Aborted when the handle closes. */
  readonly closing: AbortSignal;
}

export abstract class Handle {
  /** @internal */
  protected readonly observer: Observer;
  /** @internal */
  protected readonly format: ValueFormat;
  /** @internal */
  protected readonly shared: SharedStore;
  /** @internal Aborted with `StoreClosedError` when the handle closes: ends what waits. */
  protected readonly closing: AbortSignal;
  readonly #closer = new AbortController();
  #store: Store | undefined;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(shared: SharedStore) {
    this.shared = shared;
    this.format = shared.format;
    this.observer = new Observer(shared.options, shared.metrics);
    this.closing = this.#closer.signal;
    if (!(shared.store instanceof Promise)) this.#store = shared.store;
  }

  /** The open store, for operations whose arguments have been accepted. @internal */
  protected get ready(): Store | undefined {
    this.observer.accepted = true;
    return this.#store;
  }

  /** The store of an operation that found `ready` unset. @internal */
  protected async opened(): Promise<Store> {
    if (this.#closed !== undefined) throw closedError();
    const store = await this.shared.store;
    if (store === undefined) throw new DatabaseNotOpenError("database is not open");
    if (this.#closed === undefined) this.#store = store;
    return store;
  }

  /** What stands behind a handle, for the doors of a server. @internal */
  static async served(handle: Handle): Promise<Served> {
    const store = handle.#store ?? (await handle.opened());
    return { store, shared: handle.shared, closing: handle.closing };
  }

  /**
   * Closes this handle: from now on its operations reject with `StoreClosedError`, while those
   * already under way settle normally. The last handle closes the store. Repeated calls return the
   * same promise, which resolves when the store, if this was the last handle, has closed.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #close(): Promise<void> {
    this.#store = undefined;
    this.#closer.abort(closedError());
    const released = this.shared.release();
    // Callers that ignore the promise, as scripts of the seeds do, must not bring the process down.
    released.catch(() => {});
    return released;
  }
}

function closedError(): StoreClosedError {
  return new StoreClosedError("kv store handle is closed");
}
