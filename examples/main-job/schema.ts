// What the job keeps in its store.
//
//   account:<n>          the pool: a record of the data set, there until somebody has completed it
//   result:<n>           written by whoever holds the claim on account:<n>, before completing it
//   job:loaded           how many accounts were ever loaded; written together with them
//   job:finished         there once the job has come to its end: the next one starts afresh
//   completed:<country>  counter of completed accounts
//   finished             queue of completed accounts, waiting for the report
//   report:<country>     counter of accounts that the report has seen
//   filter "completed"   the accounts that are completed
//
// The first four are the truth: an account is completed when it has a result and is no longer in
// the pool. The others follow from it and are made anew when a job that was killed goes on.

import type { Filter, Kv } from "anykv";

export interface Account {
  readonly code: string;
  readonly airport: string;
  readonly city: string;
  readonly country: string;
}

export interface Result {
  readonly country: string;
  readonly user: string;
  readonly token: number;
}

/** An element of the queue; "end" sends the worker that takes it home. */
export type Finished = { readonly account: string; readonly country: string } | "end";

export interface JobSchema {
  readonly "job:loaded": number;
  readonly "job:finished": true;
  readonly finished: Finished[];
  readonly [account: `account:${number}`]: Account;
  readonly [result: `result:${number}`]: Result;
  readonly [completed: `completed:${string}`]: number;
  readonly [report: `report:${string}`]: number;
}

export type AccountKey = `account:${number}`;
export type JobKv = Kv<JobSchema>;
export type CompletedFilter = Filter;

export const poolPrefix = "account:";

export function resultKey(account: string): `result:${number}` {
  return `result:${Number(account.slice(poolPrefix.length))}`;
}

export function accountKey(result: string): AccountKey {
  return `account:${Number(result.slice("result:".length))}`;
}
