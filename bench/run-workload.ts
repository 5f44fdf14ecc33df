// One workload in a process of its own:
// `node --expose-gc build/bench/run-workload.js NAME [quick | full] [DIRECTORY]`.
// Run it by hand to profile: `node --expose-gc --cpu-prof build/bench/run-workload.js get`.

import { answer } from "./harness/processes.js";
import { freshDirectory, makeScratch } from "./harness/scratch.js";
import type { Effort, Outcome, Workload } from "./harness/workload.js";
import { workloads } from "./workloads.js";

const [name, effortText, directory] = process.argv.slice(2);

async function runAlone(workload: Workload, effort: Effort): Promise<Outcome> {
  const scratch = makeScratch(undefined);
  try {
    return await workload.run(effort, scratch.directory);
  } finally {
    scratch.remove();
  }
}

await answer(async () => {
  const workload = workloads.find((candidate) => candidate.name === name);
  if (workload === undefined) throw new Error(`there is no workload "${name}"`);
  const effort = effortText === "quick" ? "quick" : "full";
  if (directory === undefined) return runAlone(workload, effort);
  return workload.run(effort, freshDirectory(directory));
});
