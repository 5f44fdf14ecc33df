// One workload in a process of its own: `node --expose-gc build/bench/run-workload.js NAME [quick]`.
// Run it by hand to profile: `node --expose-gc --cpu-prof build/bench/run-workload.js get`.

import { answer } from "./harness/processes.js";
import { workloads } from "./workloads.js";

const [name, effort] = process.argv.slice(2);

await answer(async () => {
  const workload = workloads.find((candidate) => candidate.name === name);
  if (workload === undefined) throw new Error(`there is no workload "${name}"`);
  return workload.run(effort === "quick" ? "quick" : "full");
});
