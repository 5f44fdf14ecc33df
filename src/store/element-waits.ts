// Element waits: who waits for elements of arrays, also of those that other processes add.

import type { Engine, Transaction } from "../engine/engine.js";
import type { Stored } from "../engine/stored.js";
import type { Env, Timer } from "../env/env.js";
import { requireClaim } from "../operations/claim-rows.js";
import * as lists from "../operations/lists.js";
import type { TakeRequest } from "./direct.js";
import type { WaitRequest } from "./store.js";
import { refuseAborted, type Transact, Waiters } from "./waiters.js";

// How often arrays are looked at that somebody waits for, where other processes may add to them.
const pollMs = 10;

export class ElementWaits extends Waiters {
  readonly #engine: Engine;
  readonly #waitEnv: Env;
  // Whether other threads and processes work on the same tables.
  readonly #isShared: boolean;
  #poll: Timer | undefined;

  constructor(engine: Engine, env: Env, transact: Transact) {
    super(env, transact);
    this.#engine = engine;
    this.#waitEnv = env;
    this.#isShared = engine.capabilities.sharing === "machine";
    engine.onFailure?.((failure) => this.fail(failure));
  }

  /** As `Store.popWait`, with time to wait. */
  async pop(request: WaitRequest): Promise<Stored | undefined> {
    refuseAborted(request.signals);
    // Behind others who wait, nobody would look at the claim before an element is added.
    const claim = request.options?.claim;
    const held = claim === undefined ? undefined : this.#engine.read(requireClaim, claim);
    if (held instanceof Promise) {
      await held;
      refuseAborted(request.signals);
    }
    const { key, timeoutMs, signals } = request;
    const take = (transaction: Transaction): Stored | undefined => lists.pop(transaction, request);
    return this.wait({ keys: [key], take, timeoutMs, signals });
  }

  /** As `DirectAccess.wait`. */
  async wait<Result>(request: TakeRequest<Result>): Promise<Result | undefined> {
    refuseAborted(request.signals);
    const result = this.add(request);
    if (this.#isShared) {
      this.#pollForOthers();
      result.then(this.#endPoll, this.#endPoll);
    }
    return result;
  }

  readonly #endPoll = (): void => {
    if (this.keys.length > 0) return;
    this.#poll?.cancel();
    this.#poll = undefined;
  };

  /** What other processes add to an array wakes nobody here: looks from time to time. */
  #pollForOthers(): void {
    this.#poll ??= this.#waitEnv.timers.after(pollMs, () => {
      this.#poll = undefined;
      for (const key of this.keys) {
        if (this.#mayServe(key)) this.wake(key);
      }
      this.#pollForOthers();
    });
  }

  #mayServe(key: string): boolean {
    try {
      return this.#engine.read(lists.length, key) !== 0;
    } catch {
      // Not an array for now; those who wait, wait until it is one.
      return false;
    }
  }

  override close(): void {
    this.#poll?.cancel();
    super.close();
  }
}
