// Writes to the log: as fast as the buffer takes them, and as fast as the disk does.
//
// `syncWrites: false` against classic-level, SQLite and the memory backend, all of which acknowledge
// before the disk does; `syncWrites: true` against a bare loop and lmdb, which wait for it.

import {
  AppendLoop,
  type DurableStore,
  level,
  lmdb,
  openDurableLmdb,
  openLevel,
  openSqlite,
  openWal,
  sqlite,
  wal,
} from "../contestants/durable-stores.js";
import { type Account, account, accountKey, times } from "../contestants/records.js";
import { openMemory, type PlainStore } from "../contestants/stores.js";
import { expectAnswer } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { withScratch } from "../harness/scratch.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import {
  atLeast,
  type Contestant,
  type Effort,
  type Outcome,
  type Question,
  ratio,
  type Workload,
} from "../harness/workload.js";

const unit = "writes/s";
const memory = "anykv memory";
const keyCount = 5_000;
const keys = times(keyCount, accountKey);

/** `writers` loops of awaited writes at once; between them they write every value once. */
async function write(store: PlainStore, values: readonly Account[], writers: number) {
  let next = 0;
  const writer = async (): Promise<void> => {
    for (let id = next++; id < values.length; id = next++) {
      await store.set(keys[id % keyCount] as string, values[id]);
    }
  };
  await Promise.all(times(writers, writer));
}

/** Every key holds what was written to it last. */
async function check(store: PlainStore, values: readonly Account[]): Promise<void> {
  const last = new Map(values.map((value, id) => [keys[id % keyCount] as string, value]));
  for (const [key, value] of last) expectAnswer(key, value, await store.get(key));
}

function contestant({ name, store }: DurableStore, writes: number, writers: number): Contestant {
  let version = 0;
  const sample = async (): Promise<number> => {
    version++;
    const values = times(writes, (id) => account(id, version));
    const ms = await elapsedMs(() => write(store, values, writers));
    await check(store, values);
    return rate(writes, ms);
  };
  return { name, sample };
}

async function buffered(effort: Effort, directory: string): Promise<Outcome> {
  const writes = effort === "quick" ? 200 : 20_000;
  const kv = openWal(directory);
  const plain = openMemory();
  const peers = [await openLevel(directory), await openSqlite(directory)];
  const stores: DurableStore[] = [
    { name: wal, store: kv, close: () => kv.close() },
    { name: memory, store: plain, close: () => plain.close() },
    ...peers.filter((peer) => peer !== undefined),
  ];
  const names = stores.map(({ name }) => name);
  const asked = [
    ratio(wal, level, atLeast(15)),
    ratio(wal, sqlite, atLeast(2.5)),
    ratio(wal, memory, atLeast(0.7)),
  ];
  const questions = asked.filter(({ to }) => names.includes(to ?? ""));
  const contestants = stores.map((store) => contestant(store, writes, 1));
  const outcome = await interleave(effort, { unit, contestants, questions, rounds: 15 });
  for (const { close } of stores) await close();
  return outcome;
}

export const walSet: Workload = {
  name: "wal-set",
  title: "awaited set of 5,000 keys in turn, syncWrites: false",
  run: (effort) => withScratch((directory) => buffered(effort, directory)),
};

const loop = "append + fdatasync";

/** The bytes that one awaited write of ours adds to the log. */
async function bytesPerWrite(directory: string): Promise<number> {
  const kv = openWal(`${directory}/measured`, { syncWrites: true });
  await kv.set(keys[0] as string, account(0));
  const bytes = (await kv.stats()).disk?.log?.bytes;
  await kv.close();
  if (bytes === undefined) throw new Error("the wal backend reports no log");
  return bytes;
}

async function durable(
  effort: Effort,
  directory: string,
  writers: number,
  questions: readonly Question[],
): Promise<Outcome> {
  const quick = effort === "quick";
  const append = new AppendLoop(directory, await bytesPerWrite(directory));
  const kv = openWal(directory, { syncWrites: true });
  const mdb = openDurableLmdb(directory);
  const appends = quick ? 10 : 300;
  const writes = quick ? 2 * writers : writers === 1 ? appends : 20_000;
  const sample = async () => rate(appends, await elapsedMs(async () => append.run(appends)));
  const ours = { name: wal, store: kv, close: () => kv.close() };
  const contestants = [
    contestant(ours, writes, writers),
    { name: loop, sample },
    contestant(mdb, writers === 1 ? appends : writes, writers),
  ];
  const outcome = await interleave(effort, { unit, contestants, questions, rounds: 15 });
  append.close();
  for (const { close } of [ours, mdb]) await close();
  return outcome;
}

export const walSyncOne: Workload = {
  name: "wal-sync-1",
  title: "awaited set, syncWrites: true, one writer",
  run: (effort) =>
    withScratch((directory) =>
      durable(effort, directory, 1, [ratio(wal, loop, atLeast(0.6)), ratio(wal, lmdb)]),
    ),
};

export const walSyncMany: Workload = {
  name: "wal-sync-64",
  title: "awaited set, syncWrites: true, 64 writers at once",
  run: (effort) =>
    withScratch((directory) =>
      durable(effort, directory, 64, [ratio(wal, loop, atLeast(20)), ratio(wal, lmdb, atLeast(1))]),
    ),
};
