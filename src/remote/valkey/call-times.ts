// Call times: which calls are under way, and when each is given up.
//
// All calls have the same time, so they end in the order in which they began, and one timer for the
// oldest serves all. The timer keeps the process alive while somebody waits; connections do not.

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

  /** When a call that begins now is given up. */
  deadline(): number {
    return this.#timeoutMs === 0 ? Infinity : this.#env.clock.monotonic() + this.#timeoutMs;
  }

  add(call: PendingCall): void {
    this.#calls.add(call);
    if (this.#timer === undefined) this.#arm(this.#timeoutMs === 0 ? endlessMs : this.#timeoutMs);
  }

  /** Whether it was under way. */
  delete(call: PendingCall): boolean {
    const was = this.#calls.delete(call);
    if (was && this.#calls.size === 0) this.#rest();
    return was;
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

  #arm(delayMs: number): void {
    this.#timer = this.#env.timers.after(delayMs, () => this.#look(), true);
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#env.clock.monotonic();
    for (const call of this.#calls) {
      if (call.deadline > now) {
        this.#arm(Math.min(Math.ceil(call.deadline - now), endlessMs));
        return;
      }
      this.#calls.delete(call);
      this.#expire(call);
    }
    this.#rest();
  }
}
