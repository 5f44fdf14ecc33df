// Log events: what an engine that keeps a log tells about its work, to whoever watches it.
//
// Events hold numbers, names of our errors and codes of the system: never a key, a value, or the
// message of an error, which may quote either.

/** How far the opening of a store has come with reading its files. */
export interface RecoveryProgress {
  /** What is being read: the state first, then the log that was written after it. */
  readonly phase: "state" | "log";
  /** Rows of the state and records of the log read so far. */
  readonly stateRows: number;
  readonly records: number;
  /** Of the state and the log together; they are equal exactly at the end. */
  readonly bytes: number;
  readonly totalBytes: number;
}

/** What has gone wrong: a name of the error catalogue, and the system's code ("ENOSPC") if known. */
export interface LogTrouble {
  readonly errorName: string;
  readonly systemCode: string | null;
}

export type LogEvent =
  | ({ readonly event: "recovery_progress" } & RecoveryProgress)
  | {
      readonly event: "recovered";
      readonly stateRows: number;
      readonly records: number;
      /** Bytes of a write that was cut short, cut from the end of the log. */
      readonly tornBytes: number;
      readonly durationMs: number;
    }
  /** The log goes on in a new segment; `first` is the number of its first record. */
  | { readonly event: "segment_begun"; readonly first: number }
  | { readonly event: "segment_ended"; readonly first: number; readonly bytes: number }
  /** A sync that made this much durable. */
  | {
      readonly event: "flushed";
      readonly bytes: number;
      readonly records: number;
      readonly durationMs: number;
    }
  | { readonly event: "state_begun" }
  | {
      readonly event: "state_written";
      readonly rows: number;
      readonly rawBytes: number;
      readonly storedBytes: number;
      readonly durationMs: number;
    }
  /** Costs nothing but the state: the log still holds everything. */
  | ({ readonly event: "state_failed"; readonly durationMs: number } & LogTrouble)
  /** Files removed that a newer state has made superfluous. */
  | { readonly event: "cleaned"; readonly segments: number; readonly states: number }
  /** They stay until the next state; the newest one is in force all the same. */
  | ({ readonly event: "clean_failed" } & LogTrouble)
  /** The log takes nothing any more. */
  | ({ readonly event: "failed" } & LogTrouble);

export interface LogObserver {
  /**
   * Whether anybody listens. Where events are many, or cost something to find out, ask before one
   * is made.
   */
  readonly active: boolean;
  report(event: LogEvent): void;
}

export const silentObserver: LogObserver = { active: false, report() {} };
