// Crew: the virtual users and report workers of one process.

import { runReportWorker } from "./report-worker.js";
import type { JobKv } from "./schema.js";
import type { Tally } from "./tally.js";
import { Incidents, VirtualUser, type Workplace } from "./virtual-user.js";
import type { Watch } from "./watch.js";

const leaseMs = 300;
/** So many users share a report worker, at least: each of them waits for the store in turn. */
const usersPerReportWorker = 4;

export function reportWorkersFor(users: number): number {
  return Math.ceil(users / usersPerReportWorker);
}

/** An error ends whoever met it, and is a violation; the others go on. */
export function watched(watch: Pick<Watch, "violation">, work: Promise<void>): Promise<void> {
  return work.catch((error: unknown) => watch.violation(`unexpected error: ${String(error)}`));
}

/** Resolves when all users have gone home. */
export async function runUsers(
  place: Omit<Workplace, "incidents" | "leaseMs">,
  names: readonly string[],
): Promise<void> {
  const workplace = { ...place, incidents: new Incidents(), leaseMs };
  await Promise.all(
    names.map((name) => watched(place.watch, new VirtualUser(workplace, name).run())),
  );
}

/** Resolves when each report worker has been sent home by an element of the queue. */
export async function runReportWorkers(
  kv: JobKv,
  { tally, watch, users }: { readonly tally: Tally; readonly watch: Watch; readonly users: number },
  reported?: () => void,
): Promise<void> {
  const workers = Array.from({ length: reportWorkersFor(users) }, () =>
    watched(watch, runReportWorker(kv, tally, reported)),
  );
  await Promise.all(workers);
}

/** Sends so many report workers home, one by each element. */
export async function endReports(kv: JobKv, workers: number): Promise<void> {
  for (let worker = 0; worker < workers; worker++) await kv.append("finished", "end");
}

/** The names of some users of the job: numbers from `first` on. */
export function userNames(count: number, first = 1): string[] {
  return Array.from({ length: count }, (_, index) => `user ${first + index}`);
}
