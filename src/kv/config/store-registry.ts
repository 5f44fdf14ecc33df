// Store registry: the stores of an application by name, and one of them as the default.
//
// Invariants
// 1. A name is registered once; registering it again is an error, not a replacement.
// 2. The default is the store registered last.
// 3. The registry closes what it holds when it is closed, and only then.

import { InvalidOptionsError } from "../../base/errors.js";
import { checkKey } from "../arguments.js";
import type { Filter } from "../filter.js";
import type { Kv } from "../kv.js";

export class StoreRegistry {
  readonly #stores = new Map<string, Kv>();

  /** @throws InvalidOptionsError when the name is taken. */
  register(name: string, kv: Kv): void {
    checkKey(name, "name");
    if (this.#stores.has(name)) {
      throw new InvalidOptionsError(`a store is already registered under the name "${name}"`);
    }
    this.#stores.set(name, kv);
  }

  /**
   * The store under a name; without one the store registered last.
   * @throws InvalidOptionsError when there is none.
   */
  get(name?: string): Kv {
    const found = name === undefined ? [...this.#stores.values()].at(-1) : this.#stores.get(name);
    if (found !== undefined) return found;
    const what = name === undefined ? "no store is registered" : `no store is named "${name}"`;
    const known = [...this.#stores.keys()].join(", ") || "none";
    throw new InvalidOptionsError(what, { hint: `registered: ${known}` });
  }

  /** A membership filter in the store under a name, or in the default one. */
  filter(bucket: string, name?: string): Filter {
    return this.get(name).filter(bucket);
  }

  /** In the order of registration. */
  names(): string[] {
    return [...this.#stores.keys()];
  }

  /** Closes every store and forgets it; rejects with the first error after all have been closed. */
  async close(): Promise<void> {
    const stores = [...this.#stores.values()];
    this.#stores.clear();
    const results = await Promise.allSettled(stores.map((kv) => kv.close()));
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
