// Store registry: the stores of an application by name, and one of them as the default.
//
// Invariants
// 1. A name is registered once; registering it again is an error, not a replacement.
// 2. The default is the store registered last.
// 3. The registry closes what it holds when it is closed, and only then. Afterwards it holds
//    nothing and takes nothing: a store registered too late would never be closed.

import { InvalidOptionsError, StoreClosedError } from "../../base/errors.js";
import { keyBytesMax } from "../../base/limits.js";
import { checkText, refuse } from "../arguments.js";
import type { Filter } from "../filter.js";
import type { Kv } from "../kv.js";
import type { AnySchema } from "../schema.js";

export class StoreRegistry {
  readonly #stores = new Map<string, Kv>();
  #closed: Promise<void> | undefined;

  /**
   * Takes a store, which becomes the default; from now on the registry closes it.
   * @throws InvalidOptionsError when the name is taken, StoreClosedError after `close`.
   */
  register<Schema>(name: string, kv: Kv<Schema>): void {
    checkText(name, "name", keyBytesMax);
    if (!isKv(kv)) refuse("store", "a handle that openKv returned", kv);
    this.#assertOpen();
    if (this.#stores.has(name)) {
      throw new InvalidOptionsError(`a store is already registered under the name "${name}"`);
    }
    this.#stores.set(name, kv as unknown as Kv);
  }

  /**
   * The store under a name; without one the store registered last.
   * @throws InvalidOptionsError when there is none, StoreClosedError after `close`.
   */
  get<Schema = AnySchema>(name?: string): Kv<Schema> {
    this.#assertOpen();
    const found = name === undefined ? [...this.#stores.values()].at(-1) : this.#stores.get(name);
    if (found !== undefined) return found as unknown as Kv<Schema>;
    const what = name === undefined ? "no store is registered" : `no store is named "${name}"`;
    const known = [...this.#stores.keys()].join(", ") || "none";
    throw new InvalidOptionsError(what, { hint: `registered: ${known}` });
  }

  /** Whether a store is registered under a name. */
  has(name: string): boolean {
    return this.#stores.has(name);
  }

  /**
   * A membership filter in the store under a name, or in the default one.
   * @throws InvalidOptionsError, StoreClosedError as `get`.
   */
  filter(bucket: string, name?: string): Filter {
    return this.get(name).filter(bucket);
  }

  /** In the order of registration. */
  names(): string[] {
    return [...this.#stores.keys()];
  }

  /**
   * Closes every store; rejects with the first error after all have been closed. Repeated calls
   * return the same promise.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const stores = [...this.#stores.values()];
    this.#stores.clear();
    const results = await Promise.allSettled(stores.map((kv) => kv.close()));
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new StoreClosedError("the store registry is closed");
  }
}

// By what it can do: the store may come from another copy of the package.
function isKv(value: unknown): boolean {
  const { close, filter } = (value ?? {}) as Partial<Kv>;
  return typeof close === "function" && typeof filter === "function";
}
