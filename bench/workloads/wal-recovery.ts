// Recovery: 1,000,000 records come back, from the log (one transaction each) and from a state,
// against reading and parsing the same records as JSONL. Every sample is a process of its own; the
// files are in the system's cache for all of them.

import { join } from "node:path";
import { inFreshDirectory } from "../contestants/disk-stores.js";
import { recordJsonLines, recordLog, turnIntoState } from "../contestants/recorded-stores.js";
import { interleave } from "../harness/interleave.js";
import { runInProcess } from "../harness/processes.js";
import {
  atLeast,
  type Effort,
  type Outcome,
  ratio,
  ratioUpTo,
  type Workload,
} from "../harness/workload.js";

export const forms = {
  log: "from the log",
  state: "from a state",
  lines: "JSONL, read and parsed",
  map: "JSONL into a Map of JSON text",
} as const;

export type Form = keyof typeof forms;

/** Half of it must be enough: the target is half of JSONL or 500,000 records/s, if that is less. */
const linesCountedMax = 1_000_000;

async function compare(effort: Effort, directory: string): Promise<Outcome> {
  const count = effort === "quick" ? 1_000 : 1_000_000;
  const lines = join(directory, "lines");
  const paths = { log: join(directory, "log"), state: join(directory, "state"), lines, map: lines };
  await recordLog(paths.log, count);
  await recordLog(paths.state, count);
  await turnIntoState(paths.state);
  await recordJsonLines(lines, count);
  const probe = new URL("../probes/recovery-probe.js", import.meta.url);
  const contestants = (Object.keys(forms) as Form[]).map((form) => ({
    name: forms[form],
    sample: () => runInProcess<number>(probe, [form, paths[form], String(count)]),
  }));
  const questions = [
    ratioUpTo(forms.log, forms.lines, linesCountedMax, atLeast(0.5)),
    ratioUpTo(forms.state, forms.lines, linesCountedMax, atLeast(0.5)),
    ratio(forms.log, forms.map),
    ratio(forms.state, forms.map),
  ];
  return interleave(effort, { unit: "records/s", contestants, questions, rounds: 7, warmUps: 1 });
}

export const walRecovery: Workload = {
  name: "wal-recovery",
  title: "recovery of 1,000,000 records, against parsing the same as JSONL",
  run: (effort, parent) => inFreshDirectory(parent, (directory) => compare(effort, directory)),
};
