// Waiters: who waits for an element of which arrays, in the order in which they came.
//
// Invariants
// 1. Whoever waits longest is served first. Right after an element has been added, a transaction
//    serves those who wait, or the same one does: no operation that comes later can come in between,
//    wherever and whenever transactions are carried out.
// 2. A waiter ends in exactly one way: served, timed out, aborted, failed, or told that the store
//    has closed. It stands in the queues of all its arrays until then.
// 3. An element that has been taken for a waiter reaches it, once that is durable: a time-out or an
//    abort that comes in between is too late.
// 4. However soon it is told to end, a waiter is given what is there when it comes.

import { setMaxListeners } from "node:events";
import { isKvError, OperationCanceledError, StoreClosedError } from "../base/errors.js";
import type { Awaitable, Transaction } from "../engine/engine.js";
import type { Env, Timer } from "../env/env.js";
import type { Pushed, Serving, TakeRequest } from "./direct.js";

/** Runs a step in a transaction; settles when that is durable. */
export type Transact = (step: (transaction: Transaction) => void) => Awaitable<void>;

/** What a caller is told whose signal was aborted. */
export function canceled(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  if (isKvError(reason)) return reason;
  const message = reason instanceof Error ? reason.message : String(reason);
  return new OperationCanceledError(`operation was canceled: ${message}`, { cause: reason });
}

/** @throws what `canceled` makes of the first one that was aborted. */
export function refuseAborted(signals: readonly AbortSignal[]): void {
  const aborted = signals.find((signal) => signal.aborted);
  if (aborted !== undefined) throw canceled(aborted);
}

class Waiter {
  readonly request: TakeRequest<unknown>;
  readonly result: Promise<unknown>;
  readonly #leaveQueues: (waiter: Waiter) => void;
  #timer: Timer | undefined;
  #resolve: (value: unknown) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  // Whether a transaction has looked for an element since the waiter came, and what was to end the
  // wait before that.
  #looked = false;
  #postponed: (() => void) | undefined;
  #taken: unknown;
  readonly #onAbort = (event: Event): void => this.abort(canceled(event.target as AbortSignal));

  constructor(request: TakeRequest<unknown>, env: Env, leaveQueues: (waiter: Waiter) => void) {
    this.request = request;
    this.#leaveQueues = leaveQueues;
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

  /** Inside a transaction. Whoever was given something neither waits nor fails from here on. */
  take(transaction: Transaction, pushed: Pushed): "served" | "refused" | "nothing" {
    try {
      this.#taken = this.request.take(transaction, pushed);
    } catch (error) {
      // Nothing has been changed, and the next one may have better luck.
      this.#fail(error);
      return "refused";
    }
    if (this.#taken === undefined) return "nothing";
    this.#leaveQueues(this);
    return "served";
  }

  /** What was taken is durable. */
  deliver(): void {
    this.#end();
    this.#resolve(this.#taken);
  }

  /** What was taken has not been taken after all. */
  giveUp(error: unknown): void {
    this.#taken = undefined;
    this.#fail(error);
  }

  /** A transaction has looked and found nothing for this waiter. */
  looked(): void {
    this.#looked = true;
    if (this.#taken === undefined) this.#postponed?.();
  }

  // A timer may fire early: it cannot be set for more than some weeks.
  #timeOut(env: Env, deadline: number): void {
    const left = deadline - env.clock.now();
    if (left <= 0) this.#leave(() => this.#resolve(undefined));
    else this.#timer = env.timers.after(left, () => this.#timeOut(env, deadline), true);
  }

  /** Ends the wait, unless an element is on its way. */
  abort(error: unknown): void {
    this.#leave(() => this.#reject(error));
  }

  #leave(settle: () => void): void {
    if (this.#taken !== undefined) return;
    const leave = (): void => {
      this.#end();
      settle();
    };
    if (this.#looked) leave();
    else this.#postponed ??= leave;
  }

  #fail(error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.#timer?.cancel();
    for (const signal of this.request.signals) signal.removeEventListener("abort", this.#onAbort);
    this.#leaveQueues(this);
  }
}

export class Waiters {
  readonly #queues = new Map<string, Set<Waiter>>();
  readonly #env: Env;
  readonly #transact: Transact;

  constructor(env: Env, transact: Transact) {
    this.#env = env;
    this.#transact = transact;
  }

  /** The arrays that somebody waits for. */
  get keys(): string[] {
    return [...this.#queues.keys()];
  }

  has(key: string): boolean {
    return this.#queues.size > 0 && this.#queues.has(key);
  }

  add<Result>(request: TakeRequest<Result>): Promise<Result | undefined> {
    const waiter = new Waiter(request, this.#env, this.#leave);
    for (const key of request.keys) {
      const queue = this.#queues.get(key);
      if (queue === undefined) this.#queues.set(key, new Set([waiter]));
      else queue.add(waiter);
    }
    this.#look(request.keys);
    return waiter.result as Promise<Result | undefined>;
  }

  /** Called right after a write has been issued that may have added elements to an array. */
  wake(key: string): void {
    if (this.has(key)) this.#look([key]);
  }

  #look(keys: readonly string[]): void {
    const waiting = keys.flatMap((key) => [...(this.#queues.get(key) ?? [])]);
    const served: Waiter[] = [];
    const settle = (): void => {
      deliver(served);
      for (const waiter of waiting) waiter.looked();
    };
    const fail = (error: unknown): void => giveUp([...served, ...waiting], error);
    try {
      const done = this.#transact((transaction) => this.#serve(transaction, keys, served));
      if (done instanceof Promise) done.then(settle, fail);
      else settle();
    } catch (error) {
      fail(error);
    }
  }

  /** Inside a transaction that has added elements to arrays. */
  serve(transaction: Transaction, keys: readonly string[]): Serving {
    const served: Waiter[] = [];
    this.#serve(transaction, keys, served);
    return { settle: () => deliver(served), fail: (error) => giveUp(served, error) };
  }

  /** Gives elements to those who wait, in turn, as long as there are any. */
  #serve(transaction: Transaction, keys: readonly string[], served: Waiter[]): void {
    // What is taken for one may be given to the array of another.
    const arrays = [...keys];
    const pushed = (key: string): void => {
      if (this.has(key)) arrays.push(key);
    };
    for (const key of arrays) {
      for (const waiter of this.#queues.get(key) ?? []) {
        const outcome = waiter.take(transaction, pushed);
        if (outcome === "nothing") break;
        if (outcome === "served") served.push(waiter);
      }
    }
  }

  /** Called when every array may have got elements. */
  wakeAll(): void {
    for (const key of this.keys) this.wake(key);
  }

  close(): void {
    this.fail(new StoreClosedError("kv store handle is closed"));
  }

  /** Nothing will be added any more: tells everyone why. */
  fail(error: Error): void {
    for (const waiters of this.#queues.values()) {
      for (const waiter of waiters) waiter.abort(error);
    }
  }

  readonly #leave = (waiter: Waiter): void => {
    for (const key of waiter.request.keys) {
      const queue = this.#queues.get(key);
      queue?.delete(waiter);
      if (queue?.size === 0) this.#queues.delete(key);
    }
  };
}

function deliver(waiters: readonly Waiter[]): void {
  for (const waiter of waiters) waiter.deliver();
}

function giveUp(waiters: readonly Waiter[], error: unknown): void {
  for (const waiter of waiters) waiter.giveUp(error);
}
