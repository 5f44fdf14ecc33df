// The main job: loads a pool of accounts from real data, lets virtual users claim, renew, complete
// and release them under load, and checks that the store kept every promise.

import { isKvError } from "anykv";
import { loadAccounts } from "./data-set.js";
import { openStore } from "./open-store.js";
import { helpText, type JobOptions, parseOptions, UsageError } from "./options.js";
import { type Found, Pool } from "./pool.js";
import { formatCount, type Output } from "./progress.js";
import { runHere } from "./run.js";
import { runTeam } from "./run-team.js";
import type { JobKv } from "./schema.js";
import { serverOfJob } from "./server.js";
import { formatTable, type Row, summarize } from "./summary.js";
import { countCalls, newTally, type Tally } from "./tally.js";
import type { Verdict } from "./watch.js";

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
    if (options.backend === "valkey") return await onServer(options, output);
    return await openAndRun(options, output);
  } catch (error) {
    errors.write(describeError(error));
    return 2;
  }
}

async function openAndRun(options: JobOptions, output: Output): Promise<number> {
  const kv = openStore(options);
  try {
    return await runJob(kv, options, output);
  } finally {
    await kv.close();
  }
}

async function onServer(options: JobOptions, output: Output): Promise<number> {
  const server = await serverOfJob();
  output.write(`On ${server.description}.\n`);
  try {
    return await openAndRun({ ...options, url: server.url }, output);
  } finally {
    await server.stop();
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
  const countCall = () => {
    tally.operations++;
  };
  const kv = countCalls(store, countCall);
  const completed = countCalls(store.filter("completed"), countCall);
  const sizeFull = options.records ?? records.length;
  const pool = new Pool(kv, tally, records, sizeFull);
  const startedAt = performance.now();
  const found = await pool.look();
  const { disk } = await store.stats();
  // What lies in shared memory is gone with the job.
  const place = options.backend === "shared" ? undefined : disk?.path;
  if (found === "something else") {
    throw new UsageError(`${place ?? "the store"} holds something else: choose another --path`);
  }
  output.write(
    `Main job on ${options.backend}: ${formatCount(options.users)} users share a pool of ` +
      `${formatCount(sizeFull)} airports for ${options.seconds} s\n`,
  );
  await pool.prepare(found, completed);
  output.write(describeBeginning(found, tally, place));
  const run = { kv, completed, tally, pool, options, startedAt, output };
  const verdict = await (options.processes === 1 ? runHere(run) : runTeam(run));
  const seconds = (performance.now() - startedAt) / 1_000;
  const rows = await summarize(store, store.filter("completed"), tally, verdict, seconds);
  return printResult(rows, verdict, output);
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

function printResult(rows: readonly Row[], verdict: Verdict, output: Output): number {
  output.write(`\n${formatTable(rows)}\n`);
  const failed = rows.filter(({ passed }) => passed === false);
  if (failed.length === 0) {
    output.write("All checks passed.\n");
    return 0;
  }
  output.write(`Failed: ${failed.map(({ name }) => name).join(", ")}.\n`);
  for (const violation of verdict.violations) output.write(`  ${violation}\n`);
  return 1;
}
