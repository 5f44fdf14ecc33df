// How much of the store suite a usual run has time for; ANYKV_REMOTE=all asks for everything.
//
// Tracked and untracked keys are the same calls to a server, so one file runs both and the others run
// tracked ones. Uniformity takes thousands of calls one after the other: all of its cases run in one
// partition, half of them in several, which have the shares of the partitions beside it.

import { type StoreFactory, storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";

const wantsAll = process.env.ANYKV_REMOTE === "all";

export interface Usual {
  /** Whether untracked keys are among it; default false. */
  readonly untracked?: boolean;
  /** How many cases of uniformity are among it; default none. */
  readonly uniformity?: "none" | "half" | "all";
}

/** Registers the suite, or that part of it. */
export function usualSuite(
  factory: StoreFactory,
  { untracked = false, uniformity = "none" }: Usual,
): void {
  if (wantsAll) {
    storeSuite({ describe, expect, test }, factory);
    return;
  }
  // Bodies run later than they are handed over, so each brings along where it stands.
  let path: readonly string[] = [];
  const isUsual = ([suite = "", family]: readonly string[]): boolean => {
    const isTracked = suite.endsWith("trackKeys: true");
    if (family === "uniformity") return isTracked && uniformity !== "none";
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
    const isLeftOut = uniformity === "half" && / is uniform when (0|90) % /.test(name);
    return isLeftOut
      ? test.skip(`${name}: ANYKV_REMOTE=all`, () => {})
      : test(name, body, timeoutMs);
  };
  storeSuite({ describe: describeUsual, expect, test: testUsual }, factory);
}
