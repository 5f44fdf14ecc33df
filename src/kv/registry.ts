// Registry: the stores of this process, by name, and how many handles each has.
//
// Lock-in (the seeds' rule): the first successful `openKv` without a name fixes the options of that
// store for the life of the process, also after its last handle has closed; a store in memory, own
// or shared, keeps its data as well. A named store is let go with its last handle; data in memory go
// with it, if no other process shares them.
// A store that could not be opened leaves nothing behind.

import { KVOptionsConflictError } from "../base/errors.js";
import type { Store } from "../store/store.js";
import { openStore, type StoreOpening } from "./backends.js";
import type { SharedStore } from "./handle.js";
import { OperationMetrics } from "./metrics.js";
import { differingOptions, type KvOptions } from "./options/options.js";
import { formatOf } from "./serialization/format.js";
import { warnOfUnfinishedCopy } from "./unfinished-copy.js";

// Stores that are closing, by what their data have for an address: whoever opens the same data
// waits for it.
const closing = new Map<string, Promise<void>>();

/** "" for data that nobody else can come upon. */
function addressOf({ backend, name, path }: KvOptions): string {
  return backend === "shared" ? `shared ${name ?? ""}` : path;
}

class RegisteredStore {
  readonly options: KvOptions;
  #metrics: OperationMetrics | undefined;
  #store: Store | Promise<Store> | undefined;
  #handles = 0;
  // Operations of many steps: the store must not close between two of them.
  readonly #underway = new Set<Promise<unknown>>();
  // Whether it has ever been open: what was never open leaves no lock-in behind.
  #locked = false;
  readonly #forget: () => void;
  readonly #opening: StoreOpening;

  constructor(options: KvOptions, forget: () => void, opening: StoreOpening = {}) {
    this.options = options;
    this.#forget = forget;
    this.#opening = opening;
  }

  /** One more handle; the first one opens the store, and hears of the progress. */
  acquire({ onProgress }: KvOptions): SharedStore {
    const store = this.#store ?? this.#open({ ...this.options, onProgress });
    // Made after the opening: a store that cannot be opened must not show up in a registry.
    this.#metrics ??= new OperationMetrics(this.options);
    this.#handles++;
    return {
      options: this.options,
      format: formatOf(this.options.serialization),
      metrics: this.#metrics,
      store,
      attend: (work) => this.#attendWork(work),
      release: () => this.#release(),
    };
  }

  #open(options: KvOptions): Store | Promise<Store> {
    const before = closing.get(addressOf(options));
    const open = (): Store | Promise<Store> => openStore(options, this.#opening);
    const opening = before === undefined ? open() : before.then(open);
    this.#store = opening;
    if (opening instanceof Promise) this.#attend(opening);
    else this.#locked = true;
    return opening;
  }

  #attend(opening: Promise<Store>): void {
    opening.then(
      (store) => {
        this.#locked = true;
        if (this.#store === opening) this.#store = store;
        this.#attendWork(warnOfUnfinishedCopy(store, this.options));
      },
      () => {
        // The next handle tries again.
        if (this.#store === opening) this.#store = undefined;
        if (!this.#locked) this.#forget();
      },
    );
  }

  #attendWork(work: Promise<unknown>): void {
    this.#underway.add(work);
    const done = (): boolean => this.#underway.delete(work);
    work.then(done, done);
  }

  async #release(): Promise<void> {
    if (--this.#handles > 0) return;
    const store = this.#store;
    const { name, backend } = this.options;
    if (name === undefined && (backend === "memory" || backend === "shared")) return;
    this.#store = undefined;
    if (name !== undefined) this.#forget();
    await this.#closeStore(store);
  }

  async #closeStore(store: Store | Promise<Store> | undefined): Promise<void> {
    const { env } = this.options;
    const address = addressOf(this.options);
    // Operations that came before the last `close` may still be on their way to the store: one turn
    // of the loop lets them arrive. A store that could not be opened has nothing to close.
    const closed = Promise.resolve(store).then(
      async (open) => {
        await env.timers.breathe();
        await Promise.allSettled(this.#underway);
        await open?.close();
      },
      () => {},
    );
    const settled = closed.catch(() => {});
    if (address !== "") closing.set(address, settled);
    try {
      await closed;
    } finally {
      if (closing.get(address) === settled) closing.delete(address);
    }
  }
}

const stores = new Map<string | undefined, RegisteredStore>();

/** @throws KVOptionsConflictError when the store is open with other options. */
export function acquireStore(options: KvOptions): SharedStore {
  const { name } = options;
  const known = stores.get(name);
  if (known !== undefined) {
    refuseConflict(known.options, options);
    return known.acquire(options);
  }
  const registered: RegisteredStore = new RegisteredStore(options, () => {
    if (stores.get(name) === registered) stores.delete(name);
  });
  const shared = registered.acquire(options);
  stores.set(name, registered);
  return shared;
}

/**
 * A store that nobody else in this process comes upon, whatever its name: for programs that have one
 * thing to do with it.
 */
export function acquireApart(options: KvOptions, opening: StoreOpening): SharedStore {
  return new RegisteredStore(options, () => {}, opening).acquire(options);
}

function refuseConflict(locked: KvOptions, asked: KvOptions): void {
  const differing = differingOptions(locked, asked);
  if (differing.length === 0) return;
  const { backend, path, serialization, trackKeys, operationMetrics } = locked;
  const store = locked.name === undefined ? "the store" : `the store "${locked.name}"`;
  throw new KVOptionsConflictError(
    `${store} was opened with backend=${backend}, path=${path || "none"}, ` +
      `serialization=${serialization}, trackKeys=${trackKeys}, ` +
      `metrics.operations=${operationMetrics}; the options differ in ${differing.join(", ")}`,
    { hint: "pass the same options everywhere, or open a store of its own with `name`" },
  );
}
