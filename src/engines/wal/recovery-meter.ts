// Recovery meter: how much of the files has been read, told now and then.
//
// The sizes are asked for before the reading, so that the first report knows the total already.
// Between the first report, of 0 bytes, and the last, of all, there is at most one in 100 ms. A
// store without files has nothing to report.

import type { LogObserver, RecoveryProgress } from "../../engine/log-events.js";
import type { Clock, Env } from "../../env/env.js";

const intervalMs = 100;
// Bytes read between two looks at the clock: about a tenth of a millisecond's work.
const lookBytes = 64 * 1024;

export class RecoveryMeter {
  readonly #clock: Clock;
  readonly #observer: LogObserver;
  readonly #totalBytes: number;
  #phase: RecoveryProgress["phase"] = "state";
  #stateRows = 0;
  #records = 0;
  /** Of the files before the present one. */
  #doneBytes = 0;
  #bytes = 0;
  #lookAtBytes = 0;
  #nextMs = 0;

  private constructor(clock: Clock, observer: LogObserver, totalBytes: number) {
    this.#clock = clock;
    this.#observer = observer;
    this.#totalBytes = totalBytes;
  }

  /** `paths` are the files that are going to be read; undefined when nobody listens. */
  static async start(
    { clock, files }: Env,
    observer: LogObserver,
    paths: readonly string[],
  ): Promise<RecoveryMeter | undefined> {
    let totalBytes = 0;
    for (const path of paths) totalBytes += (await files.stat(path))?.sizeBytes ?? 0;
    if (totalBytes === 0) return undefined;
    const meter = new RecoveryMeter(clock, observer, totalBytes);
    meter.#report();
    return meter;
  }

  /** This much of the state has been read. */
  state(bytes: number, rows: number): void {
    this.#stateRows = rows;
    this.#at(bytes);
  }

  /** This much of the present segment has been read; `records` counts those of all segments. */
  segment(bytes: number, records: number): void {
    this.#phase = "log";
    this.#records = records;
    this.#at(bytes);
  }

  /** The present file, of this length, is through. */
  fileDone(lengthBytes: number): void {
    this.#at(lengthBytes);
    this.#doneBytes += lengthBytes;
  }

  end(): void {
    this.#phase = "log";
    this.#bytes = this.#totalBytes;
    this.#report();
  }

  #at(bytes: number): void {
    this.#bytes = this.#doneBytes + bytes;
    if (this.#bytes < this.#lookAtBytes) return;
    this.#lookAtBytes = this.#bytes + lookBytes;
    // The last report is that of the end.
    if (this.#bytes < this.#totalBytes && this.#clock.monotonic() >= this.#nextMs) this.#report();
  }

  #report(): void {
    this.#nextMs = this.#clock.monotonic() + intervalMs;
    this.#observer.report({
      event: "recovery_progress",
      phase: this.#phase,
      stateRows: this.#stateRows,
      records: this.#records,
      bytes: this.#bytes,
      totalBytes: this.#totalBytes,
    });
  }
}
