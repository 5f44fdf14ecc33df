// Those families of the suite that a usual run has time for on one more way to a store; the others,
// and keys that are not tracked, run with ANYKV_WIRE=all.

import { type StoreFactory, storeSuite } from "anykv/testing";
import { describe, expect, test } from "vitest";

const usual: ReadonlySet<string> = new Set([
  ...["values", "getMany", "setMany", "deleteMany and deleteByPrefix", "counters"],
  ...["compareAndSwap and setIfAbsent", "pages and cursors", "random keys"],
  ...["claims", "release, completion and renewal", "claimKeys"],
  ...["claimRandomMany, popRandom and popRandomMany", "writes guarded by a claim"],
  ...["arrays", "waiting pops", "filters", "expiry", "reopening", "backups", "restores"],
]);

/** Families of `spared` run nowhere here, and have to run on other ways to such a store. */
export function someFamilies(factory: StoreFactory, spared: readonly string[] = []): void {
  const isComplete = process.env.ANYKV_WIRE === "all";
  const met = new Set<string>();
  const isUsual = (name: string): boolean => {
    met.add(name);
    return name.endsWith("trackKeys: true") || usual.has(name);
  };
  let depth = 0;
  const describeSome = (name: string, body: () => void): void => {
    if (spared.includes(name)) {
      test.skip(`${name}: on other ways to such a store`, () => {});
      return;
    }
    // Families without cases for this backend are not there.
    if (!isComplete && depth < 2 && !isUsual(name)) {
      test.skip(`${name}: ANYKV_WIRE=all`, () => {});
      return;
    }
    const own = depth;
    describe(name, () => {
      depth = own + 1;
      body();
      depth = own;
    });
  };
  storeSuite({ describe: describeSome, expect, test }, factory);
  test(`${factory.name}: the families that are named are those of the suite`, () => {
    expect([...usual].filter((name) => !isComplete && !met.has(name))).toStrictEqual([]);
  });
}
