// Recovery: opening a store of 1,000,000 records, against reading and parsing the same records as
// lines of JSON. Every sample is a process of its own: see wal-recovery-probe.ts.

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { openWal } from "../contestants/durable-stores.js";
import { account, accountKey } from "../contestants/records.js";
import { interleave } from "../harness/interleave.js";
import { runInProcess } from "../harness/processes.js";
import { withScratch } from "../harness/scratch.js";
import { atLeast, type Effort, type Outcome, ratio, type Workload } from "../harness/workload.js";

export const sources = {
  lines: "JSON lines, read and parsed",
  log: "log alone",
  state: "state, and what follows it",
} as const;

export type Source = keyof typeof sources;

// Never, and several times while the records are written.
const snapshotEvery = { log: "1TiB", state: "8MiB" } as const;

async function writeStore(directory: string, source: "log" | "state", count: number) {
  const kv = openWal(join(directory, source), { snapshotEvery: snapshotEvery[source] });
  for (let id = 0; id < count; id++) await kv.set(accountKey(id), account(id));
  await kv.close();
}

async function writeLines(directory: string, count: number): Promise<void> {
  const file = createWriteStream(join(directory, "lines.jsonl"));
  for (let id = 0; id < count; id++) {
    const line = `${JSON.stringify({ key: accountKey(id), value: account(id) })}\n`;
    if (!file.write(line)) await once(file, "drain");
  }
  file.end();
  await once(file, "close");
}

async function run(effort: Effort, directory: string): Promise<Outcome> {
  const count = effort === "quick" ? 1_000 : 1_000_000;
  await writeLines(directory, count);
  await writeStore(directory, "log", count);
  await writeStore(directory, "state", count);
  const probe = new URL("../probes/wal-recovery-probe.js", import.meta.url);
  const contestants = Object.entries(sources).map(([source, name]) => ({
    name,
    sample: () => runInProcess<number>(probe, [source, directory, String(count)]),
  }));
  const questions = [
    ratio(sources.log, sources.lines, atLeast(0.5)),
    ratio(sources.state, sources.lines),
  ];
  const unit = "records/s";
  return interleave(effort, { unit, contestants, questions, rounds: 5, warmUps: 1 });
}

export const walRecovery: Workload = {
  name: "wal-recovery",
  title: "opening a store of 1,000,000 records",
  run: (effort) => withScratch((directory) => run(effort, directory)),
};
