// Call times: which calls are under way, and when each is given up.
//
// Calls end in the order in which they began, so one timer for the oldest serves all: all have the
// same time, and while a store is opened none has more than is left for that. The timer keeps the process alive while somebody waits; connections do not.

import type { Env, Timer } from "../../env/env.js";
import type { PendingCall } from "./pending-call.js";

/** Of a timer that only keeps the process alive. */
const endlessMs = 2 ** 31 - 1;

export class CallTimes {
  readonly #env: Pick<Env, "clock" | "timers">;
  readonly #timeoutMs: number;
  readonly #expire: (call: PendingCall) => void;
  // In the order of their deadlines.
  readonly #calls = new Set<PendingCall>();
  #timer: Timer | undefined;
  #whenIdle: (() => void)[] = [];

  /** @param timeoutMs 0: without end. */
  constructor(
    env: Pick<Env, "clock" | "timers">,
    timeoutMs: number,
    expire: (call: PendingCall) => void,
  ) {
    this.#env = env;
    this.#timeoutMs = timeoutMs;
    this.#expire = expire;
  }

  /** When a call that begins now is given up, on the monotonic clock. */
  deadline(): number {
    return this.#timeoutMs === 0 ? Infinity : this.#env.clock.monotonic() + this.#timeoutMs;
  }

  add(call: PendingCall): void {
    this.#calls.add(call);
    if (this.#timer === undefined) this.#armFor(call, this.#env.clock.monotonic());
  }

  /** Whether it was under way. */
  delete(call: PendingCall): boolean {
    const was = this.#calls.delete(call);
    if (was && this.#calls.size === 0) this.#rest();
    return was;
  }

  underway(): PendingCall[] {
    return [...this.#calls];
  }

  /** Resolves when no call is under way. */
  idle(): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }

  #armFor({ deadline }: PendingCall, now: number): void {
    this.#timer?.cancel();
    const delayMs = Math.max(0, Math.min(Math.ceil(deadline - now), endlessMs));
    this.#timer = this.#env.timers.after(delayMs, () => this.#look(), true);
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#env.clock.monotonic();
    for (const call of this.#calls) {
      if (call.deadline > now) {
        this.#armFor(call, now);
        return;
      }
      this.#calls.delete(call);
      this.#expire(call);
    }
    this.#rest();
  }
}
