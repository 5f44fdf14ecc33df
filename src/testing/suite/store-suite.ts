// Store suite: every documented behaviour of a store, one test each, with keys tracked and not.
//
// An engine's test file is a factory and this call. What a backend lacks is named by the factory's
// gaps and shows up as a test of its own, so that nothing is left out silently.

import type { Kv } from "../../kv/kv.js";
import {
  type Runner,
  type StoreFactory,
  type TestStore,
  whereFeature,
  withStore,
} from "../runner.js";
import { virtualEnv } from "../virtual-env.js";
import { arrayFamily, typeFamily } from "./arrays.js";
import { backupFamily, snapshotFamily } from "./backups.js";
import { deleteManyFamily, getManyFamily, setManyFamily } from "./batches.js";
import { allocationFamily, claimKeysFamily, claimListFamily } from "./claim-batches.js";
import { claimFamily, endOfClaimFamily } from "./claims.js";
import { claimsAndTheRestFamily } from "./claims-and-the-rest.js";
import { compareAndDeleteFamily, compareAndSwapFamily, detailedFamily } from "./comparisons.js";
import { compressedBytesFamily, compressedFamily } from "./compressed.js";
import { counterFamily } from "./counters.js";
import { exchangeFamily } from "./exchanges.js";
import { expiryFamily } from "./expiry.js";
import { bytesFileFamily, csvFamily, jsonlFamily } from "./files.js";
import { filterFamily } from "./filters.js";
import { guardFamily, guardTimeFamily } from "./guards.js";
import { handleFamily, reopenFamily } from "./handles.js";
import { deletionFamily, keyFamily } from "./keys.js";
import { cursorReopenFamily, pageFamily } from "./pages.js";
import { orderFamily } from "./queries.js";
import { randomFamily } from "./random.js";
import { reapingFamily } from "./reaping.js";
import { rebirthFamily } from "./rebirth.js";
import { restoreFamily, restoreTimeFamily } from "./restores.js";
import { bytesModeFamily, stringModeFamily } from "./serializations.js";
import { statsFamily, statsTimeFamily } from "./stats.js";
import type { Case, Family, Serialization } from "./suite-case.js";
import { uniformityFamily } from "./uniformity.js";
import { valueFamily } from "./values.js";
import {
  vanishingArrayFamily,
  vanishingClaimFamily,
  vanishingItemFamily,
  vanishingValueFamily,
} from "./vanishing.js";
import { waitingPopFamily, waitTimeFamily } from "./waiting-pops.js";

const families: readonly Family[] = [
  ...[valueFamily, deletionFamily, keyFamily],
  ...[getManyFamily, setManyFamily, deleteManyFamily],
  ...[exchangeFamily, compareAndSwapFamily, detailedFamily, compareAndDeleteFamily, counterFamily],
  ...[orderFamily, pageFamily, cursorReopenFamily, randomFamily, uniformityFamily],
  ...[claimFamily, endOfClaimFamily, claimKeysFamily, allocationFamily, claimListFamily],
  ...[claimsAndTheRestFamily, guardFamily, guardTimeFamily],
  ...[arrayFamily, typeFamily, waitingPopFamily, waitTimeFamily, filterFamily],
  ...[vanishingValueFamily, vanishingArrayFamily, vanishingItemFamily, vanishingClaimFamily],
  ...[expiryFamily, rebirthFamily, reapingFamily, statsFamily, statsTimeFamily],
  ...[stringModeFamily, bytesModeFamily, compressedFamily, compressedBytesFamily],
  ...[jsonlFamily, csvFamily, bytesFileFamily],
  ...[handleFamily, reopenFamily],
  ...[backupFamily, snapshotFamily, restoreFamily, restoreTimeFamily],
];

/** Registers the suite for one backend. */
export function storeSuite(runner: Runner, factory: StoreFactory): void {
  for (const trackKeys of [false, true]) {
    runner.describe(`${factory.name}, trackKeys: ${trackKeys}`, () => {
      for (const family of families) {
        runner.describe(family.title, () => registerFamily(runner, factory, trackKeys, family));
      }
    });
  }
}

function registerFamily(
  runner: Runner,
  factory: StoreFactory,
  trackKeys: boolean,
  { needs, cases, onePartition = [] }: Family,
): void {
  const unknown = onePartition.filter((title) => cases[title] === undefined);
  if (unknown.length > 0) throw new Error(`no cases have the titles ${unknown.join(", ")}`);
  const registerThose = (isTogether: boolean): void => {
    for (const [title, body] of Object.entries(cases)) {
      if (onePartition.includes(title) !== isTogether) continue;
      runner.test(title, () => runCase(runner, factory, trackKeys, body));
    }
  };
  const register = (): void => {
    registerThose(false);
    if (onePartition.length === 0) return;
    whereFeature(runner, factory, "one partition", () => registerThose(true));
  };
  if (needs === undefined) register();
  else whereFeature(runner, factory, needs, register);
}

function runCase(
  runner: Runner,
  factory: StoreFactory,
  trackKeys: boolean,
  body: Case,
): Promise<void> {
  const env = virtualEnv();
  const opened: TestStore[] = [];
  const open = async (serialization: Serialization): Promise<Kv> => {
    const store = await factory.create({ env, trackKeys, serialization });
    opened.push(store);
    return store.kv;
  };
  const expect = (actual: unknown, message?: string) => runner.expect(actual, message);
  return withStore(factory, { env, trackKeys, serialization: "json" }, async (kv, store) => {
    try {
      await body({ kv, store, env, trackKeys, expect, open });
    } finally {
      for (const further of opened) await further.close();
    }
  });
}
