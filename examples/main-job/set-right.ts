// Sets right what killed processes have left half done.
//
// Completing an account and all that follows from it (filter, counter, queue, report) are several
// steps, and a kill may come between any two of them. What is completed is told by the pool and the
// results alone; the rest can be missing for those accounts only that a killed process had in its
// hands, as its journal tells. More than that is a violation: no promise of the store is given up.

import { reportWorkersFor } from "./crew.js";
import type { Judge } from "./judge.js";
import { completedResults } from "./pool.js";
import {
  type AccountKey,
  type CompletedFilter,
  type JobKv,
  type Result,
  resultKey,
} from "./schema.js";
import type { Tally } from "./tally.js";
import type { Team } from "./team.js";

export interface Aftermath {
  readonly kv: JobKv;
  readonly completed: CompletedFilter;
  readonly tally: Tally;
  readonly judge: Judge;
  readonly team: Team;
}

type Counts = ReadonlyMap<string, number>;

/** Does nothing unless a process has ended before its time. */
export async function setRight(aftermath: Aftermath): Promise<void> {
  const { kv, completed, judge, tally, team } = aftermath;
  if (team.failed.length === 0) return;
  const queued = await dropEnds(kv);
  const unsure = await completedInHand(aftermath);
  await Promise.all(unsure.map(({ account }) => completed.add(account)));
  const told = [...judge.holdings()].filter((holding) => holding.completed).length;
  tally.completed = told + unsure.filter(({ isTold }) => !isTold).length;

  const countries: string[] = [];
  for await (const page of completedResults(kv)) {
    countries.push(...page.map(({ value }) => value.country));
  }
  const truth = countsOf(countries);
  const inHand = countsOf(unsure.map(({ country }) => country));
  for (const [country, count] of await raise(kv, "completed:", truth)) {
    if (count > (inHand.get(country) ?? 0)) judge.violation(`completed:${country} lacked ${count}`);
  }
  // A report worker that was killed has lost one element at most; which one, nobody knows.
  const lostMax = team.failed.reduce((sum, { users }) => sum + reportWorkersFor(users), 0);
  const lacking = sum(await raise(kv, "report:", truth));
  if (lacking > unsure.length + queued + lostMax) judge.violation(`the report lacked ${lacking}`);
  const reported = judge.reported + lacking;
  const isExplained = Math.abs(tally.completed - reported) <= unsure.length + lostMax;
  tally.reported = isExplained ? tally.completed : reported;
}

/** Drops elements that were to send report workers home who are not there; tells what is left. */
async function dropEnds(kv: JobKv): Promise<number> {
  const left = await kv.range("finished");
  const queued = left.filter((element) => element !== "end").length;
  if (queued === 0) await kv.deleteArray("finished");
  return queued;
}

interface InHand {
  readonly account: AccountKey;
  readonly country: string;
  /** Whether the process still told that it was completed. */
  readonly isTold: boolean;
}

/** The accounts that ended processes have completed without doing all that follows. */
async function completedInHand({ kv, judge, team }: Aftermath): Promise<InHand[]> {
  const ended = new Set(team.failed.map(({ number }) => number));
  const holdings = [...judge.holdings()].filter(
    ({ process, leftAt, followed }) => ended.has(process) && leftAt !== undefined && !followed,
  );
  const accounts = holdings.map(({ key }) => key as AccountKey);
  const inPool = await kv.getMany(accounts);
  const results = await kv.getMany<Result>(accounts.map(resultKey));
  return holdings.flatMap(({ token, completed }, index) => {
    const [account, result] = [accounts[index], results[index]];
    if (account === undefined || inPool[index]?.exists || !result?.value) return [];
    // Whoever came after the end of this process has written another token.
    if (result.value.token !== token) return [];
    return [{ account, country: result.value.country, isTold: completed }];
  });
}

/** Raises the counters to the truth where they are below it; tells by how much. */
async function raise(kv: JobKv, prefix: "completed:" | "report:", truth: Counts): Promise<Counts> {
  const raised = new Map<string, number>();
  for (const [country, count] of truth) {
    const lacking = count - ((await kv.find(`${prefix}${country}`)) ?? 0);
    if (lacking <= 0) continue;
    await kv.incrementBy(`${prefix}${country}`, lacking);
    raised.set(country, lacking);
  }
  return raised;
}

function countsOf(names: readonly string[]): Counts {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function sum(counts: Counts): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
