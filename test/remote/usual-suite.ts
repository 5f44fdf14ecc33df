// How much of the store suite a usual run has time for; ANYKV_REMOTE=all asks for everything.
//
// Tracked and untracked keys are the same calls to a server, so one file runs both and the others run
// tracked ones. Uniformity takes thousands of calls one after the other: a quarter of its cases runs
// in one partition, another one in three.

import { type StoreFactory, storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";

const wantsAll = process.env.ANYKV_REMOTE === "all";

export interface Usual {
  /** Whether untracked keys are among it; default false. */
  readonly untracked?: boolean;
  /** Which cases of uniformity are among it, by how many percent are claimed; default none. */
  readonly uniformAt?: readonly number[];
}

/** Registers the suite, or that part of it. */
export function usualSuite(
  factory: StoreFactory,
  { untracked = false, uniformAt = [] }: Usual,
): void {
  if (wantsAll) {
    storeSuite({ describe, expect, test }, factory);
    return;
  }
  // Bodies run later than they are handed over, so each brings along where it stands.
  let path: readonly string[] = [];
  const isUsual = ([suite = "", family]: readonly string[]): boolean => {
    const isTracked = suite.endsWith("trackKeys: true");
    if (family === "uniformity") return isTracked && uniformAt.length > 0;
    return isTracked || untracked;
  };
  const describeUsual = (name: string, body: () => void): unknown => {
    const own = [...path, name];
    if (!isUsual(own)) return test.skip(`${name}: ANYKV_REMOTE=all`, () => {});
    return describe(name, () => {
      path = own;
      body();
      path = own.slice(0, -1);
    });
  };
  const testUsual = (name: string, body: () => void | Promise<void>, timeoutMs?: number) => {
    const [, percent] = / is uniform when (\d+) % /.exec(name) ?? [];
    const isAsked = percent === undefined || uniformAt.includes(Number(percent));
    return isAsked ? test(name, body, timeoutMs) : test.skip(`${name}: ANYKV_REMOTE=all`, () => {});
  };
  storeSuite({ describe: describeUsual, expect, test: testUsual }, factory);
}
