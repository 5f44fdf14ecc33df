// npm run bench: runs the workloads one after the other and reports what was found.
//
// Exit code 0 when every answer was right, whatever the ratios; 1 on a wrong answer or a failure;
// 2 on bad arguments. A target that was missed is reported as missed.

import { writeFileSync } from "node:fs";
import { type Arguments, parseArguments, usage } from "./harness/arguments.js";
import { type RunFacts, runFacts } from "./harness/machine.js";
import { runInProcess } from "./harness/processes.js";
import {
  factsText,
  notesText,
  outcomeText,
  reportMarkdown,
  targetsText,
} from "./harness/report.js";
import { makeScratch, type Scratch } from "./harness/scratch.js";
import type { NamedOutcome, Outcome, Workload } from "./harness/workload.js";
import { workloads } from "./workloads.js";

const print = (text: string): boolean => process.stdout.write(text);

function chosenWorkloads(only: readonly string[]): readonly Workload[] {
  const unknown = only.find((name) => !workloads.some((workload) => workload.name === name));
  if (unknown !== undefined) throw new TypeError(`There is no workload "${unknown}": see --list`);
  return only.length === 0 ? workloads : workloads.filter(({ name }) => only.includes(name));
}

/** undefined when it failed; the reason has been printed. */
async function runWorkload(
  { name, title }: Workload,
  effort: string,
  scratch: Scratch,
): Promise<NamedOutcome | undefined> {
  print(`\n${name}: ${title}\n`);
  try {
    const module = new URL("./run-workload.js", import.meta.url);
    const outcome = await runInProcess<Outcome>(module, [name, effort, scratch.directory]);
    const named = { name, title, ...outcome };
    const quickText = `  answers are right\n${notesText(named)}`;
    print(effort === "quick" ? quickText : `\n${outcomeText(named)}`);
    return named;
  } catch (error) {
    print(`  FAILED: ${(error as Error).message}\n`);
    return undefined;
  }
}

function writeReports(options: Arguments, facts: RunFacts, outcomes: NamedOutcome[]): void {
  const { effort, json, markdown } = options;
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify({ effort, ...facts, outcomes }, null, 2)}\n`);
  }
  if (markdown !== undefined) writeFileSync(markdown, reportMarkdown(facts, outcomes));
}

async function run(
  options: Arguments,
  chosen: readonly Workload[],
  scratch: Scratch,
): Promise<void> {
  const facts = runFacts(process.argv.slice(2), scratch.description);
  print(`${factsText(facts)}\n`);
  const outcomes: NamedOutcome[] = [];
  for (const workload of chosen) {
    const outcome = await runWorkload(workload, options.effort, scratch);
    if (outcome === undefined) process.exitCode = 1;
    else outcomes.push(outcome);
  }
  writeReports(options, facts, outcomes);
  const failed = chosen.length - outcomes.length;
  if (options.effort === "full") print(`\n${targetsText(outcomes)}\n`);
  print(`\n${outcomes.length} workloads answered rightly, ${failed} failed\n`);
}

/** undefined, with the exit code set, when they make no sense. */
function checkedArguments(): { options: Arguments; chosen: readonly Workload[] } | undefined {
  try {
    const options = parseArguments(process.argv.slice(2));
    return { options, chosen: chosenWorkloads(options.only) };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

async function main(): Promise<void> {
  const checked = checkedArguments();
  if (checked === undefined) return;
  const { options, chosen } = checked;
  if (options.help) print(usage);
  else if (options.list) print(chosen.map(({ name, title }) => `${name}: ${title}\n`).join(""));
  else await runInScratch(options, chosen);
}

async function runInScratch(options: Arguments, chosen: readonly Workload[]): Promise<void> {
  const scratch = makeScratch(options.directory);
  try {
    await run(options, chosen, scratch);
  } finally {
    scratch.remove();
  }
}

await main();
