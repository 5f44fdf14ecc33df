// The main job: loads a pool of accounts from real data, lets virtual users claim, renew, complete
// and release them under load, and checks that the store kept every promise.

import { setTimeout as sleep } from "node:timers/promises";
import { isKvError, type OpenKvOptions, openKv } from "anykv";
import { loadAccounts } from "./data-set.js";
import { helpText, type JobOptions, parseOptions, UsageError } from "./options.js";
import { type Found, Pool } from "./pool.js";
import { formatCount, type Output, showProgress } from "./progress.js";
import { Referee } from "./referee.js";
import { runReportWorker } from "./report-worker.js";
import type { CompletedFilter, JobKv, JobSchema } from "./schema.js";
import { formatTable, type Row, summarize } from "./summary.js";
import { countCalls, newTally, type Tally } from "./tally.js";
import { Incidents, VirtualUser, type Workplace } from "./virtual-user.js";

const leaseMs = 300;
/** So many users share a report worker, at least: each of them waits for the store in turn. */
const usersPerReportWorker = 4;
/** Part of the time in which accounts are loaded; the rest is for working off the last of them. */
const feedingPart = 0.9;
const feedPauseMs = 20;
/** What is not completed that long after the end never will be. */
const drainMsMax = 30_000;

/** Runs the command; resolves with its exit code. */
export async function mainJob(
  args: readonly string[],
  output: Output,
  errors: Output,
): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options.help) {
      output.write(helpText);
      return 0;
    }
    // Any name goes to `openKv`, which tells the caller what is wrong with it.
    const backend = options.backend as OpenKvOptions["backend"];
    const { path, syncWrites } = options;
    const kv = openKv<JobSchema>({ name: "main-job", backend, path, wal: { syncWrites } });
    try {
      return await runJob(kv, options, output);
    } finally {
      await kv.close();
    }
  } catch (error) {
    errors.write(describeError(error));
    return 2;
  }
}

function describeError(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\nTry --help.\n`;
  if (!isKvError(error)) return `${error instanceof Error ? error.stack : String(error)}\n`;
  const hint = error.hint === undefined ? "" : `Hint: ${error.hint}\n`;
  return `${error.name}: ${error.message}\n${hint}`;
}

/** Runs the job on an open store, prints its table, and resolves with the exit code. */
export async function runJob(store: JobKv, options: JobOptions, output: Output): Promise<number> {
  const records = loadAccounts();
  const tally = newTally();
  const referee = new Referee();
  const countCall = () => {
    tally.operations++;
  };
  const kv = countCalls(store, countCall);
  const completed = countCalls(store.filter("completed"), countCall);
  const sizeFull = options.records ?? records.length;
  const pool = new Pool(kv, tally, records, sizeFull);
  const startedAt = performance.now();
  const found = await pool.look();
  const place = (await store.stats()).disk?.path;
  if (found === "something else") {
    throw new UsageError(`${place ?? "the store"} holds something else: choose another --path`);
  }
  output.write(
    `Main job on ${options.backend}: ${formatCount(options.users)} users share a pool of ` +
      `${formatCount(sizeFull)} airports for ${options.seconds} s\n`,
  );
  await pool.prepare(found, completed);
  output.write(describeBeginning(found, tally, place));
  const stopProgress = showProgress(output, tally, referee);
  try {
    await runUsers({ kv, completed, referee, tally, pool, options, startedAt });
  } finally {
    stopProgress();
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const rows = await summarize(store, store.filter("completed"), tally, referee, seconds);
  return printResult(rows, referee, output);
}

/** What was found, and where; nothing about a new job that cannot be gone on with. */
function describeBeginning(found: Found, tally: Tally, place: string | undefined): string {
  const where = place === undefined ? "" : ` in ${place}`;
  if (found === "finished job") return `The job${where} was finished: starting afresh.\n`;
  if (found === "interrupted job") {
    return (
      `Going on with the interrupted job${where}: ` +
      `${formatCount(tally.completedEarlier)} accounts were completed before.\n`
    );
  }
  return place === undefined ? "" : `New job${where}: killed, it goes on when started again.\n`;
}

interface Run {
  readonly kv: JobKv;
  readonly completed: CompletedFilter;
  readonly referee: Referee;
  readonly tally: Tally;
  readonly pool: Pool;
  readonly options: JobOptions;
  readonly startedAt: number;
}

async function runUsers({ kv, completed, referee, tally, pool, options, startedAt }: Run) {
  // An error ends whoever met it, and is a violation; the others go on.
  const watched = (work: Promise<void>) =>
    work.catch((error: unknown) => referee.violation(`unexpected error: ${String(error)}`));
  const feedUntil = startedAt + options.seconds * 1_000 * feedingPart;
  const drainUntil = startedAt + options.seconds * 1_000 + drainMsMax;
  const hasTime = () => performance.now() < feedUntil;
  let isFeeding = true;
  const isClosed = () => performance.now() > drainUntil;
  const isDone = async () => !isFeeding && (await pool.size()) === 0;
  const incidents = new Incidents();
  const shared = { kv, completed, referee, tally, incidents };
  const place: Workplace = { ...shared, leaseMs, isClosed, isDone };
  const feeding = watched(pool.feed(hasTime, () => sleep(feedPauseMs))).finally(() => {
    isFeeding = false;
  });
  const users = Array.from({ length: options.users }, (_, index) =>
    watched(new VirtualUser(place, `user ${index + 1}`).run()),
  );
  const workers = Array.from({ length: Math.ceil(options.users / usersPerReportWorker) }, () =>
    watched(runReportWorker(kv, tally)),
  );
  await Promise.all([feeding, ...users]);
  for (const _ of workers) await kv.append("finished", "end");
  await Promise.all(workers);
  await watched(pool.finish());
}

function printResult(rows: readonly Row[], referee: Referee, output: Output): number {
  output.write(`\n${formatTable(rows)}\n`);
  const failed = rows.filter(({ passed }) => passed === false);
  if (failed.length === 0) {
    output.write("All checks passed.\n");
    return 0;
  }
  output.write(`Failed: ${failed.map(({ name }) => name).join(", ")}.\n`);
  for (const violation of referee.violations) output.write(`  ${violation}\n`);
  return 1;
}
