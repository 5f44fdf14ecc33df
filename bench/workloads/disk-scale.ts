// Scale on the disk backend: what operations by rank cost at 1,000,000 keys, against the same at
// 10,000, and how long it takes to open the larger one, in processes with a heap of 64 MB.

import { inFreshDirectory } from "../contestants/disk-stores.js";
import { openDisk } from "../contestants/durable-stores.js";
import { account, poolKey } from "../contestants/records.js";
import { load } from "../contestants/stores.js";
import { interleave } from "../harness/interleave.js";
import { runInProcess } from "../harness/processes.js";
import { freshDirectory } from "../harness/scratch.js";
import {
  atMost,
  type Effort,
  type Outcome,
  ratio,
  type Workload,
  worst,
} from "../harness/workload.js";

export type Measured = "open" | "count" | "random" | "claim";

const small = "10,000 keys";
const large = "1,000,000 keys";
const openMsMax = 1_000;

const titles: Readonly<Record<Measured, string>> = {
  open: "opening of a disk store with a heap of 64 MB, until its size is known",
  count: "count({ prefix }) of a tenth of the keys on disk, with a heap of 64 MB",
  random: "randomKey({ prefix }) of a tenth of the keys on disk, with a heap of 64 MB",
  claim: "claimRandom({ prefix }) 100 at once, then released, on disk, with a heap of 64 MB",
};

async function filled(parent: string, keyCount: number): Promise<string> {
  const directory = freshDirectory(parent);
  const kv = openDisk(directory);
  await load(kv, keyCount, account, poolKey);
  // The index of free keys is built by the first claim.
  const claim = await kv.claimRandom();
  if (claim !== null) await kv.releaseClaim(claim);
  await kv.close();
  return directory;
}

async function compare(effort: Effort, parent: string, measured: Measured): Promise<Outcome> {
  const sizes = effort === "quick" ? [100, 1_000] : [10_000, 1_000_000];
  const calls = effort === "quick" ? 100 : 10_000;
  const probe = new URL("../probes/scale-probe.js", import.meta.url);
  const contestants = [];
  for (const [index, name] of [small, large].entries()) {
    const keyCount = sizes[index] as number;
    const directory = await filled(parent, keyCount);
    const args = [directory, measured, String(keyCount), String(calls)];
    const sample = () => runInProcess<number>(probe, args, ["--max-old-space-size=64"]);
    contestants.push({ name, sample });
  }
  const questions =
    measured === "open" ? [worst(large, atMost(openMsMax))] : [ratio(large, small, atMost(3))];
  const unit = measured === "open" ? "ms" : "µs/op";
  return interleave(effort, { unit, contestants, questions, rounds: 9, warmUps: 1 });
}

export const diskScale: readonly Workload[] = (Object.keys(titles) as Measured[]).map(
  (measured) => ({
    name: `disk-${measured}`,
    title: titles[measured],
    run: (effort, parent) =>
      inFreshDirectory(parent, (directory) => compare(effort, directory, measured)),
  }),
);
