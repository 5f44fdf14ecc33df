// Log channel: what a store's log does, as messages of the channel "anykv:log", and the progress of
// its opening for whoever opens it.
//
// Messages never carry a key, a value or an error; see the invariants of observe.ts, which hold here
// too. Whoever listens cannot disturb the store: Node reports what a subscriber throws as an
// uncaught exception, later; what the callback throws becomes a warning, and ends its calls.

import { channel } from "node:diagnostics_channel";
import type { LogEvent, LogObserver, RecoveryProgress } from "../engine/log-events.js";
import type { KvOptions } from "./options/options.js";

/** What subscribers of the channel "anykv:log" are told; `event` says which it is. */
export type LogMessage = LogEvent & {
  /** The name of the store, "default" if it has none. */
  readonly store: string;
  readonly backend: string;
  /** Absolute. */
  readonly path: string;
};

const messages = channel("anykv:log");

/** Of one store, from its opening on. */
export class LogChannel implements LogObserver {
  readonly #store: string;
  readonly #backend: string;
  readonly #path: string;
  /** undefined once the store is open, or the callback has failed. */
  #onProgress: ((progress: RecoveryProgress) => unknown) | undefined;

  constructor({ name = "default", backend, path, onProgress }: KvOptions) {
    this.#store = name;
    this.#backend = backend;
    this.#path = path;
    this.#onProgress = onProgress;
  }

  get active(): boolean {
    return this.#onProgress !== undefined || messages.hasSubscribers;
  }

  report(event: LogEvent): void {
    if (this.#onProgress !== undefined) this.#tell(event);
    if (!messages.hasSubscribers) return;
    const message: LogMessage = {
      store: this.#store,
      backend: this.#backend,
      path: this.#path,
      ...event,
    };
    messages.publish(message);
  }

  #tell(event: LogEvent): void {
    if (event.event === "recovered") this.#onProgress = undefined;
    if (event.event !== "recovery_progress") return;
    const { phase, stateRows, records, bytes, totalBytes } = event;
    try {
      const result = this.#onProgress?.({ phase, stateRows, records, bytes, totalBytes });
      // The type promises no result, but an async function passes for one that has none.
      if (result instanceof Promise) result.catch((error: unknown) => this.#giveUp(error));
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    if (this.#onProgress === undefined) return;
    this.#onProgress = undefined;
    process.emitWarning(
      `option "wal.onProgress" failed and is not called again: ${String(error)}`,
      {
        code: "ANYKV_PROGRESS_FAILED",
        detail: error instanceof Error ? (error.stack ?? "") : "",
      },
    );
  }
}
