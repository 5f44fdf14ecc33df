// Stall: the longest turn of the event loop while the state of 1,000,000 keys is written and writers
// go on, garbage collection included. The same writers without a snapshot show what is theirs and
// the machine's. Every sample is a process with a copy of the log.

import { cpSync } from "node:fs";
import { join } from "node:path";
import { inFreshDirectory } from "../contestants/disk-stores.js";
import { recordLog } from "../contestants/recorded-stores.js";
import { interleave } from "../harness/interleave.js";
import { runInProcess } from "../harness/processes.js";
import type { LongestTurn } from "../harness/turn-watch.js";
import {
  atMost,
  type Contestant,
  type Effort,
  type Outcome,
  type Workload,
  worst,
} from "../harness/workload.js";

export const scenes = { writers: "writers alone", snapshot: "snapshot" } as const;
export type Scene = keyof typeof scenes;

const figures: { readonly [Figure in keyof LongestTurn]: string } = {
  wallMs: "by the clock",
  ownMs: "without waiting for a processor",
  cpuMs: "on a processor",
};

const stallMsMax = 20;

function nameOf(scene: Scene, figure: keyof LongestTurn): string {
  return `${scenes[scene]}, ${figures[figure]}`;
}

/** The figures of one run each round: the first that is asked for makes the run. */
function contestantsOf(scene: Scene, run: () => Promise<LongestTurn>): Contestant[] {
  const left = new Map<string, number>();
  return (Object.keys(figures) as (keyof LongestTurn)[]).map((figure) => ({
    name: nameOf(scene, figure),
    async sample() {
      if (!left.has(figure)) {
        for (const [name, ms] of Object.entries(await run())) left.set(name, ms);
      }
      const ms = left.get(figure) as number;
      left.delete(figure);
      return ms;
    },
  }));
}

async function compare(effort: Effort, directory: string): Promise<Outcome> {
  const count = effort === "quick" ? 1_000 : 1_000_000;
  const recorded = join(directory, "recorded");
  await recordLog(recorded, count);
  const probe = new URL("../probes/stall-probe.js", import.meta.url);
  const contestants = (Object.keys(scenes) as Scene[]).flatMap((scene) =>
    contestantsOf(scene, () =>
      inFreshDirectory(directory, (copy) => {
        cpSync(recorded, copy, { recursive: true });
        return runInProcess<LongestTurn>(probe, [scene, copy, String(count)]);
      }),
    ),
  );
  const questions = [
    worst(nameOf("writers", "wallMs")),
    worst(nameOf("writers", "ownMs")),
    worst(nameOf("snapshot", "wallMs"), atMost(stallMsMax)),
    worst(nameOf("snapshot", "ownMs"), atMost(stallMsMax)),
    worst(nameOf("snapshot", "cpuMs"), atMost(stallMsMax)),
  ];
  return interleave(effort, { unit: "ms", contestants, questions, rounds: 5, warmUps: 0 });
}

export const walStall: Workload = {
  name: "wal-stall",
  title:
    "longest turn of the event loop while 1,000,000 keys are written to a state, and by writers",
  run: (effort, parent) => inFreshDirectory(parent, (directory) => compare(effort, directory)),
};
