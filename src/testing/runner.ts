// Runner: what the suites need of a test framework, and of a store under test.
//
// The suites import no framework. Whoever runs them hands in `describe`, `test` and `expect`; those
// of vitest fit as they are. Hooks are not asked for: a test opens its store with `withStore`, which
// closes it whatever happens.

import type { Kv } from "../kv/kv.js";
import type { Spread } from "./model-state.js";
import { holdScratch } from "./scratch-directory.js";
import type { VirtualEnv } from "./virtual-env.js";

/** What follows `expect(...).`; `Result` is `Promise<void>` behind `rejects` and `resolves`. */
export interface Matchers<Result = void> {
  toBe(expected: unknown): Result;
  toEqual(expected: unknown): Result;
  toStrictEqual(expected: unknown): Result;
  toMatchObject(expected: object): Result;
  toBeDefined(): Result;
  toBeUndefined(): Result;
  toBeNull(): Result;
  toBeInstanceOf(expected: abstract new (...args: never[]) => unknown): Result;
  toBeGreaterThan(expected: number): Result;
  toBeGreaterThanOrEqual(expected: number): Result;
  toBeLessThan(expected: number): Result;
  toBeLessThanOrEqual(expected: number): Result;
  toContain(expected: unknown): Result;
  toHaveLength(expected: number): Result;
  toHaveProperty(path: string | string[], value?: unknown): Result;
  toMatch(expected: string | RegExp): Result;
  toThrow(expected?: string | RegExp): Result;
}

export interface Expectation extends Matchers {
  readonly not: Matchers;
  readonly rejects: Matchers<Promise<void>>;
  readonly resolves: Matchers<Promise<void>>;
}

/** The parts of a test framework that the suites use. */
export interface Runner {
  describe(name: string, body: () => void): unknown;
  /** `timeoutMs` stands for the framework's own time-out where it is longer. */
  test(name: string, body: () => void | Promise<void>, timeoutMs?: number): unknown;
  expect(actual: unknown, message?: string): Expectation;
}

/**
 * What a backend may lack, so that some tests make no sense on it:
 *
 * - "virtual clock": deadlines follow the clock of the Env that `create` was given, and background
 *   work its timers. Missing where another process keeps the time.
 * - "seeded random": random choices follow the Env too, so that a run can be repeated.
 * - "reopen": data outlives the last handle.
 * - "opening": `openKv` returns before the store is open, so that handles have an opening state.
 * - "shared by processes": several processes may have the same store open.
 * - "bytes": the serialization "bytes".
 * - "snapshots": a backup is of one instant whatever is written meanwhile.
 * - "one partition": one step may concern any keys: batches are atomic, a claim guards writes to any
 *   key, and tokens rise by one over all keys.
 */
export type Feature =
  | "virtual clock"
  | "seeded random"
  | "reopen"
  | "opening"
  | "shared by processes"
  | "bytes"
  | "snapshots"
  | "one partition";

export interface CreateOptions {
  readonly env: VirtualEnv;
  readonly serialization?: "json" | "string" | "bytes";
  readonly trackKeys?: boolean;
}

/** One store that a test has to itself. */
export interface TestStore {
  readonly kv: Kv;
  /** A further handle on the same store, while it is open. */
  second(): Kv;
  /** Closes every handle and opens the same data again; absent without the feature "reopen". */
  reopen?(): Promise<Kv>;
  /** Closes every handle that this object has given out, and removes what lies on disk. */
  close(): Promise<void>;
}

/** A store whose opening waits for a word from the test. */
export interface OpeningStore {
  readonly kv: Kv;
  /** Lets the opening come to its end, well or with an error; only the first call counts. */
  proceed(error?: Error): void;
  close(): Promise<void>;
}

export interface StoreFactory {
  /** Stands in the titles of the tests. */
  readonly name: string;
  /** A fresh, empty store under a name that nothing else uses. */
  create(options: CreateOptions): Promise<TestStore> | TestStore;
  /** Required with the feature "opening". */
  createOpening?(options: CreateOptions): OpeningStore;
  /** How keys are spread where the feature "one partition" is missing. */
  readonly spread?: Spread;
  /** Features that are missing here, each with the reason, as a sentence. */
  readonly gaps?: Partial<Record<Feature, string>>;
}

/**
 * Registers tests that need a feature. Where it is missing, one test says so with its reason, so
 * that what is not tested can be read in every report.
 */
export function whereFeature(
  runner: Runner,
  factory: StoreFactory,
  feature: Feature,
  register: () => void,
): void {
  const reason = factory.gaps?.[feature];
  if (reason === undefined) register();
  else
    runner.test(`gap: no ${feature}, because ${reason}`, () => runner.expect(reason).not.toBe(""));
}

/** Runs a test on a store of its own, and closes it whether or not the test passes. */
export async function withStore(
  factory: StoreFactory,
  options: CreateOptions,
  body: (kv: Kv, store: TestStore) => void | Promise<void>,
): Promise<void> {
  const store = await factory.create(options);
  const letGo = holdScratch();
  try {
    await body(store.kv, store);
  } finally {
    await store.close();
    letGo();
  }
}
