// Members: membership filters, each an exact set of items under the name of a bucket.
//
//   members  "<length of bucket>:<bucket><item>"  ->  "", deadline: expiry
//
// The length keeps buckets apart whatever characters they and their items contain.

import { never, type Transaction, type View } from "../engine/engine.js";
import { requireClaim } from "./claim-rows.js";
import { isLive } from "./live.js";
import type { BucketRequest, MemberRequest } from "./requests.js";

export function bucketPrefix(bucket: string): string {
  return `${bucket.length}:${bucket}`;
}

export function memberKey(member: Pick<MemberRequest, "bucket" | "item">): string {
  return bucketPrefix(member.bucket) + member.item;
}

/** The bucket and the item that `memberKey` was made of. */
export function parseMember(key: string): { bucket: string; item: string } {
  const start = key.indexOf(":") + 1;
  const end = start + Number(key.slice(0, start - 1));
  return { bucket: key.slice(start, end), item: key.slice(end) };
}

function guard(transaction: Transaction, request: MemberRequest): void {
  if (request.options?.claim !== undefined) requireClaim(transaction, request.options.claim);
}

export function containsMember(view: View, request: MemberRequest): boolean {
  const row = view.members.get(memberKey(request));
  return row !== undefined && isLive(view, row);
}

/** Adds an item, or gives it a new expiry; true when it was not there before. */
export function addMember(transaction: Transaction, request: MemberRequest): boolean {
  guard(transaction, request);
  const added = !containsMember(transaction, request);
  const deadline = request.ttl === undefined ? never : transaction.now + request.ttl;
  transaction.members.put(memberKey(request), "", deadline);
  return added;
}

/** Tells whether the item was there, and adds it when it was not. */
export function checkThenAddMember(transaction: Transaction, request: MemberRequest): boolean {
  guard(transaction, request);
  if (containsMember(transaction, request)) return true;
  const deadline = request.ttl === undefined ? never : transaction.now + request.ttl;
  transaction.members.put(memberKey(request), "", deadline);
  return false;
}

/** Removes an item; false when it was not there. */
export function deleteMember(transaction: Transaction, request: MemberRequest): boolean {
  guard(transaction, request);
  const present = containsMember(transaction, request);
  transaction.members.delete(memberKey(request));
  return present;
}

/** Number of items of a bucket. Needs exact counts: run it on reaped tables. */
export function countMembers(view: View, request: BucketRequest): number {
  const { start, end } = view.members.prefixRange(bucketPrefix(request.bucket));
  return end - start;
}

/** Removes up to `limit` items of a bucket; false when none is left. */
export function clearMembers(
  transaction: Transaction,
  request: BucketRequest & { readonly limit: number },
): boolean {
  if (request.options?.claim !== undefined) requireClaim(transaction, request.options.claim);
  const { start, end } = transaction.members.prefixRange(bucketPrefix(request.bucket));
  const last = Math.min(end, start + request.limit);
  for (const key of transaction.members.slice(start, last)) transaction.members.delete(key);
  return last < end;
}
