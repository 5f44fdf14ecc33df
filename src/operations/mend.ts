// Mend: makes rows fit together again of which some were lost.
//
// What it restores are the invariants of the tables (see engine/tables.ts) and of arrays and claims:
// 1. A key holds a value or an array: the one that is known from later stays, a value on a draw.
// 2. A claim stands on a value.
// 3. Every element that an array's row spans is there, and every element belongs to an array or
//    to the garbage. Arrays close up over elements that were lost.
// 4. Every row has the form that its table asks for.
// 5. Tokens and array ids that were handed out in what was lost are not handed out again: the
//    counters leap ahead by more than any loss can hold.
// It runs on a store that nobody has open, and reads every row: O(n log n).

import { never, type Transaction } from "../engine/engine.js";
import { itemKey } from "../engine/item-keys.js";
import { type TableName, tableNames } from "../engine/tables.js";
import { type ListSpan, parseSpan } from "./list-rows.js";
import { faultOf } from "./row-forms.js";

export interface MendedRows {
  readonly what: string;
  readonly rows: number;
}

/** How many losses came before what is known of a row. */
export type GenerationOf = (table: TableName, key: string) => number;

/** More numbers than a log that fits on a disk can hand out; the result is easy to recognize. */
const countersLeap = 1_000_000_000;

/** @returns what was changed; counters are not among it */
export function mendRows(transaction: Transaction, generationOf: GenerationOf): MendedRows[] {
  const mended = [
    { what: "rows that are none", rows: dropMalformed(transaction) },
    { what: "keys with a value and an array", rows: separateKeys(transaction, generationOf) },
    { what: "claims without a value", rows: dropBareClaims(transaction) },
    { what: "arrays under removal", rows: dropGarbageLists(transaction) },
    { what: "lost elements of arrays", rows: closeLists(transaction) },
    { what: "elements without an array", rows: dropLooseItems(transaction) },
  ];
  leapCounters(transaction);
  return mended.filter(({ rows }) => rows > 0);
}

function keysOf(transaction: Transaction, table: TableName): string[] {
  return transaction[table].slice(0, transaction[table].size);
}

function dropMalformed(transaction: Transaction): number {
  let dropped = 0;
  for (const table of tableNames) {
    for (const key of keysOf(transaction, table)) {
      const row = transaction[table].get(key);
      if (row === undefined || faultOf(table, { key, ...row }) === undefined) continue;
      transaction[table].delete(key);
      dropped++;
    }
  }
  return dropped;
}

function separateKeys(transaction: Transaction, generationOf: GenerationOf): number {
  const both = keysOf(transaction, "lists").filter((key) => transaction.values.has(key));
  for (const key of both) {
    if (generationOf("lists", key) > generationOf("values", key)) transaction.values.delete(key);
    else transaction.lists.delete(key);
  }
  return both.length;
}

function dropBareClaims(transaction: Transaction): number {
  const bare = keysOf(transaction, "claims").filter((key) => !transaction.values.has(key));
  for (const key of bare) transaction.claims.delete(key);
  return bare.length;
}

// An id in the garbage is never in use again: whatever still names it is older.
function dropGarbageLists(transaction: Transaction): number {
  const dropped = keysOf(transaction, "lists").filter((key) =>
    transaction.garbage.has(`${spanOf(transaction, key).id}`),
  );
  for (const key of dropped) transaction.lists.delete(key);
  return dropped.length;
}

function spanOf(transaction: Transaction, key: string): ListSpan {
  return parseSpan(transaction.lists.get(key)?.value ?? "");
}

function closeLists(transaction: Transaction): number {
  const present = indexesById(transaction);
  let lost = 0;
  for (const key of keysOf(transaction, "lists")) {
    const span = spanOf(transaction, key);
    const indexes = (present.get(span.id) ?? []).filter(
      (index) => index >= span.head && index < span.tail,
    );
    const missing = span.tail - span.head - indexes.length;
    if (missing > 0) closeList(transaction, key, span, indexes);
    lost += missing;
  }
  return lost;
}

/** The indexes of the elements that are there, ascending, by the id of their array. */
function indexesById(transaction: Transaction): Map<number, number[]> {
  const indexes = new Map<number, number[]>();
  for (const key of keysOf(transaction, "items")) {
    const [id = 0, index = 0] = key.split(":").map(Number);
    const found = indexes.get(id);
    if (found === undefined) indexes.set(id, [index]);
    else found.push(index);
  }
  for (const found of indexes.values()) found.sort((a, b) => a - b);
  return indexes;
}

function closeList(
  transaction: Transaction,
  key: string,
  { id, head }: ListSpan,
  indexes: readonly number[],
): void {
  const deadline = transaction.lists.get(key)?.deadline ?? never;
  let next = head;
  for (const index of indexes) {
    const item = transaction.items.get(itemKey(id, index));
    if (item !== undefined && index !== next) {
      transaction.items.put(itemKey(id, next), item.value, item.deadline);
      transaction.items.delete(itemKey(id, index));
    }
    next++;
  }
  if (next === head) transaction.lists.delete(key);
  else transaction.lists.put(key, `${id} ${head} ${next}`, deadline);
}

function dropLooseItems(transaction: Transaction): number {
  const spans = new Map<number, ListSpan>();
  for (const key of keysOf(transaction, "lists")) {
    const span = spanOf(transaction, key);
    spans.set(span.id, span);
  }
  for (const id of keysOf(transaction, "garbage")) {
    const [head = 0, tail = 0] = `${transaction.garbage.get(id)?.value}`.split(" ").map(Number);
    spans.set(Number(id), { id: Number(id), head, tail });
  }
  const loose = keysOf(transaction, "items").filter((key) => {
    const [id = 0, index = 0] = key.split(":").map(Number);
    const span = spans.get(id);
    return span === undefined || index < span.head || index >= span.tail;
  });
  for (const key of loose) transaction.items.delete(key);
  return loose.length;
}

function leapCounters(transaction: Transaction): void {
  const tokens = keysOf(transaction, "claims").map((key) =>
    Number.parseInt(`${transaction.claims.get(key)?.value}`, 10),
  );
  const ids = [
    ...keysOf(transaction, "lists").map((key) => spanOf(transaction, key).id),
    ...keysOf(transaction, "garbage").map(Number),
  ];
  leap(transaction, "token", tokens);
  leap(transaction, "list", ids);
}

function leap(transaction: Transaction, name: string, used: readonly number[]): void {
  let highest = Number(transaction.counters.get(name)?.value ?? 0);
  for (const number of used) highest = Math.max(highest, number);
  transaction.counters.put(name, `${highest + countersLeap}`, never);
}
