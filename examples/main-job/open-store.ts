// The store of the job, opened in the same way by each of its processes.

import { type OpenKvOptions, openKv } from "anykv";
import type { JobKv, JobSchema } from "./schema.js";

export interface StoreOptions {
  /** Any name: `openKv` tells the caller what is wrong with it. */
  readonly backend: string;
  /** In shared memory a job has one of its own. */
  readonly name: string;
  /** Where a backend with files keeps them. */
  readonly path: string;
  /** Whether an account counts as completed only when that is on the disk; wal only. */
  readonly syncWrites: boolean;
  /** Where the server is; valkey only. */
  readonly url: string | undefined;
}

/** So long a write may wait for those of other processes, on a machine that has much else to do. */
const timeout = "20s";

export function openStore({ backend, name, path, syncWrites, url }: StoreOptions): JobKv {
  return openKv<JobSchema>({
    name,
    backend: backend as OpenKvOptions["backend"],
    path,
    wal: { syncWrites },
    disk: { timeout },
    shared: { timeout },
    valkey: { url },
  });
}
