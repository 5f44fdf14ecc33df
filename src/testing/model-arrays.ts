// Model of arrays and of those who wait for their elements.
//
// A waiting pop that finds nothing at once stays in a queue until an element is added, its time-out
// fires or its signal is aborted. Elements go to whoever has waited longest. A waiter whose pop has
// become impossible (its claim has gone stale, or the key holds a value by now) is refused when its
// turn comes; the store may also tell it earlier, when it looks through the queue: see `concede`.

import type { CreateOptions, GuardOptions, ListOptions, WaitOptions } from "../kv/types.js";
import { ClaimModel } from "./model-claims.js";
import { type ArrayRow, Refusal, read, write } from "./model-state.js";

/** What an operation came to: a result, or the name of its error. */
export type Outcome = { readonly value: unknown } | { readonly error: string };

type End = "first" | "last";

interface Waiter {
  readonly id: number;
  readonly key: string;
  readonly end: End;
  readonly options: WaitOptions;
  readonly deadline: number;
}

/** The result of a wait that goes on, with its number among all waits. */
export class Pending {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

export class ArrayModel extends ClaimModel {
  protected waiters: Waiter[] = [];
  #waits = 0;
  #settled = new Map<number, Outcome>();

  append(key: string, value: unknown, options?: CreateOptions): unknown {
    return this.#push(key, value, "last", options);
  }

  prepend(key: string, value: unknown, options?: CreateOptions): unknown {
    return this.#push(key, value, "first", options);
  }

  pop(key: string, options?: GuardOptions): unknown {
    return this.#pop(key, "last", options);
  }

  popFirst(key: string, options?: GuardOptions): unknown {
    return this.#pop(key, "first", options);
  }

  popWait(key: string, options?: WaitOptions): unknown {
    return this.#popWait(key, "last", options);
  }

  popFirstWait(key: string, options?: WaitOptions): unknown {
    return this.#popWait(key, "first", options);
  }

  length(key: string): unknown {
    return this.array(key)?.texts.length ?? 0;
  }

  range(key: string, start?: number, end?: number): unknown {
    return (this.array(key)?.texts ?? []).slice(start, end).map(read);
  }

  deleteArray(key: string, options?: GuardOptions): unknown {
    this.guard(options, [key]);
    const existed = this.array(key) !== undefined;
    this.drop(key);
    return existed;
  }

  listArrays(options: ListOptions = {}): unknown {
    const keys = this.keysOf("array", options.prefix);
    return options.limit !== undefined && options.limit > 0 ? keys.slice(0, options.limit) : keys;
  }

  /** Waits that have ended since this was last asked. */
  settledWaits(): Map<number, Outcome> {
    const settled = this.#settled;
    this.#settled = new Map();
    return settled;
  }

  /** Waits that go on, oldest first. */
  pendingWaits(): number[] {
    return this.waiters.map(({ id }) => id);
  }

  abortWait(id: number): void {
    if (this.#leave(id)) this.#settled.set(id, { error: "OperationCanceledError" });
  }

  /** The store is closed: the wait is over, and nobody asks the model about it any more. */
  closeWait(id: number): void {
    this.#leave(id);
  }

  /** Whether a wait may have ended so although its turn has not come. */
  concede(id: number, outcome: Outcome): boolean {
    const waiter = this.waiters.find((other) => other.id === id);
    if (waiter === undefined || this.rows.get(waiter.key)?.kind === "array") return false;
    const due = this.#popFor(waiter);
    return "error" in due && "error" in outcome && due.error === outcome.error && this.#leave(id);
  }

  /** Lets the time-outs fire that are due. */
  protected endWaits(): void {
    for (const { id, deadline } of [...this.waiters]) {
      if (deadline <= this.now && this.#leave(id)) this.#settled.set(id, { value: null });
    }
  }

  #push(key: string, value: unknown, end: End, options: CreateOptions | undefined): number {
    this.guard(options, [key]);
    const found = this.array(key);
    const row: ArrayRow = found ?? { kind: "array", texts: [], deadline: this.creating(options) };
    if (end === "last") row.texts.push(write(value));
    else row.texts.unshift(write(value));
    this.rows.set(key, row);
    const { length } = row.texts;
    this.#serve(key);
    return length;
  }

  #pop(key: string, end: End, options: GuardOptions | undefined): unknown {
    this.guard(options, [key]);
    const row = this.array(key);
    if (row === undefined) return null;
    const text = end === "last" ? row.texts.pop() : row.texts.shift();
    if (row.texts.length === 0) this.drop(key);
    return read(text as string);
  }

  /** Elements cannot be there while somebody waits for them, so nobody is overtaken here. */
  #popWait(key: string, end: End, options: WaitOptions = {}): unknown {
    if (options.timeout === 0 || this.rows.has(key)) return this.#pop(key, end, options);
    this.guard(options, [key]);
    const id = this.#waits++;
    const deadline = options.timeout === undefined ? Infinity : this.now + options.timeout;
    this.waiters.push({ id, key, end, options, deadline });
    return new Pending(id);
  }

  #serve(key: string): void {
    for (const waiter of this.waiters.filter((other) => other.key === key)) {
      if (!this.rows.has(key)) return;
      this.#leave(waiter.id);
      this.#settled.set(waiter.id, this.#popFor(waiter));
    }
  }

  #popFor({ key, end, options }: Waiter): Outcome {
    try {
      return { value: this.#pop(key, end, options) };
    } catch (error) {
      if (error instanceof Refusal) return { error: error.name };
      throw error;
    }
  }

  #leave(id: number): boolean {
    const before = this.waiters.length;
    this.waiters = this.waiters.filter((waiter) => waiter.id !== id);
    return this.waiters.length < before;
  }
}
