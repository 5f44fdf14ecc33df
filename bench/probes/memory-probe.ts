// Memory probe: loads one holder with so many entries and answers with the bytes of heap for each.
// `node --expose-gc build/bench/probes/memory-probe.js HOLDER COUNT`

import { account, accountKey } from "../contestants/records.js";
import { load, openMemory } from "../contestants/stores.js";
import { expectAnswer } from "../harness/answers.js";
import { answer } from "../harness/processes.js";
import type { Holder } from "../workloads/memory.js";

interface Held {
  fill(count: number): Promise<void>;
  size(): Promise<number>;
  read(key: string): Promise<unknown>;
}

function heldByMap(): Held {
  const map = new Map<string, string>();
  return {
    async fill(count) {
      for (let id = 0; id < count; id++) map.set(accountKey(id), JSON.stringify(account(id)));
    },
    size: async () => map.size,
    read: async (key) => JSON.parse(map.get(key) ?? "null"),
  };
}

function heldByKv(trackKeys: boolean): Held {
  const kv = openMemory({ trackKeys });
  return {
    fill: (count) => load(kv, count, account),
    size: () => kv.size(),
    read: (key) => kv.get(key),
  };
}

function heldWithTtl(): Held {
  const kv = openMemory();
  const ttl = 86_400_000;
  return {
    async fill(count) {
      for (let id = 0; id < count; id++) await kv.set(accountKey(id), account(id), { ttl });
    },
    size: () => kv.size(),
    read: (key) => kv.get(key),
  };
}

const makers: { readonly [Name in Holder]: () => Held } = {
  map: heldByMap,
  plain: () => heldByKv(false),
  tracked: () => heldByKv(true),
  expiring: heldWithTtl,
};

function heapBytes(): number {
  // The second collection takes what finalizers and weak references kept through the first.
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const [holder, countText] = process.argv.slice(2);

await answer(async () => {
  const count = Number(countText);
  // The same code has run once before, so that compiling it is not counted.
  await makers[holder as Holder]().fill(1_000);
  const held = makers[holder as Holder]();
  const before = heapBytes();
  await held.fill(count);
  const bytes = heapBytes() - before;
  expectAnswer("size", count, await held.size());
  expectAnswer("the last value", account(count - 1), await held.read(accountKey(count - 1)));
  return bytes / count;
});
