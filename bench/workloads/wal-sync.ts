// Awaited sets on the wal backend with `syncWrites: true`: against loops that append the bytes of
// one frame and sync them, and, with 64 writers at once, against durable puts of LMDB.

import { type AppendLoop, awaitedLoop, blockingLoop } from "../contestants/append-loops.js";
import {
  checkAndClose,
  type DiskContestant,
  type DiskStore,
  inFreshDirectory,
  walContestant,
} from "../contestants/disk-stores.js";
import { lmdbFlushed, lmdbSynced } from "../contestants/lmdb-store.js";
import { type Account, account, accountKey, times } from "../contestants/records.js";
import { openWal } from "../contestants/stores.js";
import { expectAnswer, wrong } from "../harness/answers.js";
import { interleave } from "../harness/interleave.js";
import { elapsedMs, rate } from "../harness/stopwatch.js";
import { atLeast, type Contestant, ratio, type Workload } from "../harness/workload.js";

const alone = walContestant("anykv wal, 1 writer", true);
const together = walContestant("anykv wal, 64 writers", true);
const writersTogether = 64;
const unit = "writes/s";

/** One of so many writers: takes every so manieth account. */
async function writer(
  store: DiskStore,
  accounts: readonly Account[],
  first: number,
  writers: number,
): Promise<void> {
  for (let id = first; id < accounts.length; id += writers) {
    await store.set(accountKey(id), accounts[id]);
  }
}

function storeContestant(
  parent: string,
  contestant: DiskContestant,
  accounts: readonly Account[],
  writers: number,
): Contestant {
  const sample = (): Promise<number> =>
    inFreshDirectory(parent, async (directory) => {
      const store = await contestant.open(directory);
      await store.size();
      const ms = await elapsedMs(async () => {
        await Promise.all(times(writers, (first) => writer(store, accounts, first, writers)));
      });
      await checkAndClose(contestant, directory, store, accounts);
      return rate(accounts.length, ms);
    });
  return { name: contestant.name, sample };
}

function loopContestant(
  parent: string,
  loop: AppendLoop,
  frame: Uint8Array,
  writes: number,
): Contestant {
  const sample = (): Promise<number> =>
    inFreshDirectory(parent, async (directory) =>
      rate(writes, await loop.run(directory, frame, writes)),
    );
  return { name: loop.name, sample };
}

/**
 * Bytes as many as a lone writer's frame has. On the way: every write must have been synced by
 * itself, and be on the disk when it resolves.
 */
function frameOf(parent: string, accounts: readonly Account[]): Promise<Uint8Array> {
  return inFreshDirectory(parent, async (directory) => {
    const kv = openWal(directory, { syncWrites: true });
    const before = (await kv.stats()).disk?.log;
    await writer(kv, accounts, 0, 1);
    const after = (await kv.stats()).disk?.log;
    await kv.close();
    if (before === undefined || after === undefined) wrong("stats().disk.log", "there", undefined);
    const { frames, bytes, syncs, appended, durable } = after;
    expectAnswer("durable records", appended, durable);
    expectAnswer("syncs", accounts.length, syncs - before.syncs);
    const frameBytes = (bytes - before.bytes) / (frames - before.frames);
    return new Uint8Array(Math.round(frameBytes)).fill(0x61);
  });
}

const loops = [blockingLoop, awaitedLoop] as const;

export const walSyncAlone: Workload = {
  name: "wal-sync",
  title: "set of 1,000 keys in turn, syncWrites: true, against append + fdatasync of as many bytes",
  async run(effort, parent) {
    const accounts = times(effort === "quick" ? 20 : 1_000, (id) => account(id));
    const frame = await frameOf(parent, accounts);
    const contestants = [
      storeContestant(parent, alone, accounts, 1),
      ...loops.map((loop) => loopContestant(parent, loop, frame, accounts.length)),
    ];
    const questions = loops.map((loop) => ratio(alone.name, loop.name, atLeast(0.6)));
    return interleave(effort, { unit, contestants, questions, rounds: 21, warmUps: 2 });
  },
};

export const walSyncTogether: Workload = {
  name: "wal-sync-64",
  title: "64 writers that set 300 keys each, syncWrites: true, against append + fdatasync and lmdb",
  async run(effort, parent) {
    const perWriter = effort === "quick" ? 2 : 300;
    const writes = effort === "quick" ? 20 : 1_000;
    const accounts = times(writersTogether * perWriter, (id) => account(id));
    const frame = await frameOf(parent, accounts.slice(0, writes));
    const peers = [lmdbFlushed, lmdbSynced];
    const contestants = [
      ...[together, ...peers].map((contestant) =>
        storeContestant(parent, contestant, accounts, writersTogether),
      ),
      ...loops.map((loop) => loopContestant(parent, loop, frame, writes)),
    ];
    const questions = [
      ...loops.map((loop) => ratio(together.name, loop.name, atLeast(20))),
      ...peers.map((peer) => ratio(together.name, peer.name, atLeast(1))),
    ];
    return interleave(effort, { unit, contestants, questions, rounds: 21, warmUps: 2 });
  },
};
