// Durable stores: contestants whose writes are on the disk when they resolve, many at a time.

import { join } from "node:path";
import { type Kv, openKv } from "anykv";
import { ClassicLevel } from "classic-level";
import { open } from "lmdb";
import type { Account } from "./records.js";
import { openDatabase } from "./sqlite-store.js";

export type Entries = Readonly<Record<string, Account>>;

/** Each method resolves when all that was asked for is on the disk. */
export interface DurableStore {
  readonly name: string;
  /** Every entry by a write of its own, all of them under way at once. */
  setAll(entries: Entries): Promise<unknown>;
  /** All entries by one write. */
  setMany(entries: Entries): Promise<unknown>;
  /** Reads a number, adds one and writes it, for each key, all of them under way at once. */
  increment?(keys: readonly string[]): Promise<unknown>;
  /** Replaces each value if it is what it is expected to be, all of them under way at once. */
  compareAndSwap?(before: Entries, after: Entries): Promise<boolean[]>;
  get(key: string): Promise<unknown>;
  close(): Promise<unknown>;
}

let stores = 0;

export function openDisk(directory: string): Kv {
  return openKv({ name: `bench-disk-${stores++}`, path: join(directory, "anykv") });
}

export const diskName = "anykv disk";
export const bareLmdbName = "lmdb";

export function diskStore(directory: string): DurableStore {
  const kv = openDisk(directory);
  return {
    name: diskName,
    setAll: (entries) => Promise.all(Object.keys(entries).map((key) => kv.set(key, entries[key]))),
    setMany: (entries) => kv.setMany(entries),
    increment: (keys) => Promise.all(keys.map((key) => kv.incrementBy(key, 1))),
    compareAndSwap: (before, after) =>
      Promise.all(
        Object.keys(before).map((key) => kv.compareAndSwap(key, before[key], after[key])),
      ),
    get: (key) => kv.get(key),
    close: () => kv.close(),
  };
}

/** LMDB itself, with the same JSON: what the store costs beside it. */
export function bareLmdb(directory: string): DurableStore {
  const db = open<unknown, string>({ path: join(directory, "lmdb.mdb"), encoding: "json" });
  const putAll = async (entries: Entries): Promise<void> => {
    for (const key of Object.keys(entries)) void db.put(key, entries[key]);
    await db.committed;
    await db.flushed;
  };
  const each = async <Item, Result>(
    items: readonly Item[],
    act: (item: Item) => Result,
  ): Promise<Result[]> => {
    const results = await Promise.all(items.map((item) => db.transaction(() => act(item))));
    await db.flushed;
    return results;
  };
  return {
    name: bareLmdbName,
    setAll: putAll,
    setMany: putAll,
    increment: (keys) =>
      each(keys, (key) => void db.put(key, ((db.get(key) as number | undefined) ?? 0) + 1)),
    compareAndSwap: (before, after) =>
      each(Object.keys(before), (key) => {
        const same = JSON.stringify(db.get(key)) === JSON.stringify(before[key]);
        if (same) void db.put(key, after[key]);
        return same;
      }),
    get: async (key) => db.get(key),
    close: () => db.close(),
  };
}

export async function durableLevel(directory: string): Promise<DurableStore> {
  const db = new ClassicLevel<string, unknown>(join(directory, "level"), { valueEncoding: "json" });
  await db.open();
  const sync = { sync: true };
  return {
    name: "classic-level, sync",
    setAll: (entries) =>
      Promise.all(Object.keys(entries).map((key) => db.put(key, entries[key], sync))),
    setMany: (entries) =>
      db.batch(
        Object.keys(entries).map((key) => ({ type: "put" as const, key, value: entries[key] })),
        sync,
      ),
    get: (key) => db.get(key),
    close: () => db.close(),
  };
}

/** SQLite that syncs every commit, or why there is none. */
export function durableSqlite(directory: string): DurableStore | string {
  const db = openDatabase(join(directory, "entries.sqlite"), "FULL");
  if (typeof db === "string") return db;
  const writeAll = async (entries: Entries): Promise<void> => {
    for (const key of Object.keys(entries)) await db.set(key, entries[key]);
  };
  return {
    name: "SQLite WAL, FULL",
    setAll: writeAll,
    setMany: (entries) => db.together(() => writeAll(entries)),
    get: (key) => db.get(key),
    close: () => db.close(),
  };
}
