// SQLite, through Node's own module where this Node has it: a write-ahead log, autocommit, and
// synchronous=NORMAL, so that a commit is handed to the system and synced by checkpoints.

import { join } from "node:path";
import type { DiskContestant, DiskStore } from "./disk-stores.js";

/** What is used of `node:sqlite`, which the types of Node 20 do not know. */
interface Sqlite {
  readonly DatabaseSync: new (path: string) => Database;
}

interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface Statement {
  run(...parameters: string[]): unknown;
  get(...parameters: string[]): Record<string, unknown> | undefined;
}

const setUp = (synchronous: Synchronous): string => `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = ${synchronous};
  CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;
/** Whether commits wait for the disk. */
type Synchronous = "NORMAL" | "FULL";

const upsert = `
  INSERT INTO entries VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value
`;

interface SqliteStore extends DiskStore {
  /** In one transaction. */
  together(work: () => Promise<void>): Promise<void>;
}

function storeOver(db: Database): SqliteStore {
  const write = db.prepare(upsert);
  const read = db.prepare("SELECT value FROM entries WHERE key = ?");
  const count = db.prepare("SELECT count(*) AS rows FROM entries");
  return {
    async get(key) {
      const row = read.get(key);
      return row === undefined ? undefined : JSON.parse(row.value as string);
    },
    async set(key, value) {
      write.run(key, JSON.stringify(value));
    },
    size: async () => count.get()?.rows as number,
    async together(work) {
      db.exec("BEGIN");
      await work();
      db.exec("COMMIT");
    },
    close: async () => db.close(),
  };
}

/** The database of a file, or why there is none. */
export function openDatabase(path: string, synchronous: Synchronous): SqliteStore | string {
  const sqlite = process.getBuiltinModule("node:sqlite") as Sqlite | undefined;
  if (sqlite === undefined) return missing;
  const db = new sqlite.DatabaseSync(path);
  db.exec(setUp(synchronous));
  return storeOver(db);
}

const missing = `SQLite is left out: Node ${process.version} has no node:sqlite, Node 24 does`;

function contestantOf({ DatabaseSync }: Sqlite): DiskContestant {
  return {
    name: "SQLite WAL, NORMAL",
    keeps: true,
    async open(directory) {
      const db = new DatabaseSync(join(directory, "entries.sqlite"));
      db.exec(setUp("NORMAL"));
      return storeOver(db);
    },
  };
}

/** The contestant, or why there is none. */
export function findSqlite(): DiskContestant | string {
  const sqlite = process.getBuiltinModule("node:sqlite") as Sqlite | undefined;
  if (sqlite !== undefined) return contestantOf(sqlite);
  return missing;
}
