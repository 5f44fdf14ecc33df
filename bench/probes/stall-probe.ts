// Stall probe: opens a store of so many keys, lets writers go on, and answers with the longest turn
// of the event loop, with or without a snapshot being written meanwhile.
// `node --expose-gc build/bench/probes/stall-probe.js SCENE PATH COUNT`

import type { Kv } from "anykv";
import {
  type Files,
  filesOf,
  isFreshState,
  neverSnapshot,
  snapshotAtOnce,
} from "../contestants/recorded-stores.js";
import { account, accountKey } from "../contestants/records.js";
import { openWal } from "../contestants/stores.js";
import { expectAnswer, WrongAnswerError } from "../harness/answers.js";
import { answer } from "../harness/processes.js";
import { type LongestTurn, TurnWatch } from "../harness/turn-watch.js";
import type { Scene } from "../workloads/wal-stall.js";

/** Writes in each turn, one awaited after the other: about a tenth of a millisecond. */
const writesPerTurn = 50;
/**
 * Of so many writes one adds a key: few, because a `Map` that grows beyond 2^20 entries is rebuilt
 * in one go, which takes 60 ms and has nothing to do with snapshots.
 */
const writesPerNewKey = 100;
/** A stride without a common factor with the number of keys: it leads through all of them. */
const stride = 7_919;
/** How long is watched when no snapshot is written, and at least in any case. */
const watchedMs = (count: number): number => 200 + count / 400;
const givenUpAfterMs = 120_000;
const turnsPerLook = 20;
const keysPerCheck = 97;

/** Writers that know what they wrote last. */
class Writers {
  readonly #kv: Kv;
  /** By number of the key: the version written last. */
  readonly #versions: number[];
  readonly #loaded: number;
  #writes = 0;

  constructor(kv: Kv, loaded: number) {
    this.#kv = kv;
    this.#loaded = loaded;
    this.#versions = new Array<number>(loaded).fill(0);
  }

  async turn(): Promise<void> {
    for (let left = writesPerTurn; left > 0; left--) {
      const version = ++this.#writes;
      const isNew = version % writesPerNewKey === 0;
      const id = isNew ? this.#versions.length : (version * stride) % this.#loaded;
      this.#versions[id] = version;
      await this.#kv.set(accountKey(id), account(id, version));
    }
  }

  /** What `kv` holds must be what was written last. */
  async check(kv: Kv): Promise<void> {
    expectAnswer("size", this.#versions.length, await kv.size());
    for (let id = 0; id < this.#versions.length; id += keysPerCheck) {
      const expected = account(id, this.#versions[id]);
      expectAnswer(accountKey(id), expected, await kv.get(accountKey(id)));
    }
  }
}

async function watchTurns(
  path: string,
  before: Files,
  writers: Writers,
  scene: Scene,
  count: number,
): Promise<LongestTurn> {
  globalThis.gc?.();
  const watch = new TurnWatch();
  const start = performance.now();
  let isWritten = scene === "writers";
  for (let turns = 1; !isWritten || performance.now() - start < watchedMs(count); turns++) {
    await writers.turn();
    await watch.turn();
    if (!isWritten && turns % turnsPerLook === 0) isWritten = isFreshState(before, filesOf(path));
    if (performance.now() - start > givenUpAfterMs) throw new WrongAnswerError("no state comes");
  }
  return watch.longest;
}

const [sceneText, path = "", countText] = process.argv.slice(2);

await answer(async () => {
  const count = Number(countText);
  const scene = sceneText as Scene;
  const before = filesOf(path);
  const every = scene === "writers" ? neverSnapshot : snapshotAtOnce;
  const kv = openWal(path, { snapshotEvery: every });
  expectAnswer("size", count, await kv.size());
  const writers = new Writers(kv, count);
  const longest = await watchTurns(path, before, writers, scene, count);
  await kv.close();
  const reopened = openWal(path, { snapshotEvery: neverSnapshot });
  await writers.check(reopened);
  await reopened.close();
  return longest;
});
