// Reaper: removes what has expired, in steps short enough that nobody notices.
//
// Two duties
// 1. In the background: when the earliest deadline comes, remove what is due, so that keys which
//    nobody reads give their memory back. A step ends after `stepMs`; others then get their turn.
// 2. On demand: `settle` brings the tables to an instant at which nothing is due, for operations
//    that count by rank. A short backlog is removed at once; a long one in steps, and the
//    operation waits for them instead of blocking everybody else.
//
// At most one timer is armed, for the earliest deadline; it never keeps the process alive.

import { type Engine, never } from "../engine/engine.js";
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

  /** Whether something is due now, so that `settle` has work. */
  isBehind(): boolean {
    const earliest = this.#engine.earliestDeadline();
    return earliest !== never && earliest <= this.#env.clock.now();
  }

  /** Removes one batch of due rows; true when more are left. */
  reapBatch(): boolean | Promise<boolean> {
    return this.#engine.reap(reapDue, batchRowsMax);
  }

  /** Resolves when nothing is due. Between steps the event loop runs. */
  async settle(): Promise<void> {
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
        await this.#step(reapStep);
        await this.#env.timers.breathe();
      }
    } catch {
      // The engine is in no state to go on: whoever uses it next is told so.
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
