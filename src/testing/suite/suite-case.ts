// Suite case: one sentence of behaviour and the test that fails when it is broken.
//
// A case gets a fresh, empty store that is closed for it. It uses the public `Kv`, the virtual
// environment and nothing else, so that it runs on every backend and through a wire. Cases that
// need what not every backend has stand in families that name the `Feature`.

import { isKvError, type KvError } from "../../base/errors.js";
import type { Kv } from "../../kv/kv.js";
import type { Expectation, Feature, TestStore } from "../runner.js";
import type { VirtualEnv } from "../virtual-env.js";

export type Serialization = "json" | "string" | "bytes";

/** What a case works with. */
export interface Setting {
  /** A handle on a store that nobody else uses; serialization "json". */
  readonly kv: Kv;
  readonly store: TestStore;
  readonly env: VirtualEnv;
  readonly trackKeys: boolean;
  readonly expect: (actual: unknown, message?: string) => Expectation;
  /** One more fresh store; it is closed after the case. */
  open(serialization: Serialization): Promise<Kv>;
}

export type Case = (setting: Setting) => Promise<void>;

/** Cases of one subject. */
export interface Family {
  readonly title: string;
  readonly needs?: Feature;
  /** Titles of the cases that need "one partition", too. */
  readonly onePartition?: readonly string[];
  /** By title. Titles differ in the whole suite: the feature table refers to them. */
  readonly cases: Readonly<Record<string, Case>>;
}

/** One case for each of many operations, by their names. */
export function casesOf<Operation>(
  operations: Readonly<Record<string, Operation>>,
  title: (name: string) => string,
  makeCase: (operation: Operation) => Case,
): Record<string, Case> {
  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [title(name), makeCase(operation)]),
  );
}

/** The error of a call that has to reject with a `KvError` of that name. */
export async function refusal(call: Promise<unknown>, name: string): Promise<KvError> {
  let error: unknown;
  try {
    await call;
  } catch (thrown) {
    error = thrown;
  }
  if (error === undefined) throw new Error(`expected ${name}, but the call resolved`);
  if (isKvError(error) && error.name === name) return error;
  throw new Error(`expected ${name}, but the call rejected with ${String(error)}`, {
    cause: error,
  });
}

/** The results of `count` calls that were all under way at once. */
export function atOnce<Result>(
  count: number,
  call: (index: number) => Promise<Result>,
): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => call(index)));
}

/** `prefix` and `0`, `1`, ... in as many digits as sort them by number. */
export function numberedKeys(prefix: string, count: number): string[] {
  const digits = String(Math.max(0, count - 1)).length;
  return Array.from(
    { length: count },
    (_, index) => `${prefix}${`${index}`.padStart(digits, "0")}`,
  );
}

/** Entries for `setMany`, each with its position as the value. */
export function numberedEntries(prefix: string, count: number): Record<string, number> {
  return Object.fromEntries(numberedKeys(prefix, count).map((key, index) => [key, index]));
}

/** The keys of all pages, page by page; a cursor that leads nowhere is an error, not a hang. */
export async function keyPages(kv: Kv, limit: number, prefix = ""): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | undefined;
  while (cursor !== "") {
    if (pages.length > 1_000) throw new Error("paging does not come to an end");
    const page = await kv.scanKeys({ prefix, limit, cursor });
    pages.push(page.keys);
    ({ cursor } = page);
  }
  return pages;
}

/** The claim of a call that has to grant one. */
export function granted<Granted>(claim: Granted | null): Granted {
  if (claim === null) throw new Error("expected a claim, got null");
  return claim;
}
