// Queue: append and popFirst on an array of 1,000 elements, against an array of JSON text.

import { type Account, account, times } from "../contestants/records.js";
import { openMemory, ours } from "../contestants/stores.js";
import { wrong } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import { type Effort, ratio, type Workload } from "../harness/workload.js";

const bareQueue = "bare array";
const key = "queue";
const depth = 1_000;

interface Queue {
  append(key: string, value: Account): Promise<number>;
  popFirst(key: string): Promise<unknown>;
}

function bareArray(): Queue {
  const texts: string[] = [];
  return {
    async append(_key, value) {
      return texts.push(JSON.stringify(value));
    },
    async popFirst() {
      const text = texts.shift();
      return text === undefined ? null : JSON.parse(text);
    },
  };
}

/** Sends every value through the queue; they come out in order, behind what was there. */
async function passThrough(queue: Queue, values: readonly Account[]): Promise<void> {
  for (const [index, value] of values.entries()) {
    const length = await queue.append(key, value);
    if (length !== depth + 1) wrong("length", depth + 1, length);
    const popped = (await queue.popFirst(key)) as Account;
    const expected = (values.length - depth + index) % values.length;
    if (popped.id !== expected) wrong("popFirst", expected, popped);
  }
}

export const queue: Workload = {
  name: "queue",
  title: "append, then popFirst, on a queue of 1,000 elements; operations of both kinds",
  async run(effort: Effort) {
    const values = times(effort === "quick" ? depth : 20_000, (id) => account(id));
    const queues: readonly (readonly [string, Queue])[] = [
      [ours, openMemory()],
      [bareQueue, bareArray()],
    ];
    for (const [, queue] of queues) {
      for (const value of values.slice(-depth)) await queue.append(key, value);
    }
    const contestants = queues.map(([name, queue]) => ({
      name,
      sample: async () =>
        rate(2 * values.length, await elapsedMs(() => passThrough(queue, values))),
    }));
    const questions = [ratio(ours, bareQueue)];
    return interleave(effort, { unit: "ops/s", contestants, questions, rounds: 15 });
  },
};
