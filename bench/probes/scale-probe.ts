// Scale probe: opens a filled disk store in a process that has done nothing else, and answers with
// what one kind of operation costs. `node build/bench/probes/scale-probe.js DIRECTORY WHAT KEYS CALLS`

import type { Kv } from "anykv";
import { openDisk } from "../contestants/durable-stores.js";
import { poolCount, poolPrefix, times } from "../contestants/records.js";
import { expectAnswer, wrong } from "../harness/answers.js";
import { answer } from "../harness/processes.js";
import { cost, elapsedMs } from "../harness/stopwatch.js";
import type { Measured } from "../workloads/disk-scale.js";

const claimsAtOnce = 100;
const prefixes = times(poolCount, poolPrefix);
const prefixAt = (call: number): string => prefixes[call % poolCount] as string;

type Work = (kv: Kv, keyCount: number, calls: number) => Promise<void>;

const works: Readonly<Record<Exclude<Measured, "open">, Work>> = {
  async count(kv, keyCount, calls) {
    for (let call = 0; call < calls; call++) {
      const found = await kv.count({ prefix: prefixAt(call) });
      if (found !== keyCount / poolCount) wrong("count", keyCount / poolCount, found);
    }
  },
  async random(kv, _keyCount, calls) {
    for (let call = 0; call < calls; call++) {
      const key = await kv.randomKey({ prefix: prefixAt(call) });
      if (!key.startsWith(prefixAt(call))) wrong("randomKey", prefixAt(call), key);
    }
  },
  async claim(kv, _keyCount, calls) {
    for (let done = 0; done < calls; done += claimsAtOnce) {
      const claims = await Promise.all(
        times(claimsAtOnce, (index) => kv.claimRandom({ prefix: prefixAt(index) })),
      );
      const held = claims.filter((claim) => claim !== null);
      const keys = new Set(held.map(({ key }) => key));
      if (keys.size !== claims.length) wrong("claimed keys", claims.length, keys.size);
      expectAnswer("released", held.length, (await kv.releaseClaims(held)).released);
    }
  },
};

const [directory = "", what = "open", keyText, callText] = process.argv.slice(2);

await answer(async () => {
  const keyCount = Number(keyText);
  const calls = Number(callText);
  const start = performance.now();
  const kv = openDisk(directory);
  expectAnswer("size", keyCount, await kv.size());
  const openMs = performance.now() - start;
  const work = works[what as Exclude<Measured, "open">];
  let result = openMs;
  if (work !== undefined) {
    await work(kv, keyCount, calls / 10);
    result = cost(calls, await elapsedMs(() => work(kv, keyCount, calls)));
  }
  await kv.close();
  return result;
});
