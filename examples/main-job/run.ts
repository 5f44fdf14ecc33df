// Run: what the job works on, and how it is run in one process: everybody in this one.

import { setTimeout as sleep } from "node:timers/promises";
import {
  endReports,
  reportWorkersFor,
  runReportWorkers,
  runUsers,
  userNames,
  watched,
} from "./crew.js";
import type { JobOptions } from "./options.js";
import type { Pool } from "./pool.js";
import { formatCount, type Output, showProgress } from "./progress.js";
import { Referee } from "./referee.js";
import type { CompletedFilter, JobKv } from "./schema.js";
import type { Tally } from "./tally.js";
import type { Verdict } from "./watch.js";

export interface Run {
  readonly kv: JobKv;
  readonly completed: CompletedFilter;
  readonly tally: Tally;
  readonly pool: Pool;
  readonly options: JobOptions;
  readonly startedAt: number;
  readonly output: Output;
}

/** Part of the time in which accounts are loaded; the rest is for working off the last of them. */
const feedingPart = 0.9;
const feedPauseMs = 20;
/** What is not completed that long after the end never will be. */
const drainMsMax = 30_000;

/** The moment, by `performance.now()`, after which nobody claims any more. */
export function drainUntil({ options, startedAt }: Run): number {
  return startedAt + options.seconds * 1_000 + drainMsMax;
}

/** Keeps the pool filled as long as there is time, and somebody to work. */
export function feed({ pool, options, startedAt }: Run, isManned = () => true): Promise<void> {
  const feedUntil = startedAt + options.seconds * 1_000 * feedingPart;
  const hasTime = () => performance.now() < feedUntil && isManned();
  return pool.feed(hasTime, () => sleep(feedPauseMs));
}

export function progressOf(tally: Tally, seconds: number): string {
  return (
    `${formatCount(tally.operations / seconds)} operations/s  ` +
    `${formatCount(tally.claims)} claims  ${formatCount(tally.completed)} completed`
  );
}

export async function runHere(run: Run): Promise<Verdict> {
  const referee = new Referee();
  const stopProgress = showProgress(
    run.output,
    (seconds) =>
      `${progressOf(run.tally, seconds)}  ${formatCount(referee.takeovers)} taken over  ` +
      `${referee.handedOutTwice} handed out twice`,
  );
  try {
    await workHere(run, referee);
  } finally {
    stopProgress();
  }
  return referee;
}

async function workHere(run: Run, watch: Referee): Promise<void> {
  const { kv, completed, tally, pool, options } = run;
  const { users } = options;
  let isFeeding = true;
  const isClosedAt = drainUntil(run);
  const isClosed = () => performance.now() > isClosedAt;
  const isDone = async () => !isFeeding && (await pool.size()) === 0;
  const feeding = watched(watch, feed(run)).finally(() => {
    isFeeding = false;
  });
  const place = { kv, completed, watch, tally, isClosed, isDone };
  const working = runUsers(place, userNames(users));
  const reporting = runReportWorkers(kv, { tally, watch, users });
  await Promise.all([feeding, working]);
  await endReports(kv, reportWorkersFor(users));
  await reporting;
  await watched(watch, pool.finish());
}
