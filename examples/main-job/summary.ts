// Summary: what the job did, what was checked, and the table that says so.

import { formatCount } from "./progress.js";
import { type CompletedFilter, type JobKv, poolPrefix } from "./schema.js";
import type { Tally } from "./tally.js";
import type { Verdict } from "./watch.js";

export interface Row {
  readonly name: string;
  readonly value: string;
  /** Absent where there is nothing to check. */
  readonly passed?: boolean;
}

/** What the store says when everybody has gone home. */
interface FinalState {
  readonly pool: number;
  readonly results: number;
  readonly filtered: number;
  readonly queued: number;
  readonly counters: ReadonlyMap<string, number>;
  readonly reports: ReadonlyMap<string, number>;
}

async function counters(kv: JobKv, prefix: string): Promise<Map<string, number>> {
  const entries = await kv.list<number>({ prefix });
  return new Map(entries.map(({ key, value }) => [key.slice(prefix.length), value]));
}

async function finalState(kv: JobKv, completed: CompletedFilter): Promise<FinalState> {
  return {
    pool: await kv.count({ prefix: poolPrefix }),
    results: await kv.count({ prefix: "result:" }),
    filtered: await completed.size(),
    queued: await kv.length("finished"),
    counters: await counters(kv, "completed:"),
    reports: await counters(kv, "report:"),
  };
}

const sum = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((total, count) => total + count, 0);

const areEqual = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean =>
  a.size === b.size && [...a].every(([name, count]) => b.get(name) === count);

export async function summarize(
  kv: JobKv,
  completed: CompletedFilter,
  tally: Tally,
  verdict: Verdict,
  seconds: number,
): Promise<Row[]> {
  const state = await finalState(kv, completed);
  return [
    ...loadRows(tally, seconds),
    ...claimRows(tally, verdict),
    ...completionRows(tally, verdict, state),
  ];
}

function loadRows(tally: Tally, seconds: number): Row[] {
  const earlier = tally.completedEarlier;
  return [
    { name: "duration", value: `${seconds.toFixed(1)} s` },
    { name: "operations per second", value: formatCount(tally.operations / seconds) },
    { name: "operations", value: formatCount(tally.operations) },
    { name: "accounts loaded", value: formatCount(tally.loaded) },
    ...(earlier > 0 ? [{ name: "completed by an earlier run", value: formatCount(earlier) }] : []),
  ];
}

function claimRows(tally: Tally, verdict: Verdict): Row[] {
  const { handedOutTwice, violationCount } = verdict;
  const { staleAttempts, staleRefused } = tally;
  return [
    { name: "claims handed out", value: formatCount(verdict.grants) },
    {
      name: "items handed out twice",
      value: formatCount(handedOutTwice),
      passed: handedOutTwice === 0,
    },
    { name: "claims renewed", value: formatCount(tally.renewed) },
    { name: "users crashed", value: formatCount(tally.crashes) },
    { name: "leases expired and taken over", value: formatCount(verdict.takeovers) },
    { name: "leases lost by slow users", value: formatCount(tally.leasesLost) },
    {
      name: "stale holders refused",
      value: `${formatCount(staleRefused)} of ${formatCount(staleAttempts)}`,
      passed: staleRefused === staleAttempts,
    },
    {
      name: "retried after release or expiry",
      value: formatCount(verdict.afterRelease + verdict.takeovers),
    },
    {
      name: "violations seen by the referee",
      value: formatCount(violationCount),
      passed: violationCount === 0,
    },
  ];
}

function completionRows(tally: Tally, verdict: Verdict, state: FinalState): Row[] {
  const { loaded, completedEarlier, completedTwice, reported } = tally;
  const completed = tally.completed + completedEarlier;
  const isComplete =
    completed === loaded &&
    state.filtered === loaded &&
    state.results === loaded &&
    state.pool === 0 &&
    verdict.accounts === tally.completed;
  const left = state.pool === 0 ? "" : `, ${formatCount(state.pool)} left in the pool`;
  const countersAgree = sum(state.counters) === completed;
  const reportAgrees =
    state.queued === 0 && reported === tally.completed && areEqual(state.counters, state.reports);
  return [
    {
      name: "completed",
      value: `${formatCount(completed)} of ${formatCount(loaded)}${left}`,
      passed: isComplete,
    },
    { name: "completed twice", value: formatCount(completedTwice), passed: completedTwice === 0 },
    {
      name: "sum of the counters",
      value: `${formatCount(sum(state.counters))} in ${state.counters.size} countries`,
      passed: countersAgree,
    },
    {
      name: "queue consumed",
      value: `${formatCount(reported)}, ${formatCount(state.queued)} left`,
      passed: reportAgrees,
    },
  ];
}

export function formatTable(rows: readonly Row[]): string {
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const lines = rows.map(({ name, value, passed }) => {
    const mark = passed === undefined ? "" : passed ? "  ok" : "  FAILED";
    return `  ${name.padEnd(nameWidth)}  ${value}${mark}`;
  });
  return `${lines.join("\n")}\n`;
}
