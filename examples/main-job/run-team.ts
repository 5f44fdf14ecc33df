// Run of several processes on one store: this one keeps the pool filled, the others hold the users.
// Once all is over it sums up what they have counted and judges what they have told.

import { closeSync } from "node:fs";
import { endReports, reportWorkersFor, watched } from "./crew.js";
import { journalLines } from "./journal.js";
import { Judge } from "./judge.js";
import { showProgress, writeLine } from "./progress.js";
import { drainUntil, feed, progressOf, type Run } from "./run.js";
import { setRight } from "./set-right.js";
import { addTally } from "./tally.js";
import { type Member, Team } from "./team.js";
import type { Verdict } from "./watch.js";

export async function runTeam(run: Run): Promise<Verdict> {
  const { options, output, kv, tally, completed } = run;
  const { users, processes } = options;
  const judge = new Judge();
  const team = new Team(processes, { store: options, users });
  writeLine(
    output,
    `Users in ${processes} processes: ${team.members.map(({ pid }) => pid).join(", ")}`,
  );
  for (const member of team.members) void announceEnd(member, run);
  const stopProgress = showProgress(output, (seconds) => progressOf(team.tally(), seconds));
  try {
    await watched(judge, work(run, team, judge));
    team.dismiss();
    await team.ended();
  } finally {
    stopProgress();
  }
  addTally(tally, team.tally());
  await hear(judge, team);
  judge.judge();
  await setRight({ kv, completed, tally, judge, team });
  await run.pool.finish();
  return judge;
}

/** Says so when a process has ended before its work was done. */
async function announceEnd(member: Member, { output }: Run): Promise<void> {
  await member.ended;
  if (member.failure === undefined) return;
  const fate = `Process ${member.number} (${member.pid}) ${member.failure}`;
  writeLine(output, `${fate}: its leases run out, the others go on.`);
}

async function work(run: Run, team: Team, judge: Judge): Promise<void> {
  const drained = setTimeout(() => team.order("closed"), drainUntil(run) - performance.now());
  try {
    const isManned = () => team.failed.length < team.members.length;
    await watched(judge, feed(run, isManned));
    team.order("fed");
    await team.usersGone();
  } finally {
    clearTimeout(drained);
    team.order("closed");
  }
  const workers = team.members
    .filter(({ failure }) => failure === undefined)
    .reduce((sum, { users }) => sum + reportWorkersFor(users), 0);
  await endReports(run.kv, workers);
  await team.ended();
}

async function hear(judge: Judge, team: Team): Promise<void> {
  for (const { number, journal, failure, isKilled } of team.members) {
    await judge.hear(number, journalLines(journal));
    closeSync(journal);
    if (failure !== undefined && !isKilled) judge.violation(`process ${number} ${failure}`);
  }
}
