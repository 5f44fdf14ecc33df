// Calls: how operations reach the library, one partition or several, once or until it is done.
//
// 1. Error replies become typed errors.
// 2. A call that finds more to remove than one call may remove has done nothing else, and is made
//    again until it gets through.
// 3. A value that is handed out for the last time is checked here first: the library answers with
//    what it does not know to be readable, and is called again with the digests of what is.

import { sha1Of } from "../base/encodings.js";
import { InvalidOptionsError } from "../base/errors.js";
import type { Stored } from "../engine/stored.js";
import type { Env } from "../env/env.js";
import type { CheckValue, ClaimRef, Guard } from "../operations/requests.js";
import {
  type Argument,
  type Call,
  type Connection,
  LibraryError,
  type Reply,
} from "./connection.js";
import { isRepeatable, type Operation } from "./operation-table.js";
import { partitionOf } from "./partitions.js";
import { isBehind, isNotOpen, type Subject, typedError } from "./remote-errors.js";
import { contentIn, isList, storedIn, textIn, valueArgument } from "./replies.js";

export type Serialization = "json" | "string" | "bytes";

/** Kinds of values that a store of that serialization can always read. */
const trustedKinds: Readonly<Record<Serialization, string>> = {
  json: "j",
  string: "jt",
  bytes: "jtb",
};

/** Keys of one atomic batch. */
export const batchKeysMax = 10_000;
/** Keys that one call chooses at random, or claims that it ends: what needs not be one step is not. */
export const stepKeysMax = 1_000;

const randomBound = 2 ** 53;
const check = "check";

/** Some of a list, with the places at which they stand in it. */
export interface Group<Item> {
  readonly partition: number;
  readonly items: Item[];
  readonly places: number[];
}

export class Calls {
  readonly env: Env;
  readonly partitions: number;
  readonly #connection: Connection;
  readonly #textKind: "j" | "t";
  readonly #trusted: string;
  readonly #underway = new Set<Promise<unknown>>();
  /** Makes the store again when the server has lost it. */
  reopen: () => Promise<void> = async () => {};
  #reopening: Promise<void> | undefined;

  constructor(connection: Connection, env: Env, serialization: Serialization) {
    this.env = env;
    this.partitions = connection.partitions;
    this.#connection = connection;
    this.#textKind = serialization === "json" ? "j" : "t";
    this.#trusted = trustedKinds[serialization];
  }

  partitionOf(key: string): number {
    return partitionOf(key, this.partitions);
  }

  /** Items by partition, each group in the order of the list. */
  grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): Group<Item>[] {
    if (this.partitions === 1 && items.length > 0) {
      return [{ partition: 0, items: [...items], places: [...items.keys()] }];
    }
    const groups = new Map<number, Group<Item>>();
    for (const [place, item] of items.entries()) {
      const partition = this.partitionOf(keyOf(item));
      let group = groups.get(partition);
      if (group === undefined) {
        group = { partition, items: [], places: [] };
        groups.set(partition, group);
      }
      group.items.push(item);
      group.places.push(place);
    }
    return [...groups.values()];
  }

  /** A value as it travels; its text is of the serialization of the store unless `kind` says more. */
  value(stored: Stored, kind = this.#textKind): Argument {
    return valueArgument(stored, kind);
  }

  randoms(count: number): number[] {
    return Array.from({ length: count }, () => this.env.random.below(randomBound));
  }

  /**
   * What a guarded call of a partition sends for its claim.
   *
   * @throws InvalidOptionsError when the claim lies in another partition, where it could not be
   * checked in the same step.
   */
  guard(options: Guard | undefined, partition: number): string {
    const claim = options?.claim;
    if (claim === undefined) return "";
    if (this.partitionOf(claim.key) !== partition) throw elsewhere(claim);
    return guardArgument(claim);
  }

  /** The guard of a call that concerns all partitions, which is only possible when there is one. */
  guardAll(options: Guard | undefined): string {
    if (options?.claim === undefined) return "";
    if (this.partitions > 1) throw elsewhere(options.claim);
    return guardArgument(options.claim);
  }

  call(
    operation: Operation,
    partition: number,
    args: readonly Argument[],
    subject: Subject = {},
  ): Promise<Reply> {
    const isRead = isRepeatable(operation);
    const call = { operation, partition, args, isRead };
    return this.#connection.call(call).catch((error: unknown) => {
      if (!(error instanceof LibraryError) || isBehind(error)) throw error;
      if (isNotOpen(error)) return this.#again(call, subject);
      throw typedError(error, subject);
    });
  }

  /** After all data of the server have been lost: opens the store anew. */
  async #again(call: Call, subject: Subject): Promise<Reply> {
    this.#reopening ??= this.reopen().finally(() => {
      this.#reopening = undefined;
    });
    await this.#reopening;
    return this.#connection.call(call).catch((error: unknown) => {
      throw error instanceof LibraryError && !isBehind(error) ? typedError(error, subject) : error;
    });
  }

  /** A call that counts by rank: again until nothing is due any more. */
  async ranked(
    operation: Operation,
    partition: number,
    args: readonly Argument[],
    subject?: Subject,
  ): Promise<Reply> {
    while (true) {
      try {
        return await this.call(operation, partition, args, subject);
      } catch (error) {
        if (!isBehind(error)) throw error;
      }
    }
  }

  /** The replies of all partitions, in their order. */
  everywhere(operation: Operation, args: readonly Argument[]): Promise<Reply[]> {
    return settleAll(
      Array.from({ length: this.partitions }, (_, index) => this.ranked(operation, index, args)),
    );
  }

  /** A call that hands values out: `argsWith` puts what is trusted in its place. */
  async checked(
    operation: Operation,
    partition: number,
    argsWith: (trust: string) => readonly Argument[],
    checkValue: CheckValue,
    subject?: Subject,
  ): Promise<Reply> {
    const readable = new Set<string>();
    while (true) {
      const trust = [this.#trusted, ...readable].join(" ");
      const reply = await this.ranked(operation, partition, argsWith(trust), subject);
      const unread = uncheckedIn(reply);
      if (unread === undefined) return reply;
      for (const value of unread) {
        checkValue(storedIn(value));
        readable.add(sha1Of(contentIn(value)));
      }
    }
  }

  /** Work of several calls: closing waits for it. */
  attend<Result>(work: Promise<Result>): Promise<Result> {
    this.#underway.add(work);
    const leave = (): boolean => this.#underway.delete(work);
    work.then(leave, leave);
    return work;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#underway);
    await this.#connection.close();
  }
}

/** Waits for all, then throws the first error, so that nothing is under way afterwards. */
export async function settleAll<Result>(work: readonly Promise<Result>[]): Promise<Result[]> {
  const only = work[0];
  if (work.length === 1 && only !== undefined) return [await only];
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}

/** The values of a reply that asks for a check. */
function uncheckedIn(reply: Reply): Reply[] | undefined {
  if (!isList(reply)) return undefined;
  const [first] = reply;
  const isText = typeof first === "string" || first instanceof Uint8Array;
  if (!isText || first.length !== check.length || textIn(first) !== check) return undefined;
  return reply.filter((_, index) => index > 0 && index % 2 === 0);
}

// An id that does not belong to its token names no claim; no claim has the token 0.
function guardArgument({ id, key, token }: ClaimRef): string {
  return `${tokenOf({ id, key, token })} ${key}`;
}

/** The token that the library is asked for. */
export function tokenOf({ id, token }: ClaimRef): number {
  return id === `claim-${token}` ? token : 0;
}

function elsewhere({ key }: ClaimRef): InvalidOptionsError {
  return new InvalidOptionsError(
    "the claim lies in another partition than what it guards, where it cannot be checked in the same step",
    {
      key,
      hint: 'give both keys the same part in braces ("{job 7}:state", "{job 7}:result"): it decides about the partition',
    },
  );
}
