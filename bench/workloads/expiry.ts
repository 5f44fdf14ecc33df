// Expiry: 1,000,000 keys reach their deadline together, and everybody else must get a turn.
//
// The sample is the longest time for which the event loop was not free, garbage collection
// included. The idle loop is watched for as long in a process of the same size: what it shows is
// the machine, not the store.

import { interleave } from "../harness/interleave.js";
import { runInProcess } from "../harness/processes.js";
import { atMost, type Effort, type Workload, worst } from "../harness/workload.js";

export const scenes = {
  idle: "idle loop, nothing expires",
  plain: "expiry",
  tracked: "expiry, trackKeys",
  counted: "expiry, count() at the instant",
} as const;

export type Scene = keyof typeof scenes;

const blockMsMax = 20;

export const expiry: Workload = {
  name: "expiry",
  title: "longest block of the event loop while 1,000,000 keys expire at one instant",
  run(effort: Effort) {
    const count = effort === "quick" ? 1_000 : 1_000_000;
    const probe = new URL("../probes/expiry-probe.js", import.meta.url);
    const contestants = Object.entries(scenes).map(([scene, name]) => ({
      name,
      sample: () => runInProcess<number>(probe, [scene, String(count)]),
    }));
    const questions = [
      worst(scenes.idle),
      worst(scenes.plain, atMost(blockMsMax)),
      worst(scenes.tracked, atMost(blockMsMax)),
      worst(scenes.counted, atMost(blockMsMax)),
    ];
    return interleave(effort, { unit: "ms", contestants, questions, rounds: 5, warmUps: 0 });
  },
};
