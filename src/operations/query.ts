// Queries: values in key order, counts and samples. All of them run on reaped tables, so that
// ranks count live values only.

import type { ReadTable, View } from "../engine/engine.js";
import { lengthOf } from "../engine/stored.js";
import { garbageItems } from "./list-rows.js";
import type { Entry, ListKeysRequest, SampleRequest, ScanRequest } from "./requests.js";

export interface KeyPage {
  readonly keys: string[];
  /** Whether no further key of the prefix exists. */
  readonly done: boolean;
}

export interface EntryPage {
  readonly entries: Entry[];
  readonly done: boolean;
}

/** Keys of a table in their order, with the rank of each in O(log n). */
export function pageOf(table: ReadTable, request: ScanRequest): KeyPage {
  const { after, limit } = request;
  const { start, end } = table.prefixRange(request.prefix);
  const from = after === "" ? start : table.rank(after) + (table.has(after) ? 1 : 0);
  const first = Math.max(start, from);
  const last = limit > 0 ? Math.min(end, first + limit) : end;
  return { keys: first < last ? table.slice(first, last) : [], done: last >= end };
}

export function scanKeys(view: View, request: ScanRequest): KeyPage {
  return pageOf(view.values, request);
}

export function scan(view: View, request: ScanRequest): EntryPage {
  const { keys, done } = pageOf(view.values, request);
  const { bytesMax = Infinity } = request;
  const entries: Entry[] = [];
  let bytes = 0;
  for (const key of keys) {
    const entry = entryOf(view, key);
    entries.push(entry);
    bytes += lengthOf(entry.value);
    if (bytes >= bytesMax) break;
  }
  return { entries, done: done && entries.length === keys.length };
}

function entryOf(view: View, key: string): Entry {
  const row = view.values.get(key);
  if (row === undefined) throw new Error(`the index names a key that has no value`);
  return { key, value: row.value };
}

export function count(view: View, prefix: string): number {
  const { start, end } = view.values.prefixRange(prefix);
  return end - start;
}

/** Names of arrays in key order. */
export function listArrays(view: View, request: ListKeysRequest): string[] {
  return pageOf(view.lists, { ...request, after: "" }).keys;
}

/** Up to `count` keys of the prefix, uniformly chosen, with or without repetition. */
export function randomKeys(view: View, request: SampleRequest): string[] {
  const { start, end } = view.values.prefixRange(request.prefix);
  const matches = end - start;
  if (matches === 0) return [];
  const ranks = request.unique
    ? distinctBelow(view, matches, Math.min(request.count, matches))
    : Array.from({ length: request.count }, () => view.random.below(matches));
  return ranks.map((rank) => view.values.select(start + rank) as string);
}

// A partial Fisher-Yates shuffle of 0..bound-1 that remembers only the places it has touched:
// distinct, uniform, in random order, O(count) whatever the bound.
export function distinctBelow(view: View, bound: number, count: number): number[] {
  const moved = new Map<number, number>();
  const chosen: number[] = [];
  for (let place = 0; place < count; place++) {
    const other = place + view.random.below(bound - place);
    chosen.push(moved.get(other) ?? other);
    moved.set(other, moved.get(place) ?? place);
  }
  return chosen;
}

/** What backup and restore count: values, elements of arrays and items of filters. */
export function countEntries(view: View): number {
  return view.values.size + view.items.size - garbageItems(view) + view.members.size;
}
