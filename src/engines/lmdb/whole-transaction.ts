// Whole transaction: what a thread of lmdb commits when the event loop has carried it out.
//
// A worker that is terminated meanwhile carries out half of it. The thread of lmdb, which knows
// nothing of that, goes on to commit, and LMDB commits a child that is still open with its parent:
// half of an operation, and keys that no order counts. So each transaction has one more
// instruction, behind the child: removing a key that is not there. It finds nothing when the child
// has ended, and is refused (MDB_BAD_TXN) as long as it has not; then lmdb aborts the transaction.

import type { NativeRoot } from "./lmdb-module.js";

// No database is called so.
const nobodysKey = Buffer.from("\0end");

/** Resolves when what `carryOut` has done is committed. A throwing one leaves nothing. */
export async function wholeTransaction(root: NativeRoot, carryOut: () => void): Promise<void> {
  // A child of the transaction can be aborted, which costs nothing to speak of.
  const committed: unknown = root.childTransaction(carryOut);
  // Of the same commit, so it has the same end.
  root.remove(nobodysKey).catch(() => {});
  await committed;
}
