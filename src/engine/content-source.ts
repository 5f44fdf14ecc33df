// Content source: where a whole new content of a store comes from, row by row.
//
// What an engine that replaces its content promises
// 1. Everybody sees the present content until the new one takes its place as a whole, claims
//    included. If anything fails before, the present one stays, also across a crash.
// 2. Counters are not replaced: numbers that were given out are never given out again. What they
//    become is up to the operation that runs at the end, in the same transaction.
// 3. An engine of one process refuses writes from the first row on: they would be lost without
//    anybody having been told. Reads go on.

import type { SnapshotRow } from "./snapshot.js";

export interface ContentSource {
  /**
   * Some rows, possibly none, of any table but `counters`, and no key twice; undefined at the end.
   * What it throws ends the replacement.
   */
  next(): readonly SnapshotRow[] | undefined;
  /**
   * Called after each piece by engines that others can use meanwhile; resolves when it is time to go
   * on. What it throws ends the replacement.
   */
  pause(): Promise<void>;
}
