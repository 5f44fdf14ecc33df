// Durable stores: the peers of the wal backend, behind the two methods they have in common.

import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Kv, openKv, type WalOptions } from "anykv";
import { ClassicLevel } from "classic-level";
import { open as openLmdb } from "lmdb";
import type { PlainStore } from "./stores.js";

export interface DurableStore {
  readonly name: string;
  readonly store: PlainStore;
  close(): Promise<unknown> | unknown;
}

export const wal = "anykv wal";
export const level = "classic-level 3";
export const sqlite = "node:sqlite";
export const lmdb = "lmdb 3";

let storesOpened = 0;

export function openWal(directory: string, options: WalOptions = {}): Kv {
  const name = `bench-wal-${storesOpened++}`;
  return openKv({ name, backend: "wal", path: join(directory, "wal"), wal: options });
}

export async function openLevel(directory: string): Promise<DurableStore> {
  const db = new ClassicLevel<string, unknown>(join(directory, "level"), { valueEncoding: "json" });
  await db.open();
  const store = {
    get: (key: string) => db.get(key),
    set: (key: string, value: unknown) => db.put(key, value),
  };
  return { name: level, store, close: () => db.close() };
}

/** What is used of `node:sqlite`: the types are those of Node 20, which does not have it. */
interface Sqlite {
  readonly DatabaseSync: new (
    path: string,
  ) => {
    exec(sql: string): void;
    prepare(sql: string): {
      run(...values: string[]): unknown;
      get(...values: string[]): { value: unknown } | undefined;
    };
    close(): void;
  };
}

async function importSqlite(): Promise<Sqlite | undefined> {
  const specifier = "node:sqlite";
  try {
    return (await import(specifier)) as Sqlite;
  } catch {
    process.stdout.write(`  without ${sqlite}, which Node ${process.version} does not have\n`);
    return undefined;
  }
}

/** WAL mode, synchronous = NORMAL, one transaction for each write. */
export async function openSqlite(directory: string): Promise<DurableStore | undefined> {
  const module = await importSqlite();
  if (module === undefined) return undefined;
  const db = new module.DatabaseSync(join(directory, "sqlite.db"));
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  db.exec("CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID");
  const write = db.prepare("INSERT OR REPLACE INTO kv VALUES (?, ?)");
  const read = db.prepare("SELECT value FROM kv WHERE key = ?");
  const store = {
    async get(key: string) {
      const row = read.get(key);
      return row === undefined ? undefined : JSON.parse(String(row.value));
    },
    async set(key: string, value: unknown) {
      write.run(key, JSON.stringify(value));
    },
  };
  return { name: sqlite, store, close: () => db.close() };
}

/** A write resolves when it has been flushed: a resolved `put` alone may still be lost. */
export function openDurableLmdb(directory: string): DurableStore {
  const db = openLmdb<unknown, string>({ path: join(directory, "lmdb"), encoding: "json" });
  const store = {
    get: async (key: string) => db.get(key),
    async set(key: string, value: unknown) {
      await db.put(key, value);
      await db.flushed;
    },
  };
  return { name: lmdb, store, close: () => db.close() };
}

/** What the disk allows: the same number of bytes, appended and synced, one after the other. */
export class AppendLoop {
  readonly #file: number;
  readonly #bytes: Buffer;

  constructor(directory: string, bytes: number) {
    this.#file = openSync(join(directory, "append.log"), "a");
    this.#bytes = Buffer.alloc(bytes, "x");
  }

  run(writes: number): void {
    for (let left = writes; left > 0; left--) {
      writeSync(this.#file, this.#bytes);
      fdatasyncSync(this.#file);
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}
