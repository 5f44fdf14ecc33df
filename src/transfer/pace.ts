// Pace: long work in steps, between which others have their turn, the caller hears of the progress
// and may end it.

import type { Env } from "../env/env.js";
import { callListener, checkCanceled } from "./transfer.js";

const stepMs = 4;

export interface Attention<Progress> {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

export class Pace<Progress> {
  readonly #env: Env;
  readonly #attention: Attention<Progress>;
  #stepEnd: number;

  constructor(env: Env, attention: Attention<Progress>) {
    this.#env = env;
    this.#attention = attention;
    this.#stepEnd = env.clock.monotonic() + stepMs;
  }

  /** @throws OperationCanceledError once the signal is aborted. */
  check(): void {
    checkCanceled(this.#attention);
  }

  /** @throws UnknownError when the caller's function throws. */
  tell(progress: Progress): void {
    const { onProgress } = this.#attention;
    if (onProgress !== undefined) callListener(() => onProgress(progress));
  }

  /** Called after each piece of work; pauses when it is time. */
  async step(progress: Progress): Promise<void> {
    this.check();
    if (this.#env.clock.monotonic() < this.#stepEnd) return;
    this.tell(progress);
    await this.#env.timers.breathe();
    this.#stepEnd = this.#env.clock.monotonic() + stepMs;
  }
}
