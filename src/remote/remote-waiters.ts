// Remote waiters: who waits in this process for an element of which array, in the order in which
// they came.
//
// Invariants
// 1. Here, whoever waits longest is served first: right behind a push of this process goes a pop for
//    whoever is next, and calls of one connection arrive in order. Between processes, whoever asks
//    first is served first.
// 2. A waiter ends in exactly one way: served, timed out, aborted, failed, or told that the store
//    has closed.
// 3. A pop that is on its way for a waiter decides: a time-out or an abort that comes meanwhile takes
//    effect only if it comes back empty. So no element is lost.
// 4. However soon it is told to end, a waiter is given what is there when it comes.
// 5. Where a pop has certainly taken nothing because the server could not be reached, whoever waits
//    goes on waiting, as long as there is time. One that may have taken something ends the wait.
//
// What other processes push wakes nobody here: arrays that somebody waits for are looked at from time
// to time, seldom at the end, many of them with one call.

import { setMaxListeners } from "node:events";
import { StoreClosedError } from "../base/errors.js";
import type { Stored } from "../engine/stored.js";
import type { Env, Timer } from "../env/env.js";
import type { PopRequest } from "../operations/requests.js";
import type { WaitRequest } from "../store/store.js";
import { canceled } from "../store/waiters.js";

const pollMsMin = 5;
const pollGrowth = 1.5;

export interface WaiterCalls {
  pop(request: PopRequest): Promise<Stored | undefined>;
  /** How many elements there are under each key, as far as it can be found out; else 0. */
  lengths(keys: readonly string[]): Promise<number[]>;
  /** Whether a pop that has failed so has taken nothing, and may succeed later. */
  mayPass(error: unknown): boolean;
}

class Waiter {
  readonly request: WaitRequest;
  readonly result: Promise<Stored | undefined>;
  /** A pop is on its way for it. */
  isReserved = false;
  // Whether a pop has come back empty since it came, and what was to end the wait before that.
  #looked = false;
  // Why nobody could look.
  #missed: { readonly error: unknown } | undefined;
  #postponed: (() => void) | undefined;
  #timer: Timer | undefined;
  readonly #queue: Queue;
  #resolve: (value: Stored | undefined) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  readonly #onAbort = (event: Event): void => this.abort(canceled(event.target as AbortSignal));

  constructor(request: WaitRequest, env: Env, queue: Queue) {
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

  deliver(value: Stored): void {
    this.#end();
    this.#resolve(value);
  }

  fail(error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  /** An array without elements was seen. */
  looked(): void {
    this.#looked = true;
    if (!this.isReserved) this.#postponed?.();
  }

  /** Nobody could look, and nothing was taken. */
  missed(error: unknown): void {
    this.#missed = { error };
    if (!this.isReserved) this.#postponed?.();
  }

  abort(error: unknown): void {
    this.#leave(() => this.#reject(error));
  }

  // A timer may fire early: it cannot be set for more than some weeks.
  #timeOut(env: Env, deadline: number): void {
    const left = deadline - env.clock.now();
    if (left <= 0) this.#leave(() => this.#timedOut());
    else this.#timer = env.timers.after(left, () => this.#timeOut(env, deadline), true);
  }

  /** That nothing came is known only to those who could look. */
  #timedOut(): void {
    if (this.#looked || this.#missed === undefined) this.#resolve(undefined);
    else this.#reject(this.#missed.error);
  }

  #leave(settle: () => void): void {
    const leave = (): void => {
      this.#end();
      settle();
    };
    const isSure = this.#looked || this.#missed !== undefined;
    if (isSure && !this.isReserved) leave();
    else this.#postponed ??= leave;
  }

  #end(): void {
    this.#timer?.cancel();
    for (const signal of this.request.signals) signal.removeEventListener("abort", this.#onAbort);
    this.#queue.waiters.delete(this);
  }
}

interface Queue {
  readonly waiters: Set<Waiter>;
  /** Pops under way that do not follow a push of this process, and may well come back empty. */
  guesses: number;
  /** Elements that were pushed while such a pop was under way. */
  pushed: number;
}

export class RemoteWaiters {
  readonly #queues = new Map<string, Queue>();
  readonly #env: Env;
  readonly #calls: WaiterCalls;
  readonly #pollMsMax: number;
  #pollMs = pollMsMin;
  #poll: Timer | undefined;
  #isLooking = false;
  readonly #underway = new Set<Promise<void>>();

  constructor(env: Env, calls: WaiterCalls, pollMsMax: number) {
    this.#env = env;
    this.#calls = calls;
    this.#pollMsMax = pollMsMax;
  }

  add(request: WaitRequest): Promise<Stored | undefined> {
    const { key } = request;
    const queue = this.#queues.get(key) ?? { waiters: new Set(), guesses: 0, pushed: 0 };
    this.#queues.set(key, queue);
    const waiter = new Waiter(request, this.#env, queue);
    queue.waiters.add(waiter);
    this.#guess(queue);
    this.#pollMs = pollMsMin;
    this.#poll?.cancel();
    this.#poll = undefined;
    this.#armPoll();
    return waiter.result.finally(() => this.#forget(key));
  }

  /** Called right behind a push. */
  wake(key: string): void {
    const queue = this.#queues.get(key);
    if (queue === undefined) return;
    if (queue.guesses > 0) queue.pushed++;
    else this.#look(queue, false);
  }

  /** Called when every array may have got elements. */
  wakeAll(): void {
    void this.#lookAround();
  }

  async close(): Promise<void> {
    this.#poll?.cancel();
    const error = new StoreClosedError("kv store handle is closed");
    for (const { waiters } of this.#queues.values()) {
      for (const waiter of [...waiters]) waiter.abort(error);
    }
    while (this.#underway.size > 0) await Promise.all(this.#underway);
  }

  /** Looks unless somebody does: then again afterwards, because it may have been too early. */
  #guess(queue: Queue): void {
    if (queue.guesses > 0) queue.pushed = Math.max(1, queue.pushed);
    else this.#look(queue, true);
  }

  #look(queue: Queue, isGuess: boolean): void {
    const present = [...queue.waiters];
    const waiter = present.find(({ isReserved }) => !isReserved);
    if (waiter === undefined) return;
    waiter.isReserved = true;
    if (isGuess) queue.guesses++;
    const look = this.#serve(queue, waiter, present).then((goOn) => {
      if (isGuess) queue.guesses--;
      const pushed = queue.pushed;
      if (queue.guesses === 0) queue.pushed = 0;
      if (goOn || (queue.guesses === 0 && pushed > 0)) this.#guess(queue);
      this.#underway.delete(look);
    });
    this.#underway.add(look);
  }

  /** Whether to look for the next one. */
  async #serve(queue: Queue, waiter: Waiter, present: readonly Waiter[]): Promise<boolean> {
    try {
      const value = await this.#calls.pop(waiter.request);
      waiter.isReserved = false;
      if (value !== undefined) waiter.deliver(value);
      else for (const each of present) each.looked();
      return value !== undefined && queue.waiters.size > 0;
    } catch (error) {
      waiter.isReserved = false;
      if (this.#calls.mayPass(error)) {
        for (const each of present) each.missed(error);
        return false;
      }
      waiter.fail(error);
      return queue.waiters.size > 0;
    }
  }

  #forget(key: string): void {
    const queue = this.#queues.get(key);
    if (queue?.waiters.size === 0) this.#queues.delete(key);
    if (this.#queues.size > 0) return;
    this.#poll?.cancel();
    this.#poll = undefined;
  }

  #armPoll(): void {
    if (this.#isLooking) return;
    this.#poll ??= this.#env.timers.after(this.#pollMs, () => {
      this.#poll = undefined;
      this.#pollMs = Math.min(this.#pollMsMax, this.#pollMs * pollGrowth);
      void this.#lookAround();
    });
  }

  async #lookAround(): Promise<void> {
    if (this.#isLooking || this.#queues.size === 0) return;
    this.#isLooking = true;
    const keys = [...this.#queues.keys()];
    const lengths = await this.#calls.lengths(keys);
    this.#isLooking = false;
    for (const [index, key] of keys.entries()) {
      const queue = this.#queues.get(key);
      if (queue !== undefined && (lengths[index] ?? 0) > 0) this.#guess(queue);
    }
    if (this.#queues.size > 0) this.#armPoll();
  }
}
