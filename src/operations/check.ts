// Check: rows that break what the operations keep true.
//
// 1. A key holds a value or an array, never both.
// 2. A claim stands on a value.
// 3. An array has every element that its row spans, and no other one; every element belongs to an
//    array or to the garbage.
// 4. Tokens and array ids that are in use have been handed out by their counters.
// 5. Every row has the form that its table asks for.
// It reads every row: O(n log n) time, and memory for nothing but what it tells.

import type { KeyedRow, RowProblem, RowReader } from "../engine/row-reader.js";
import type { TableName } from "../engine/tables.js";
import { type ListSpan, parseSpan } from "./list-rows.js";
import { faultOf } from "./row-forms.js";

/** The highest number of each counter that is in use, and the elements that are accounted for. */
interface Used {
  token: number;
  list: number;
  items: number;
}

export function* checkRows(rows: RowReader): Iterable<RowProblem> {
  const used: Used = { token: 0, list: 0, items: 0 };
  yield* checkClaims(rows, used);
  yield* checkLists(rows, used);
  yield* checkGarbage(rows, used);
  yield* checkItems(rows, used);
  yield* each(rows, "members", () => []);
  yield* checkCounters(rows, used);
}

function problem(table: TableName, key: string, what: string): RowProblem {
  return { table, key, what };
}

/** Tells the rows of a wrong form, and what `next` tells of the others. */
function* each(
  rows: RowReader,
  table: TableName,
  next: (row: KeyedRow) => Iterable<RowProblem>,
): Iterable<RowProblem> {
  for (const row of rows.each(table)) {
    const fault = faultOf(table, row);
    if (fault !== undefined) yield problem(table, row.key, fault);
    else yield* next(row);
  }
}

function checkClaims(rows: RowReader, used: Used): Iterable<RowProblem> {
  return each(rows, "claims", function* ({ key, value }) {
    used.token = Math.max(used.token, Number.parseInt(value as string, 10));
    if (!rows.has("values", key)) yield problem("claims", key, "is a claim without a value");
  });
}

function checkLists(rows: RowReader, used: Used): Iterable<RowProblem> {
  return each(rows, "lists", function* ({ key, value }) {
    if (rows.has("values", key)) yield problem("lists", key, "holds a value and an array");
    yield* checkElements(rows, "lists", key, parseSpan(value), used);
  });
}

function checkGarbage(rows: RowReader, used: Used): Iterable<RowProblem> {
  return each(rows, "garbage", ({ key, value }) =>
    checkElements(rows, "garbage", key, parseSpan(`${key} ${value}`), used),
  );
}

function* checkElements(
  rows: RowReader,
  table: TableName,
  key: string,
  { id, head, tail }: ListSpan,
  used: Used,
): Iterable<RowProblem> {
  used.list = Math.max(used.list, id);
  used.items += tail - head;
  let found = 0;
  const prefix = `${id}:`;
  for (const item of rows.each("items", prefix)) {
    if (faultOf("items", item) !== undefined) continue;
    const index = Number(item.key.slice(prefix.length));
    if (index >= head && index < tail) found++;
    else yield problem("items", item.key, "is beyond the ends of its array");
  }
  const missing = tail - head - found;
  if (missing > 0) yield problem(table, key, `lacks ${missing} of its ${tail - head} elements`);
}

// Elements beyond the ends of an array, and missing ones, have been told of. What is left shows in
// the number: elements of no array, or of two.
function* checkItems(rows: RowReader, used: Used): Iterable<RowProblem> {
  let items = 0;
  yield* each(rows, "items", () => {
    items++;
    return [];
  });
  if (items === used.items) return;
  yield problem("items", "", `there are ${items} elements, and arrays span ${used.items}`);
}

function* checkCounters(rows: RowReader, used: Used): Iterable<RowProblem> {
  const counts = new Map<string, number>();
  yield* each(rows, "counters", ({ key, value }) => {
    counts.set(key, Number(value));
    return [];
  });
  for (const name of ["token", "list"] as const) {
    const count = counts.get(name) ?? 0;
    if (count >= used[name]) continue;
    yield problem("counters", name, `stands at ${count}, and ${used[name]} is in use`);
  }
}
