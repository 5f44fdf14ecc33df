// Snapshots: when a state is written, and what may be removed afterwards.
//
// Invariants
// 1. At most one state is being written.
// 2. Nothing is removed before the state that replaces it is on the disk, name included.
// 3. A state that could not be written changes nothing: the log still holds everything. It is
//    tried again when the log has grown as much once more.
// 4. A state of other content (`replace`) is in force from its renaming on. When that fails, nobody
//    knows which content the files hold, and nothing is logged on top of them any more.

import { type LogObserver, silentObserver } from "../../engine/log-events.js";
import type { Env } from "../../env/env.js";
import { numberInName, stateName } from "./log-format.js";
import { troubleOf } from "./log-trouble.js";
import type { LogWriter } from "./log-writer.js";
import { type Directories, segmentNames } from "./recovery.js";
import { stateNames } from "./state-reader.js";
import { type RowSource, type StateReport, writeState } from "./state-writer.js";

export class Snapshots {
  readonly #env: Env;
  readonly #directories: Directories;
  readonly #source: RowSource;
  readonly #log: LogWriter;
  readonly #store: Uint8Array;
  readonly #observer: LogObserver;
  readonly #everyBytes: number;
  #nextAtBytes: number;
  #writing: Promise<void> | undefined;
  #closed = false;
  last: StateReport | undefined;
  lastError: unknown;
  /** States written since the store was opened. */
  states = 0;

  constructor(
    env: Env,
    directories: Directories,
    source: RowSource,
    log: LogWriter,
    store: Uint8Array,
    options: {
      readonly snapshotBytesMin: number;
      readonly logBytes: number;
      readonly state: StateReport | undefined;
      readonly observer?: LogObserver;
    },
  ) {
    this.#env = env;
    this.#directories = directories;
    this.#source = source;
    this.#log = log;
    this.#store = store;
    this.#observer = options.observer ?? silentObserver;
    this.#everyBytes = options.snapshotBytesMin;
    this.last = options.state;
    // The counter begins at 0; what the store found in its log when it was opened counts as well.
    this.#nextAtBytes = this.#everyBytes - options.logBytes;
  }

  /** Called after every commit: begins a state when the log has grown enough. */
  watch(): void {
    if (this.#log.counters.bytes < this.#nextAtBytes || this.#writing || this.#closed) return;
    this.write().catch((error: unknown) => {
      this.lastError = error;
    });
  }

  write(): Promise<void> {
    this.#writing ??= this.#run(this.#source);
    return this.#writing;
  }

  /**
   * Makes `source` the content of the files, in the place of everything that was logged before. The
   * caller sees to it that nothing is logged meanwhile.
   *
   * @throws DiskStoreWriteError when the log has failed, or fails in this, and what writing a state
   * throws: then everything is as before.
   */
  async replace(source: RowSource): Promise<void> {
    while (this.#writing !== undefined) await this.#writing.catch(() => {});
    const states = this.states;
    this.#writing = this.#run(source);
    await this.#writing.catch((error: unknown) => {
      // What could not be cleaned stays until the next state; this one is in force.
      if (this.states === states) throw error;
      this.lastError = error;
    });
  }

  #run(source: RowSource): Promise<void> {
    return this.#write(source).finally(() => {
      this.#writing = undefined;
      const grown = Math.max(this.#everyBytes, this.last?.rawBytes ?? 0);
      this.#nextAtBytes = this.#log.counters.bytes + grown;
    });
  }

  async #write(source: RowSource): Promise<void> {
    const { clock } = this.#env;
    const observer = this.#observer;
    const startedMs = clock.monotonic();
    observer.report({ event: "state_begun" });
    const replay = await this.#writeState(source).catch((error: unknown) => {
      const durationMs = clock.monotonic() - startedMs;
      observer.report({ event: "state_failed", durationMs, ...troubleOf(error) });
      throw error;
    });
    const { rows, rawBytes, storedBytes } = this.last as StateReport;
    const durationMs = clock.monotonic() - startedMs;
    observer.report({ event: "state_written", rows, rawBytes, storedBytes, durationMs });
    await this.#cleanObserved(replay);
  }

  /** Resolves with the number of the last record that the log need not replay any more. */
  async #writeState(source: RowSource): Promise<number> {
    const replay = await this.#log.rotate();
    const path = `${this.#directories.states}/${stateName(replay)}`;
    await this.#removeUnfinished();
    const written = await writeState(this.#env, source, {
      path,
      store: this.#store,
      replay,
      finishLog: async () => {
        const until = this.#log.last;
        await this.#log.sync();
        return until;
      },
    });
    await this.#putInForce(path, source !== this.#source);
    this.last = written;
    this.states++;
    this.lastError = undefined;
    return replay;
  }

  async #putInForce(path: string, isOtherContent: boolean): Promise<void> {
    const { files } = this.#env;
    try {
      await files.rename(`${path}.tmp`, path);
      await files.syncDirectory(this.#directories.states);
    } catch (cause) {
      throw isOtherContent ? this.#log.abandon(cause) : cause;
    }
  }

  async segments(): Promise<number> {
    return (await segmentNames(this.#env, this.#directories.log)).length;
  }

  async #cleanObserved(replay: number): Promise<void> {
    const observer = this.#observer;
    try {
      observer.report({ event: "cleaned", ...(await this.#clean(replay)) });
    } catch (error) {
      observer.report({ event: "clean_failed", ...troubleOf(error) });
      throw error;
    }
  }

  /** Removes what the state of `replay` replaces. */
  async #clean(replay: number): Promise<{ segments: number; states: number }> {
    const { files } = this.#env;
    const { log, states } = this.#directories;
    const removed = { segments: 0, states: 0 };
    for (const name of await stateNames(this.#env, states)) {
      if ((numberInName(name, ".state") as number) >= replay) continue;
      await files.remove(`${states}/${name}`);
      removed.states++;
    }
    for (const name of await segmentNames(this.#env, log)) {
      if ((numberInName(name, ".log") as number) > replay) continue;
      await files.remove(`${log}/${name}`);
      removed.segments++;
    }
    await files.syncDirectory(states);
    await files.syncDirectory(log);
    return removed;
  }

  async #removeUnfinished(): Promise<void> {
    for (const name of await this.#env.files.list(this.#directories.states)) {
      if (name.endsWith(".tmp"))
        await this.#env.files.remove(`${this.#directories.states}/${name}`);
    }
  }

  async sizeBytes(): Promise<number> {
    let sizeBytes = 0;
    for (const directory of Object.values(this.#directories) as string[]) {
      for (const name of await this.#env.files.list(directory)) {
        sizeBytes += (await this.#env.files.stat(`${directory}/${name}`))?.sizeBytes ?? 0;
      }
    }
    return sizeBytes;
  }

  /** Waits for a state under way; none is begun any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing?.catch(() => {});
  }
}
