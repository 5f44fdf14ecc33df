// Waiters: who waits for an element of which array, in the order in which they came.
//
// Invariants
// 1. Whoever waits longest is served first.
// 2. A waiter ends in exactly one way: served, timed out, aborted, failed, or told that the store
//    has closed.
// 3. An element that has been popped for a waiter reaches it: a time-out or an abort that comes
//    while a pop is under way has to wait for its outcome.
// 4. One loop at a time serves a key; a wake-up that comes meanwhile makes it go round again, so
//    none is lost.

import { setMaxListeners } from "node:events";
import { isKvError, OperationCanceledError, StoreClosedError } from "../base/errors.js";
import type { Awaitable } from "../engine/engine.js";
import type { Stored } from "../engine/stored.js";
import type { Env, Timer } from "../env/env.js";
import type { WaitRequest } from "./store.js";

/** `applied` is told what was taken as soon as that is sure, which may be before it is durable. */
type Pop = (
  request: WaitRequest,
  applied: (value: Stored | undefined) => void,
) => Awaitable<Stored | undefined>;

/** What a caller is told whose signal was aborted. */
export function canceled(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  if (isKvError(reason)) return reason;
  const message = reason instanceof Error ? reason.message : String(reason);
  return new OperationCanceledError(`operation was canceled: ${message}`, { cause: reason });
}

class Waiter {
  readonly request: WaitRequest;
  readonly result: Promise<Stored | undefined>;
  readonly #queue: Set<Waiter>;
  #timer: Timer | undefined;
  #resolve: (value: Stored | undefined) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  // Set while a pop is under way: what is to happen if it comes back with nothing.
  #serving = false;
  #postponed: (() => void) | undefined;
  readonly #onAbort = (event: Event): void => this.fail(canceled(event.target as AbortSignal));

  constructor(request: WaitRequest, env: Env, queue: Set<Waiter>) {
    this.request = request;
    this.#queue = queue;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (request.timeoutMs !== undefined) this.#timeOut(env, env.clock.now() + request.timeoutMs);
    for (const signal of request.signals) {
      // One signal may end many waits; each listener is taken off again, so none can leak.
      setMaxListeners(0, signal);
      signal.addEventListener("abort", this.#onAbort);
    }
  }

  /** True when an element was there for the waiter. Known at once where pops are applied at once. */
  serve(pop: Pop): Awaitable<boolean> {
    this.#serving = true;
    let isApplied = false;
    let taken: Stored | undefined;
    let popped: Awaitable<Stored | undefined>;
    try {
      popped = pop(this.request, (value) => {
        isApplied = true;
        taken = value;
      });
    } catch (error) {
      return this.#refused(error);
    }
    if (!(popped instanceof Promise)) return this.#served(popped);
    if (isApplied && taken === undefined) {
      // Nothing is there, whatever its promise still waits for.
      popped.catch(() => {});
      return this.#served(undefined);
    }
    const outcome = popped.then(
      (value) => this.#served(value),
      (error: unknown) => this.#refused(error),
    );
    if (!isApplied) return outcome;
    // The waiter has only to wait until it is durable, and others need not wait with it.
    this.#queue.delete(this);
    return true;
  }

  #served(value: Stored | undefined): boolean {
    this.#serving = false;
    if (value !== undefined) this.#settle(value);
    else this.#postponed?.();
    return value !== undefined;
  }

  // The next one may have better luck.
  #refused(error: unknown): boolean {
    this.#serving = false;
    this.fail(error);
    return true;
  }

  // A timer may fire early: it cannot be set for more than some weeks.
  #timeOut(env: Env, deadline: number): void {
    const left = deadline - env.clock.now();
    if (left <= 0) this.#settle(undefined);
    else this.#timer = env.timers.after(left, () => this.#timeOut(env, deadline), true);
  }

  fail(error: unknown): void {
    if (this.#serving) this.#postponed = () => this.fail(error);
    else {
      this.#end();
      this.#reject(error);
    }
  }

  #settle(value: Stored | undefined): void {
    if (this.#serving) this.#postponed = () => this.#settle(value);
    else {
      this.#end();
      this.#resolve(value);
    }
  }

  #end(): void {
    this.#timer?.cancel();
    for (const signal of this.request.signals) signal.removeEventListener("abort", this.#onAbort);
    this.#queue.delete(this);
  }
}

interface Queue {
  readonly waiters: Set<Waiter>;
  serving: boolean;
  again: boolean;
}

export class Waiters {
  readonly #queues = new Map<string, Queue>();
  readonly #env: Env;
  readonly #pop: Pop;

  constructor(env: Env, pop: Pop) {
    this.#env = env;
    this.#pop = pop;
  }

  add(request: WaitRequest): Promise<Stored | undefined> {
    let queue = this.#queues.get(request.key);
    if (queue === undefined) {
      queue = { waiters: new Set(), serving: false, again: false };
      this.#queues.set(request.key, queue);
    }
    const waiter = new Waiter(request, this.#env, queue.waiters);
    queue.waiters.add(waiter);
    return waiter.result.finally(() => this.#forget(request.key));
  }

  /**
   * Called when an element is being added: serves as many waiters as there are elements. Where
   * transactions are applied at once, all of it happens before this returns, so that nobody can come
   * in between; elsewhere the pops queue up behind the addition.
   */
  async wake(key: string): Promise<void> {
    const queue = this.#queues.get(key);
    if (queue === undefined) return;
    queue.again = true;
    if (queue.serving) return;
    queue.serving = true;
    while (queue.again) {
      queue.again = false;
      for (const waiter of queue.waiters) {
        const served = waiter.serve(this.#pop);
        if (!(served instanceof Promise ? await served : served)) break;
      }
    }
    queue.serving = false;
    this.#forget(key);
  }

  close(): void {
    this.fail(new StoreClosedError("kv store handle is closed"));
  }

  /** Nothing will be added any more: tells everyone why. */
  fail(error: Error): void {
    for (const { waiters } of this.#queues.values()) {
      for (const waiter of waiters) waiter.fail(error);
    }
  }

  #forget(key: string): void {
    const queue = this.#queues.get(key);
    if (queue?.waiters.size === 0 && !queue.serving) this.#queues.delete(key);
  }
}
