// Awaited sets on the wal backend with `syncWrites: false`: against LevelDB and SQLite, whose writes
// resolve when the system has them, and against the memory backend, which is what the log adds to.
//
// Every sample begins with an empty store in a fresh directory. What is left to write when the last
// set has resolved is written in the contestant that closes within the time.

import {
  checkAndClose,
  type DiskContestant,
  type DiskStore,
  inFreshDirectory,
  memoryContestant,
  walContestant,
} from "../contestants/disk-stores.js";
import { level } from "../contestants/level-store.js";
import { type Account, account, accountKey, times } from "../contestants/records.js";
import { findSqlite } from "../contestants/sqlite-store.js";
import { interleave } from "../harness/interleave.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import { atLeast, type Contestant, ratio, type Workload } from "../harness/workload.js";

const wal = walContestant("anykv wal", false);
const closing = walContestant("anykv wal, closed", false);

async function writeAll(
  store: DiskStore,
  keys: readonly string[],
  accounts: readonly Account[],
): Promise<void> {
  for (let id = 0; id < keys.length; id++) await store.set(keys[id] as string, accounts[id]);
}

function samplerOf(parent: string, keys: readonly string[], accounts: readonly Account[]) {
  return (contestant: DiskContestant): Contestant => ({
    name: contestant.name,
    sample: () =>
      inFreshDirectory(parent, async (directory) => {
        const store = await contestant.open(directory);
        // A handle on the memory backend opens at once, one on files with its first operation.
        await store.size();
        const ms = await elapsedMs(async () => {
          await writeAll(store, keys, accounts);
          if (contestant === closing) await store.close();
        });
        await checkAndClose(contestant, directory, store, accounts);
        return rate(keys.length, ms);
      }),
  });
}

export const walSet: Workload = {
  name: "wal-set",
  title: "set of 100,000 new keys in turn, syncWrites: false, into files",
  async run(effort, parent) {
    const count = effort === "quick" ? 100 : 100_000;
    const accounts = times(count, (id) => account(id));
    const sqlite = findSqlite();
    const peers = typeof sqlite === "string" ? [level] : [level, sqlite];
    const all = [wal, closing, ...peers, memoryContestant];
    const contestants = all.map(samplerOf(parent, times(count, accountKey), accounts));
    const questions = [
      ratio(wal.name, level.name, atLeast(15)),
      ...(typeof sqlite === "string" ? [] : [ratio(wal.name, sqlite.name, atLeast(2.5))]),
      ratio(wal.name, memoryContestant.name, atLeast(0.7)),
      ratio(closing.name, wal.name),
    ];
    const plan = { unit: "ops/s", contestants, questions, rounds: 11, warmUps: 2 };
    const notes = typeof sqlite === "string" ? [sqlite] : [];
    return { ...(await interleave(effort, plan)), notes };
  },
};
