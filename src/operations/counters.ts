// Counters: numbers that only rise and are never handed out twice in the life of a store.

import { never, type Transaction } from "../engine/engine.js";
import type { SnapshotRow } from "../engine/snapshot.js";
import { touchAllArrays } from "./array-editions.js";

/** The next number, and above a bound that somebody knows to be needed. */
export function nextCount(transaction: Transaction, name: "token" | "list", bound = 0): number {
  const row = transaction.counters.get(name);
  const last = row === undefined ? 0 : Number(row.value);
  const next = Math.max(last, bound) + 1;
  transaction.counters.put(name, `${next}`, never);
  return next;
}

/**
 * Inside the transaction in which the rows of another store have come here: raises counters to those of
 * that store, so that none repeats.
 */
export function raiseCounters(
  transaction: Transaction,
  { counters }: { readonly counters: readonly SnapshotRow[] },
): void {
  touchAllArrays();
  for (const { key, value } of counters) {
    const present = transaction.counters.get(key);
    if (present !== undefined && Number(present.value) >= Number(value)) continue;
    transaction.counters.put(key, value, never);
  }
}
