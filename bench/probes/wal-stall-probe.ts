// Stall probe: writes to a loaded store, with or without a state being written meanwhile, and answers
// with the longest turn of the event loop in milliseconds: on the wall, or of processor time.
// `node --expose-gc build/bench/probes/wal-stall-probe.js SCENE DIRECTORY COUNT`

import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Kv } from "anykv";
import { openWal } from "../contestants/durable-stores.js";
import { account, accountKey } from "../contestants/records.js";
import { load } from "../contestants/stores.js";
import { expectAnswer } from "../harness/answers.js";
import { answer } from "../harness/processes.js";
import type { Scene } from "../workloads/wal-stall.js";

const writesPerTurn = 10;
const watchedMs = 1_500;

/** Processor time of this thread in ms; Linux only, otherwise the time on the wall. */
function processorMs(): number {
  try {
    return Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

async function states(kv: Kv): Promise<number> {
  return (await kv.stats()).disk?.log?.states ?? 0;
}

/** Writes a little in every turn until `done`; the longest turn. */
async function longestTurn(kv: Kv, count: number, now: () => number, done: () => boolean) {
  let longest = 0;
  let version = 1;
  while (!done()) {
    const start = now();
    for (let write = 0; write < writesPerTurn; write++) {
      const id = (version * 7_919 + write * 104_729) % count;
      await kv.set(accountKey(id), account(id, version));
    }
    version++;
    await nextTurn();
    longest = Math.max(longest, now() - start);
  }
  return longest;
}

async function watch(scene: Scene, directory: string, count: number): Promise<number> {
  // Loading the keys comes to less than this, and what is written then to more.
  const withState = scene === "state" || scene === "stateCpu";
  const snapshotEvery = withState ? count * 110 : "1TiB";
  const kv = openWal(directory, { snapshotEvery, compressionThreshold: "1GiB" });
  await load(kv, count, account);
  globalThis.gc?.();
  const now = scene === "quietCpu" || scene === "stateCpu" ? processorMs : () => performance.now();
  const longest = await (withState ? duringState(kv, count, now) : withoutState(kv, count, now));
  expectAnswer("size", count, await kv.size());
  await kv.close();
  return longest;
}

async function withoutState(kv: Kv, count: number, now: () => number): Promise<number> {
  const end = performance.now() + watchedMs;
  return longestTurn(kv, count, now, () => performance.now() >= end);
}

async function duringState(kv: Kv, count: number, now: () => number): Promise<number> {
  const before = await states(kv);
  let written = false;
  const poll = setInterval(async () => {
    written = (await states(kv)) > before;
  }, 50);
  const longest = await longestTurn(kv, count, now, () => written);
  clearInterval(poll);
  return longest;
}

const [scene, directory = "", countText] = process.argv.slice(2);

await answer(() => watch(scene as Scene, directory, Number(countText)));
