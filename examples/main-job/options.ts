// Options of the command line.

import { parseArgs } from "node:util";
import type { StoreOptions } from "./open-store.js";

export interface JobOptions extends StoreOptions {
  /** Processes in which users are; 1: all are in this one. */
  readonly processes: number;
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
  --path PATH      where the store is kept: a directory (wal; default .anykv.examples/main-job) or
                   a file (disk; default .anykv.examples/main-job.lmdb)
  --processes N    disk, shared and valkey: spread the users over N processes that have the store
                   open together, 1 to 64 (default 1); this one keeps the pool filled
  --no-sync-writes do not wait for the disk (wal): faster, but what was completed in the last
                   milliseconds before a kill may be handed out again
  --users N        concurrent virtual users, 1 to 10000 (default 100)
  --seconds N      how long the pool is kept filled, 0.1 to 3600 (default 8)
  --records N      accounts in the full pool, 1 to 1000000 (default: all records, 7184)
  --quick          a short run: 2 seconds, unless --seconds says otherwise
  -h, --help       this text

On valkey, the server is the one that VALKEY_URL names, or else one that is started for the job:
valkey-server or redis-server from the PATH, which ends with the job.

With a backend that has files, or on a server in VALKEY_URL, a job that was killed goes on when it is started again with the same
path: nothing that was completed is handed out again. A job that is finished starts afresh. One of
several processes that is killed leaves its accounts to the others, once their leases are over.

Exit code: 0 all checks passed, 1 a check failed, 2 the job could not start.
`;

const defaults = { users: 100, seconds: 8, quickSeconds: 2, path: ".anykv.examples/main-job" };
const defaultPaths: Readonly<Record<string, string>> = { disk: ".anykv.examples/main-job.lmdb" };
/** Backends that one process has for itself. */
const ownBackends = ["memory", "wal"];

/** @throws UsageError */
export function parseOptions(args: readonly string[]): JobOptions {
  const values = parse(args);
  const users = number("users", values.users ?? String(defaults.users), 1, 10_000, true);
  const seconds = values.quick ? defaults.quickSeconds : defaults.seconds;
  const records = values.records;
  return {
    backend: values.backend,
    name: values.backend === "shared" ? `main-job-${process.pid}` : "main-job",
    processes: processesOption(values.processes, values.backend, users),
    path: pathOption(values.path ?? defaultPaths[values.backend] ?? defaults.path),
    syncWrites: !values["no-sync-writes"],
    url: undefined,
    users,
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
        processes: { type: "string", default: "1" },
        path: { type: "string" },
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
  if (path.trim() === "")
    throw new UsageError("--path must name a directory or a file, got nothing");
  return path;
}

function processesOption(text: string, backend: string, users: number): number {
  const processes = number("processes", text, 1, 64, true);
  if (processes > 1 && ownBackends.includes(backend)) {
    const message = `--processes ${processes} needs a store that processes share`;
    throw new UsageError(
      `${message}, disk, shared or valkey: a ${backend} store belongs to one process`,
    );
  }
  if (processes <= users) return processes;
  throw new UsageError(`--processes must not exceed --users, got ${processes} for ${users} users`);
}

function number(name: string, text: string, min: number, max: number, whole: boolean): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? "a whole number" : "a number";
  throw new UsageError(`--${name} must be ${kind} from ${min} to ${max}, got "${text}"`);
}
