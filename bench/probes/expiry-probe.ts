// Expiry probe: lets so many keys expire at one instant and answers with the longest time, in
// milliseconds, for which the event loop was not free.
// `node --expose-gc build/bench/probes/expiry-probe.js SCENE COUNT`

import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import type { Kv } from "anykv";
import { account, accountKey, poolKey } from "../contestants/records.js";
import { load, openMemory } from "../contestants/stores.js";
import { expectAnswer, WrongAnswerError } from "../harness/answers.js";
import { answer } from "../harness/processes.js";
import type { Scene } from "../workloads/expiry.js";

/** How long the loop is watched at least: the time after the instant is watched to the end. */
const watchedMs = (count: number): number => 200 + count / 400;
/** Loading is timed on so many keys, and the instant set so much later than it should take. */
const sampleKeysMax = 20_000;
const leadFactor = 2.5;
const leadMsMin = 500;
/** How long the memory may take to come back, and what may be left of the loaded heap. */
const freedWithinMs = 30_000;
const leftShareMax = 0.1;
/** Fewer keys do not show on the heap. */
const heapKeysMin = 100_000;
const keptKeys = 100;

/** Turns of the event loop as fast as they come; the longest one so far. */
class LoopWatch {
  longestMs = 0;

  async until(done: () => boolean): Promise<void> {
    let last = performance.now();
    while (!done()) {
      await nextTurn();
      const now = performance.now();
      this.longestMs = Math.max(this.longestMs, now - last);
      last = now;
    }
  }

  forMs(ms: number): Promise<void> {
    const end = performance.now() + ms;
    return this.until(() => performance.now() >= end);
  }
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/**
 * Every deadline is the same millisecond, or a little later where the machine paused us between two
 * looks at the clock; resolves with the latest.
 */
async function loadExpiring(kv: Kv, count: number, instant: number): Promise<number> {
  let pausedMs = 0;
  for (let id = 0; id < count; id++) {
    const now = Date.now();
    await kv.set(accountKey(id), account(id), { ttl: instant - now });
    pausedMs = Math.max(pausedMs, Date.now() - now);
  }
  return instant + pausedMs;
}

/** How far ahead the instant has to be when loading begins: all keys must be there before it. */
async function leadMs(count: number): Promise<number> {
  const sample = Math.min(count, sampleKeysMax);
  const kv = openMemory({ trackKeys: true });
  const started = performance.now();
  await loadExpiring(kv, sample, Date.now() + 86_400_000);
  const sampleMs = performance.now() - started;
  await kv.close();
  return Math.ceil(leadMsMin + (sampleMs * leadFactor * count) / sample);
}

/** Loads until well before the instant, whatever the speed of the machine. */
async function openExpiring(scene: Scene, count: number): Promise<{ kv: Kv; instant: number }> {
  const kv = openMemory({ trackKeys: scene === "tracked" || scene === "counted" });
  await load(kv, keptKeys, account, poolKey);
  const earliest = Date.now() + (scene === "idle" ? 86_400_000 : await leadMs(count));
  const instant = await loadExpiring(kv, count, earliest);
  if (Date.now() >= instant) throw new Error("loading took longer than the keys were to live");
  return { kv, instant };
}

/** Asks at the very instant: whoever asks then must not block the others either. */
async function countAt(kv: Kv, instant: number): Promise<void> {
  await pause(instant - Date.now());
  while (Date.now() < instant + 2) await nextTurn();
  expectAnswer("count at the instant", 0, await kv.count({ prefix: "user:" }));
}

async function watchExpiry(scene: Scene, count: number): Promise<number> {
  const empty = heapBytes();
  const { kv, instant } = await openExpiring(scene, count);
  const loaded = heapBytes() - empty;
  expectAnswer("an expiring value", account(count - 1), await kv.get(accountKey(count - 1)));
  const watch = new LoopWatch();
  await watch.until(() => Date.now() >= instant - 100);
  const counting = scene === "counted" ? countAt(kv, instant) : undefined;
  const givenUp = Date.now() + freedWithinMs;
  do {
    if (Date.now() > givenUp) throw new WrongAnswerError("expired keys keep their memory");
    await watch.forMs(watchedMs(count));
  } while (count >= heapKeysMin && heapBytes() - empty > loaded * leftShareMax);
  await counting;
  expectAnswer("size", keptKeys, await kv.size());
  expectAnswer("an expired value", undefined, await kv.find(accountKey(0)));
  return watch.longestMs;
}

async function watchIdle(count: number): Promise<number> {
  const { kv } = await openExpiring("idle", count);
  globalThis.gc?.();
  const watch = new LoopWatch();
  await watch.forMs(watchedMs(count));
  expectAnswer("size", keptKeys + count, await kv.size());
  return watch.longestMs;
}

const [scene, countText] = process.argv.slice(2);

await answer(() => {
  const count = Number(countText);
  return scene === "idle" ? watchIdle(count) : watchExpiry(scene as Scene, count);
});
