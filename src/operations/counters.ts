// Counters: numbers that only rise and are never handed out twice in the life of a store.

import { never, type Transaction } from "../engine/engine.js";
import type { SnapshotRow } from "../engine/snapshot.js";

export function nextCount(transaction: Transaction, name: "token" | "list"): number {
  const row = transaction.counters.get(name);
  const next = row === undefined ? 1 : Number(row.value) + 1;
  transaction.counters.put(name, `${next}`, never);
  return next;
}

/** Raises counters to those of another store whose rows have come here, so that none repeats. */
export function raiseCounters(
  transaction: Transaction,
  { counters }: { readonly counters: readonly SnapshotRow[] },
): void {
  for (const { key, value } of counters) {
    const present = transaction.counters.get(key);
    if (present !== undefined && Number(present.value) >= Number(value)) continue;
    transaction.counters.put(key, value, never);
  }
}
