// Options of the command line.

import { parseArgs } from "node:util";

export interface JobOptions {
  /** Any name; `openKv` knows which there are. */
  readonly backend: string;
  /** Where a backend with files keeps them. */
  readonly path: string;
  /** Whether an account counts as completed only when that is on the disk; wal only. */
  readonly syncWrites: boolean;
  readonly users: number;
  readonly seconds: number;
  /** Accounts in the full pool; undefined: as many as the data set has records. */
  readonly records: number | undefined;
  readonly help: boolean;
}

/** What the caller did wrong, for people. */
export class UsageError extends Error {}

export const helpText = `The main job: airports of the world as a pool of accounts, handed out to virtual users.

Usage: npm start -- [options]

  --backend NAME   memory (default), wal, disk, shared or valkey
  --path DIR       directory of the store, for backends with files (default .anykv/main-job)
  --no-sync-writes do not wait for the disk (wal): faster, but what was completed in the last
                   milliseconds before a kill may be handed out again
  --users N        concurrent virtual users, 1 to 10000 (default 100)
  --seconds N      how long the pool is kept filled, 0.1 to 3600 (default 8)
  --records N      accounts in the full pool, 1 to 1000000 (default: all records, 7184)
  --quick          a short run: 2 seconds, unless --seconds says otherwise
  -h, --help       this text

With a backend that has files, a job that was killed goes on when it is started again with the same
path: nothing that was completed is handed out again. A job that is finished starts afresh.

Exit code: 0 all checks passed, 1 a check failed, 2 the job could not start.
`;

const defaults = { users: 100, seconds: 8, quickSeconds: 2, path: ".anykv/main-job" };

/** @throws UsageError */
export function parseOptions(args: readonly string[]): JobOptions {
  const values = parse(args);
  const seconds = values.quick ? defaults.quickSeconds : defaults.seconds;
  const records = values.records;
  return {
    backend: values.backend,
    path: pathOption(values.path),
    syncWrites: !values["no-sync-writes"],
    users: number("users", values.users ?? String(defaults.users), 1, 10_000, true),
    seconds: number("seconds", values.seconds ?? String(seconds), 0.1, 3_600, false),
    records: records === undefined ? undefined : number("records", records, 1, 1_000_000, true),
    help: values.help,
  };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        backend: { type: "string", default: "memory" },
        path: { type: "string", default: defaults.path },
        "no-sync-writes": { type: "boolean", default: false },
        users: { type: "string" },
        seconds: { type: "string" },
        records: { type: "string" },
        quick: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function pathOption(path: string): string {
  if (path.trim() === "") throw new UsageError("--path must name a directory, got nothing");
  return path;
}

function number(name: string, text: string, min: number, max: number, whole: boolean): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? "a whole number" : "a number";
  throw new UsageError(`--${name} must be ${kind} from ${min} to ${max}, got "${text}"`);
}
