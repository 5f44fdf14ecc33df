// Stall: the longest time for which the event loop was not free while a state of 1,000,000 keys was
// written and writers went on. Beside the time on the wall the probe takes the processor time of the
// main thread, which other programs of a shared machine do not lengthen.

import { interleave } from "../harness/interleave.js";
import { runInProcess } from "../harness/processes.js";
import { withScratch } from "../harness/scratch.js";
import { atMost, type Effort, type Workload, worst } from "../harness/workload.js";

export const scenes = {
  quiet: "writers alone",
  state: "writers, and a state",
  quietCpu: "writers alone, processor time",
  stateCpu: "writers, and a state, processor time",
} as const;

export type Scene = keyof typeof scenes;

const blockMsMax = 20;

export const walStall: Workload = {
  name: "wal-stall",
  title: "longest block of the event loop while a state of 1,000,000 keys is written",
  async run(effort: Effort) {
    const count = effort === "quick" ? 2_000 : 1_000_000;
    const probe = new URL("../probes/wal-stall-probe.js", import.meta.url);
    const contestants = Object.entries(scenes).map(([scene, name]) => ({
      name,
      sample: () =>
        withScratch((directory) => runInProcess<number>(probe, [scene, directory, String(count)])),
    }));
    const questions = [
      worst(scenes.quiet),
      worst(scenes.state, atMost(blockMsMax)),
      worst(scenes.quietCpu),
      worst(scenes.stateCpu, atMost(blockMsMax)),
    ];
    return interleave(effort, { unit: "ms", contestants, questions, rounds: 3, warmUps: 0 });
  },
};
