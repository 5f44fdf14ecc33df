// Items: a filter as a whole, that is, all items of a bucket (members.ts has them one by one).
//
// Whoever counts or chooses items does so on reaped tables; the others look past what has expired.

import type { RankRange, Row, Transaction, View } from "../engine/engine.js";
import { isLive } from "./live.js";
import { bucketPrefix, memberKey, parseMember } from "./members.js";

/** The row of the first item that is live; undefined when the filter is empty. O(log n). */
export function firstItem(view: View, bucket: string): Row | undefined {
  const { members } = view;
  if (members.size === 0) return undefined;
  const { start, end } = members.prefixRange(bucketPrefix(bucket));
  for (let rank = start; rank < end; rank++) {
    const row = members.get(members.select(rank) as string);
    if (row !== undefined && isLive(view, row)) return row;
  }
  return undefined;
}

/** The ranks of the items among the rows of all filters. */
export function itemRange(view: View, bucket: string): RankRange {
  if (view.members.size === 0) return { start: 0, end: 0 };
  return view.members.prefixRange(bucketPrefix(bucket));
}

/** Items by rank within their bucket, `end` excluded. */
export function itemsBetween(view: View, bucket: string, first: number, end: number): string[] {
  const range = itemRange(view, bucket);
  const last = Math.min(range.end, range.start + end);
  const head = bucketPrefix(bucket).length;
  if (range.start + first >= last) return [];
  return view.members.slice(range.start + first, last).map((key) => key.slice(head));
}

export function itemAt(view: View, bucket: string, rank: number): string {
  const key = view.members.select(itemRange(view, bucket).start + rank) as string;
  return key.slice(bucketPrefix(bucket).length);
}

/** The rank within the bucket of the first item behind `item`, whether or not that is there. */
export function rankBehind(view: View, bucket: string, item: string): number {
  const key = memberKey({ bucket, item });
  const { members } = view;
  return members.rank(key) + (members.has(key) ? 1 : 0) - itemRange(view, bucket).start;
}

export function hasItem(view: View, bucket: string, item: string): boolean {
  if (view.members.size === 0) return false;
  const row = view.members.get(memberKey({ bucket, item }));
  return row !== undefined && isLive(view, row);
}

/** Adds an item with the deadline of its filter, and leaves one that is there as it is. */
export function insertItem(
  transaction: Transaction,
  bucket: string,
  item: string,
  deadline: number,
): boolean {
  const key = memberKey({ bucket, item });
  const row = transaction.members.get(key);
  if (row !== undefined && isLive(transaction, row)) return false;
  transaction.members.put(key, "", deadline);
  return true;
}

/** Removes an item; whether it was there. */
export function removeItem(transaction: Transaction, bucket: string, item: string): boolean {
  if (transaction.members.size === 0) return false;
  const key = memberKey({ bucket, item });
  const row = transaction.members.get(key);
  if (row === undefined) return false;
  const found = isLive(transaction, row);
  transaction.members.delete(key);
  return found;
}

function keysIn(view: View, bucket: string): string[] {
  const { start, end } = itemRange(view, bucket);
  return start === end ? [] : view.members.slice(start, end);
}

export function dropItems(transaction: Transaction, bucket: string): void {
  for (const key of keysIn(transaction, bucket)) transaction.members.delete(key);
}

export function putItemsDeadline(transaction: Transaction, bucket: string, deadline: number): void {
  for (const key of keysIn(transaction, bucket)) {
    const row = transaction.members.get(key);
    if (row !== undefined && isLive(transaction, row)) transaction.members.put(key, "", deadline);
  }
}

export function copyItems(transaction: Transaction, from: string, to: string): void {
  const head = bucketPrefix(from).length;
  for (const key of keysIn(transaction, from)) {
    const row = transaction.members.get(key);
    if (row === undefined || !isLive(transaction, row)) continue;
    const { deadline } = row;
    transaction.members.put(memberKey({ bucket: to, item: key.slice(head) }), "", deadline);
  }
}

export function moveItems(transaction: Transaction, from: string, to: string): void {
  copyItems(transaction, from, to);
  dropItems(transaction, from);
}

/**
 * The names of filters in the order in which they lie, from the first one behind `after` on. On
 * reaped tables. O(log n) for each.
 */
export function* bucketsAfter(view: View, after: string | undefined): Iterable<string> {
  const { members } = view;
  let rank = after === undefined ? 0 : itemRange(view, after).end;
  while (rank < members.size) {
    const { bucket } = parseMember(members.select(rank) as string);
    yield bucket;
    rank = itemRange(view, bucket).end;
  }
}
