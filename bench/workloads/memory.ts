// Memory: what an entry costs on the heap, keys and values included, against Map<string, string>.
// Every sample is a process that loads one contestant and nothing else: see memory-probe.ts.

import { interleave } from "../harness/interleave.js";
import { runInProcess } from "../harness/processes.js";
import { atMost, type Effort, ratio, type Workload } from "../harness/workload.js";

export const holders = {
  map: "Map<string, string>",
  plain: "anykv",
  tracked: "anykv, trackKeys",
  expiring: "anykv, every key with ttl",
} as const;

export type Holder = keyof typeof holders;

export const memory: Workload = {
  name: "memory",
  title: "heap for each of 1,000,000 entries, key and value included",
  run(effort: Effort) {
    const count = effort === "quick" ? 1_000 : 1_000_000;
    const probe = new URL("../probes/memory-probe.js", import.meta.url);
    const contestants = Object.entries(holders).map(([holder, name]) => ({
      name,
      sample: () => runInProcess<number>(probe, [holder, String(count)]),
    }));
    const questions = [
      ratio(holders.plain, holders.map, atMost(2.5)),
      ratio(holders.tracked, holders.map, atMost(2.5)),
      ratio(holders.expiring, holders.map),
    ];
    const unit = "bytes/entry";
    return interleave(effort, { unit, contestants, questions, rounds: 3, warmUps: 0 });
  },
};
