// Awaited sets on the wal backend with `syncWrites: false`: against LevelDB and SQLite, whose writes
// resolve when the system has them, and against the memory backend, which is what the log adds to.
//
// Every sample has a store in a fresh directory: empty, or with the keys already in it, where less is
// spent on the map and the heap, and more of the difference is the log's. What is left to write when
// the last set has resolved is written in the contestant that closes within the time.

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
import {
  atLeast,
  type Contestant,
  type Effort,
  type Outcome,
  ratio,
  type Workload,
} from "../harness/workload.js";

const wal = walContestant("anykv wal", false);
const closing = walContestant("anykv wal, closed", false);

async function writeAll(
  store: DiskStore,
  keys: readonly string[],
  accounts: readonly Account[],
): Promise<void> {
  for (let id = 0; id < keys.length; id++) await store.set(keys[id] as string, accounts[id]);
}

interface Fixture {
  readonly keys: readonly string[];
  /** What is there before, if anything; then each of the others in turn. */
  readonly loaded: readonly Account[] | undefined;
  readonly passes: readonly (readonly Account[])[];
}

function contestantOf(parent: string, contestant: DiskContestant, fixture: Fixture): Contestant {
  const { keys, loaded, passes } = fixture;
  const sample = (): Promise<number> =>
    inFreshDirectory(parent, async (directory) => {
      const store = await contestant.open(directory);
      // A handle on the memory backend opens at once, one on files with its first operation.
      await store.size();
      if (loaded !== undefined) await writeAll(store, keys, loaded);
      const ms = await elapsedMs(async () => {
        for (const accounts of passes) await writeAll(store, keys, accounts);
        if (contestant === closing) await store.close();
      });
      await checkAndClose(contestant, directory, store, passes.at(-1) ?? []);
      return rate(passes.length * keys.length, ms);
    });
  return { name: contestant.name, sample };
}

async function compare(effort: Effort, parent: string, fixture: Fixture): Promise<Outcome> {
  const sqlite = findSqlite();
  const isMissing = typeof sqlite === "string";
  const peers = isMissing ? [level] : [level, sqlite];
  const contestants = [wal, closing, ...peers, memoryContestant].map((contestant) =>
    contestantOf(parent, contestant, fixture),
  );
  const questions = [
    ratio(wal.name, level.name, atLeast(15)),
    ...(isMissing ? [] : [ratio(wal.name, sqlite.name, atLeast(2.5))]),
    ratio(wal.name, memoryContestant.name, atLeast(0.7)),
    ratio(closing.name, wal.name),
  ];
  const plan = { unit: "ops/s", contestants, questions, rounds: 11, warmUps: 2 };
  return { ...(await interleave(effort, plan)), notes: isMissing ? [sqlite] : [] };
}

function accountsOf(count: number, version: number): Account[] {
  return times(count, (id) => account(id, version));
}

export const walSetNew: Workload = {
  name: "wal-set-new",
  title: "set of 100,000 new keys in turn, syncWrites: false, into files",
  run(effort, parent) {
    const count = effort === "quick" ? 100 : 100_000;
    const keys = times(count, accountKey);
    return compare(effort, parent, { keys, loaded: undefined, passes: [accountsOf(count, 0)] });
  },
};

export const walSetExisting: Workload = {
  name: "wal-set-existing",
  title: "set of 5,000 keys that are there, 20 times in turn, syncWrites: false, into files",
  run(effort, parent) {
    const [count, passes] = effort === "quick" ? [50, 2] : [5_000, 20];
    return compare(effort, parent, {
      keys: times(count, accountKey),
      loaded: accountsOf(count, 0),
      passes: times(passes, (pass) => accountsOf(count, pass + 1)),
    });
  },
};
