// Lock wait: how long a transaction waits for other writers of the file.
//
// Only waiting that leads nowhere counts. As long as others commit, the file is in use and it will
// be our turn; when nothing has been committed for the whole time, whoever holds the file is stuck.

import type { Env, Timer } from "../../env/env.js";
import type { LastCommit } from "./last-commit.js";

export interface LockWaitParts {
  readonly env: Env;
  readonly lastCommit: LastCommit;
  /** 0: wait without end. */
  readonly timeoutMs: number;
}

export class LockWait {
  readonly #parts: LockWaitParts;
  readonly #giveUp: () => void;
  #timer: Timer | undefined;
  /** The last transaction that had been committed, by whomever, when the timer was set. */
  #lastSeen = 0;
  #hasBegun = false;
  #givenUp = false;

  constructor(parts: LockWaitParts, giveUp: () => void) {
    this.#parts = parts;
    this.#giveUp = giveUp;
    if (parts.timeoutMs > 0) this.#arm();
  }

  /** The file is ours; false when nobody waits for that any more. */
  begin(): boolean {
    this.#hasBegun = true;
    this.#timer?.cancel();
    return !this.#givenUp;
  }

  #arm(): void {
    const { env, lastCommit, timeoutMs } = this.#parts;
    this.#lastSeen = lastCommit.read();
    this.#timer = env.timers.after(timeoutMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { env, lastCommit } = this.#parts;
    // A thread that was busy itself finds the timer due before it hears that the file is free.
    for (let turn = 0; turn < 2; turn++) await env.timers.breathe();
    if (this.#hasBegun) return;
    if (lastCommit.read() !== this.#lastSeen) {
      this.#arm();
      return;
    }
    this.#givenUp = true;
    this.#giveUp();
  }
}
