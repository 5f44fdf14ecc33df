// Reaper: removes what has expired, in steps short enough that nobody notices.
//
// Two duties
// 1. In the background: when the earliest deadline comes, remove what is due, so that keys which
//    nobody reads give their memory back. A step ends after `stepMs`; others then get their turn.
// 2. On demand: `catchUp` brings the tables to an instant at which nothing is due, for operations
//    that count by rank. A short backlog is removed at once; a long one in steps, and the
//    operation waits for them instead of blocking everybody else.
//
// At most one timer is armed, for the earliest deadline; it never keeps the process alive.

import { type Awaitable, type Engine, never } from "../engine/engine.js";
import type { Env, Timer } from "../env/env.js";
import { reapDue, reapStep } from "../operations/expiry.js";

// Rows per transaction: small enough for the event loop, large enough to share a commit.
const batchRowsMax = 256;
const stepMs = 4;

export class Reaper {
  readonly #engine: Engine;
  readonly #env: Env;
  #timer: Timer | undefined;
  #armedFor = never;
  #working = false;
  #settling: Promise<void> | undefined;
  #closed = false;

  constructor(engine: Engine, env: Env) {
    this.#engine = engine;
    this.#env = env;
    this.watch();
  }

  /** Called after every write: arms the timer when something earlier has become due to expire. */
  watch(): void {
    if (this.#working || this.#closed) return;
    if (this.#engine.hasGarbage()) this.#arm(0);
    else if (this.#engine.earliestDeadline() < this.#armedFor) {
      this.#arm(this.#engine.earliestDeadline());
    }
  }

  /** Whether something is due now. */
  isBehind(): boolean {
    const earliest = this.#engine.earliestDeadline();
    return earliest !== never && earliest <= this.#env.clock.now();
  }

  /** The work that brings a long backlog to its end, while there is such. */
  get settling(): Promise<void> | undefined {
    return this.#settling;
  }

  /**
   * Brings the tables to an instant at which nothing is due: a short backlog at once, and then it
   * returns undefined; a long one in steps, and then it returns the promise of their end. However
   * many ask, one and the same work goes on, so that they do not add up to a long pause.
   */
  catchUp(): Promise<void> | undefined {
    if (this.#settling !== undefined) return this.#settling;
    if (!this.isBehind()) return undefined;
    const more = this.#engine.reap(reapDue, batchRowsMax);
    return more === false ? undefined : this.#settle(more);
  }

  #settle(more: Awaitable<boolean>): Promise<void> {
    this.#settling ??= this.#settleAfter(more).finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  // Between steps the event loop runs.
  async #settleAfter(more: Awaitable<boolean>): Promise<void> {
    await more;
    while (this.isBehind()) {
      await this.#step(reapDue);
      if (this.isBehind()) await this.#env.timers.breathe();
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #arm(deadline: number): void {
    this.#timer?.cancel();
    this.#armedFor = deadline;
    const delay = Math.max(0, deadline - this.#env.clock.now());
    this.#timer = this.#env.timers.after(delay, () => void this.#work());
  }

  async #work(): Promise<void> {
    this.#working = true;
    try {
      while (!this.#closed && (this.isBehind() || this.#engine.hasGarbage())) {
        await (this.isBehind() ? this.#settle(true) : this.#step(reapStep));
        await this.#env.timers.breathe();
      }
    } catch {
      // The engine refuses writes (closed, read-only, poisoned): whoever writes next is told so.
      this.#closed = true;
    } finally {
      this.#working = false;
      this.#armedFor = never;
      this.watch();
    }
  }

  async #step(reap: typeof reapDue): Promise<void> {
    const { clock } = this.#env;
    const end = clock.monotonic() + stepMs;
    let more = true;
    while (more && clock.monotonic() < end) more = await this.#engine.reap(reap, batchRowsMax);
  }
}
