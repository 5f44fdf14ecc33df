// Counters: numbers that only rise and are never handed out twice in the life of a store.

import { never, type Transaction } from "../engine/engine.js";

export function nextCount(transaction: Transaction, name: "token" | "list"): number {
  const row = transaction.counters.get(name);
  const next = row === undefined ? 1 : Number(row.value) + 1;
  transaction.counters.put(name, `${next}`, never);
  return next;
}
