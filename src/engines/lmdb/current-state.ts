// Current state: whether a transaction builds on the last commit of the file.
//
// The lock file says which transaction was the last one. Who opens the file reads that number from
// the file and puts it there a moment later, also when others have committed in between (ITS#9496 of
// LMDB, whose mending the package lmdb does not have): then the next transaction builds on the state
// before those commits and writes over what they have acknowledged.
//
// So every write transaction looks first. If it does not build on the last commit it changes nothing
// and is tried again; whoever has opened the file looks as well and, if it has put the number back,
// opens the file once more, which puts it right.

import type { LastCommit } from "./last-commit.js";
import type { NativeRoot } from "./lmdb-module.js";

/** The transaction, or the snapshot, is not that of the last commit. */
export class OutdatedState extends Error {}

/** In the write transaction of that number: whether it builds on the last commit. */
export function buildsOnLastCommit(transaction: number, lastCommit: LastCommit): boolean {
  return transaction === lastCommit.read() + 1;
}

/**
 * Of an environment that only reads, and that nobody else in this process has open.
 * @throws OutdatedState when new snapshots are older than the last commit
 */
export function requireCurrentReads(root: NativeRoot, lastCommit: LastCommit): void {
  const last = lastCommit.read();
  root.resetReadTxn();
  const reader = root.useReadTransaction();
  try {
    const snapshot = newestSnapshot(root.readerList());
    if (snapshot !== undefined && snapshot < last) throw new OutdatedState();
  } finally {
    reader.done();
  }
}

/** undefined where there is no list: of a file system that is only read, which nobody writes to. */
function newestSnapshot(list: string): number | undefined {
  const own = list.split("\n").map((line) => line.trim().split(/\s+/));
  const snapshots = own
    .filter(([id]) => id === `${process.pid}`)
    .map(([, , snapshot]) => Number(snapshot))
    .filter((snapshot) => !Number.isNaN(snapshot));
  return snapshots.length === 0 ? undefined : Math.max(...snapshots);
}
