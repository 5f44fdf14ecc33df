// Stores: the contestants of the workloads by key, behind the two methods they have in common.

import { type Kv, type OpenKvOptions, openKv } from "anykv";
import Keyv from "keyv";
import { accountKey } from "./records.js";

/** Kv and Keyv are used as they are; nothing stands between the loop and their methods. */
export interface PlainStore {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<unknown>;
}

export interface NamedStore {
  readonly name: string;
  readonly store: PlainStore;
  clear(): Promise<unknown>;
}

export const ours = "anykv";
export const peer = "keyv 5";
export const bare = "bare Map";

let storesOpened = 0;

/** A memory store of its own. */
export function openMemory(options: { trackKeys?: boolean; operationMetrics?: boolean } = {}): Kv {
  const { trackKeys = false, operationMetrics = false } = options;
  const name = `bench-${storesOpened++}`;
  return openKv({ name, backend: "memory", trackKeys, metrics: { operations: operationMetrics } });
}

/** A wal store in this directory, of its own. */
export function openWal(path: string, wal: NonNullable<OpenKvOptions["wal"]> = {}): Kv {
  return openKv({ name: `bench-${storesOpened++}`, backend: "wal", path, wal });
}

/** What the operations cost without a library: async functions over a Map of JSON text. */
function bareStore(): PlainStore & { clear(): Promise<void> } {
  const map = new Map<string, string>();
  return {
    async get(key) {
      const text = map.get(key);
      return text === undefined ? undefined : JSON.parse(text);
    },
    async set(key, value) {
      map.set(key, JSON.stringify(value));
    },
    async clear() {
      map.clear();
    },
  };
}

export function plainStores(): NamedStore[] {
  const kv = openMemory();
  const keyv = new Keyv();
  const map = bareStore();
  return [
    { name: ours, store: kv, clear: () => kv.clear() },
    { name: peer, store: keyv, clear: () => keyv.clear() },
    { name: bare, store: map, clear: () => map.clear() },
  ];
}

const loadedPerBatch = 10_000;

/** Writes `count` entries in batches. */
export async function load(
  kv: Kv,
  count: number,
  makeValue: (id: number) => unknown,
  makeKey: (id: number) => string = accountKey,
): Promise<void> {
  for (let from = 0; from < count; from += loadedPerBatch) {
    const batch: Record<string, unknown> = {};
    const end = Math.min(count, from + loadedPerBatch);
    for (let id = from; id < end; id++) batch[makeKey(id)] = makeValue(id);
    await kv.setMany(batch);
  }
}
