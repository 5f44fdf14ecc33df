// Remote arrays and filters.

import type { Stored } from "../engine/stored.js";
import type * as Request from "../operations/requests.js";
import type { Calls } from "./calls.js";
import type { Argument } from "./connection.js";
import { expiryArgument } from "./expiry-argument.js";
import { pageRowsMax } from "./merge.js";
import { subjectOf } from "./remote-values.js";
import { flagIn, foundIn, listIn, numberIn } from "./replies.js";

export async function push(
  calls: Calls,
  { key, value, end, options }: Request.PushRequest,
): Promise<number> {
  const partition = calls.partitionOf(key);
  const args: Argument[] = [key, end, calls.value(value)];
  if (options !== undefined) args.push(calls.guard(options, partition), expiryArgument(options));
  return numberIn(await calls.call("push", partition, args, subjectOf(key, options)));
}

export async function pop(
  calls: Calls,
  { key, end, check, options }: Request.PopRequest,
): Promise<Stored | undefined> {
  const partition = calls.partitionOf(key);
  const claim = calls.guard(options, partition);
  const argsWith = (trust: string): Argument[] => [key, end, trust, claim];
  const subject = subjectOf(key, options);
  return foundIn(await calls.checked("pop", partition, argsWith, check, subject));
}

export async function length(calls: Calls, key: string): Promise<number> {
  return numberIn(await calls.call("length", calls.partitionOf(key), [key], { key }));
}

/** The lengths of many arrays; 0 as well where there is none, and where the server does not answer. */
export async function lengths(calls: Calls, keys: readonly string[]): Promise<number[]> {
  const found = keys.map(() => 0);
  const looks = calls
    .grouped(keys, (key) => key)
    .flatMap(({ partition, items, places }) =>
      pagesOf(items).map(async (page, number) => {
        const reply = listIn(await calls.call("lengths", partition, page));
        for (const [index, count] of reply.entries()) {
          found[places[number * pageRowsMax + index] as number] = numberIn(count);
        }
      }),
    );
  await Promise.allSettled(looks);
  return found;
}

function pagesOf(items: readonly string[]): string[][] {
  const count = Math.ceil(items.length / pageRowsMax);
  return Array.from({ length: count }, (_, number) =>
    items.slice(number * pageRowsMax, (number + 1) * pageRowsMax),
  );
}

async function byMember(
  calls: Calls,
  operation: "contains_member" | "add_member" | "check_then_add_member" | "delete_member",
  { bucket, item, ttl, options }: Request.MemberRequest,
): Promise<boolean> {
  const partition = calls.partitionOf(bucket);
  const args = [bucket, item, calls.guard(options, partition), ttl ?? ""];
  return flagIn(await calls.call(operation, partition, args, { claim: options?.claim }));
}

export const containsMember = (calls: Calls, request: Request.MemberRequest): Promise<boolean> =>
  byMember(calls, "contains_member", request);
export const addMember = (calls: Calls, request: Request.MemberRequest): Promise<boolean> =>
  byMember(calls, "add_member", request);
export const checkThenAddMember = (
  calls: Calls,
  request: Request.MemberRequest,
): Promise<boolean> => byMember(calls, "check_then_add_member", request);
export const deleteMember = (calls: Calls, request: Request.MemberRequest): Promise<boolean> =>
  byMember(calls, "delete_member", request);

export async function countMembers(
  calls: Calls,
  { bucket }: Request.BucketRequest,
): Promise<number> {
  return numberIn(await calls.call("count_members", calls.partitionOf(bucket), [bucket]));
}

export async function clearMembers(
  calls: Calls,
  { bucket, options }: Request.BucketRequest,
): Promise<void> {
  const partition = calls.partitionOf(bucket);
  const args = [bucket, calls.guard(options, partition)];
  await calls.call("clear_members", partition, args, { claim: options?.claim });
}
