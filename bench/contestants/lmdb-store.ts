// LMDB, in the two ways in which a put is durable when it resolves: waiting for the sync that
// follows the commit, which others may overlap, and with the sync as a part of the commit.

import { open, type RootDatabase } from "lmdb";
import type { DiskContestant, DiskStore } from "./disk-stores.js";

type Database = RootDatabase<unknown, string>;
type Put = (db: Database, key: string, value: unknown) => Promise<unknown>;

function lmdbContestant(name: string, overlappingSync: boolean, put: Put): DiskContestant {
  const openStore = async (path: string): Promise<DiskStore> => {
    const db: Database = open({ path, encoding: "json", overlappingSync });
    return {
      get: async (key) => db.get(key),
      set: (key, value) => put(db, key, value),
      size: async () => db.getCount(),
      close: () => db.close(),
    };
  };
  return { name, open: openStore, keeps: true };
}

export const lmdbFlushed = lmdbContestant("lmdb, then flushed", true, async (db, key, value) => {
  await db.put(key, value);
  await db.flushed;
});

export const lmdbSynced = lmdbContestant("lmdb, synced commit", false, (db, key, value) => {
  return db.put(key, value);
});
