// Vanishing: there is one instant at which something expires, and everybody agrees on it.
//
// Whatever can tell whether a thing is there is asked one millisecond before the deadline and at
// the deadline: with `stall`, when nothing has removed the expired row yet, and with `advance`, when
// the background reaper has. The questions also cover writes, which must not build on what is gone.

import { isKvError } from "../../base/errors.js";
import type { Kv } from "../../kv/kv.js";
import type { ClaimRef } from "../../kv/types.js";
import { type Case, casesOf, type Family, granted } from "./suite-case.js";

/** Whether the thing is there, as far as this operation can tell. */
type Question = (kv: Kv) => Promise<boolean>;
type Questions = Readonly<Record<string, Question>>;

const ttl = 1_000;

/** False when the call rejects with that error. */
async function succeeds(call: Promise<unknown>, errorName: string): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (isKvError(error) && error.name === errorName) return false;
    throw error;
  }
}

function vanishes(prepare: (kv: Kv) => Promise<unknown>, question: Question): Case {
  return async ({ open, env, expect }) => {
    for (const pass of ["stall", "advance"] as const) {
      for (const [elapsed, present] of [
        [ttl - 1, true],
        [ttl, false],
        [ttl + 1, false],
      ] as const) {
        const kv = await open("json");
        await prepare(kv);
        await env[pass](elapsed);
        expect(await question(kv), `${pass}(${elapsed})`).toBe(present);
      }
    }
  };
}

function vanishingCases(
  subject: string,
  prepare: (kv: Kv) => Promise<unknown>,
  questions: Questions,
): Record<string, Case> {
  const title = (name: string): string =>
    `${name}: ${subject} is there until its deadline and not at it`;
  return casesOf(questions, title, (question) => vanishes(prepare, question));
}

const options = { prefix: "v:" };

// "v:1" holds 7 and expires; its neighbours do not.
async function prepareValue(kv: Kv): Promise<void> {
  await kv.setMany({ "u:1": 1, "w:1": 1 });
  await kv.set("v:1", 7, { ttl });
}

const valueReaders: Questions = {
  get: (kv) => succeeds(kv.get("v:1"), "KeyNotFoundError"),
  find: async (kv) => (await kv.find("v:1")) !== undefined,
  getMany: async (kv) => (await kv.getMany(["u:1", "v:1"]))[1]?.exists === true,
  exists: (kv) => kv.exists("v:1"),
  scan: async (kv) => (await kv.scan(options)).entries.length === 1,
  "scan of everything": async (kv) => (await kv.scan()).entries.length === 3,
  scanKeys: async (kv) => (await kv.scanKeys(options)).keys.length === 1,
  "the end of a scan": async (kv) => !(await kv.scan({ prefix: "", limit: 2 })).done,
  list: async (kv) => (await kv.list(options)).length === 1,
  listKeys: async (kv) => (await kv.listKeys(options)).includes("v:1"),
  size: async (kv) => (await kv.size()) === 3,
  count: async (kv) => (await kv.count(options)) === 1,
  randomKey: async (kv) => (await kv.randomKey(options)) === "v:1",
  randomKeys: async (kv) => (await kv.randomKeys({ ...options, count: 2 })).length === 1,
  "randomKeys with repetition": async (kv) =>
    (await kv.randomKeys({ ...options, count: 2, unique: false })).length === 2,
  ttl: async (kv) => (await kv.ttl("v:1")) !== undefined,
  stats: async (kv) => (await kv.stats()).count === 3,
  allocationStats: async (kv) => (await kv.allocationStats(options)).total === 1,
};

const valueWriters: Questions = {
  delete: async (kv) => (await kv.deleteMany(["v:1"])).deleted === 1,
  deleteIfExists: (kv) => kv.deleteIfExists("v:1"),
  deleteByPrefix: async (kv) => (await kv.deleteByPrefix({ ...options, limit: 5 })).deleted === 1,
  fetchRemove: async (kv) => (await kv.fetchRemove("v:1")) === 7,
  popRandom: async (kv) => (await kv.popRandom(options)) !== null,
  popRandomMany: async (kv) => (await kv.popRandomMany({ count: 9 })).length === 3,
  claimRandom: async (kv) => (await kv.claimRandom(options)) !== null,
  claimRandomMany: async (kv) => (await kv.claimRandomMany({ ...options, count: 2 })).length === 1,
  claimKey: async (kv) => (await kv.claimKey("v:1")) !== null,
  claimKeys: async (kv) => (await kv.claimKeys(["v:1"])).missing.length === 0,
  getOrSet: async (kv) => (await kv.getOrSet("v:1", 9)).value === 7,
  swap: async (kv) => (await kv.swap("v:1", 9)).loaded,
  compareAndSwap: (kv) => kv.compareAndSwap("v:1", 7, 9),
  "compareAndSwap with absence": async (kv) => !(await kv.compareAndSwap("v:1", null, 9)),
  setIfAbsent: async (kv) => !(await kv.setIfAbsent("v:1", 9)),
  compareAndDelete: (kv) => kv.compareAndDelete("v:1", 7),
  compareAndDeleteDetailed: async (kv) =>
    Object.values(await kv.compareAndDeleteDetailed("v:1", 8)).at(-1) === true,
  incrementBy: async (kv) => (await kv.incrementBy("v:1", 1)) === 8,
  expire: (kv) => kv.expire("v:1", 5_000),
  persist: (kv) => kv.persist("v:1"),
  "append to its key": async (kv) => !(await succeeds(kv.append("v:1", 1), "WrongTypeError")),
  "length of an array under its key": async (kv) =>
    !(await succeeds(kv.length("v:1"), "WrongTypeError")),
};

export const vanishingValueFamily: Family = {
  title: "the instant at which a value expires",
  needs: "virtual clock",
  cases: vanishingCases("a value", prepareValue, { ...valueReaders, ...valueWriters }),
};

// "v:1" is an array of two elements and expires.
async function prepareArray(kv: Kv): Promise<void> {
  await kv.append("v:1", 1, { ttl });
  await kv.append("v:1", 2);
  await kv.append("w:1", 1);
}

const arrayQuestions: Questions = {
  length: async (kv) => (await kv.length("v:1")) === 2,
  range: async (kv) => (await kv.range("v:1")).length === 2,
  pop: async (kv) => (await kv.pop("v:1")) === 2,
  popFirst: async (kv) => (await kv.popFirst("v:1")) === 1,
  popWait: async (kv) => (await kv.popWait("v:1", { timeout: 0 })) === 2,
  append: async (kv) => (await kv.append("v:1", 3)) === 3,
  prepend: async (kv) => (await kv.prepend("v:1", 3)) === 3,
  exists: (kv) => kv.exists("v:1"),
  ttl: async (kv) => (await kv.ttl("v:1")) !== undefined,
  expire: (kv) => kv.expire("v:1", 5_000),
  persist: (kv) => kv.persist("v:1"),
  listArrays: async (kv) => (await kv.listArrays(options)).length === 1,
  deleteArray: (kv) => kv.deleteArray("v:1"),
  "get of its key": async (kv) => !(await succeeds(kv.find("v:1"), "WrongTypeError")),
  "set of its key": async (kv) => !(await succeeds(kv.set("v:1", 1), "WrongTypeError")),
  "incrementBy of its key": async (kv) =>
    !(await succeeds(kv.incrementBy("v:1", 1), "WrongTypeError")),
};

export const vanishingArrayFamily: Family = {
  title: "the instant at which an array expires",
  needs: "virtual clock",
  cases: vanishingCases("an array", prepareArray, arrayQuestions),
};

async function prepareItem(kv: Kv): Promise<void> {
  await kv.filter("seen").add("item", { ttl });
  await kv.filter("seen").add("other");
}

const itemQuestions: Questions = {
  "filter.contains": (kv) => kv.filter("seen").contains("item"),
  "filter.checkThenAdd": (kv) => kv.filter("seen").checkThenAdd("item"),
  "filter.add": async (kv) => !(await kv.filter("seen").add("item")),
  "filter.delete": (kv) => kv.filter("seen").delete("item"),
  "filter.size": async (kv) => (await kv.filter("seen").size()) === 2,
};

export const vanishingItemFamily: Family = {
  title: "the instant at which a filter item expires",
  needs: "virtual clock",
  cases: vanishingCases("a filter item", prepareItem, itemQuestions),
};

const claims = new WeakMap<Kv, ClaimRef>();

/** "v:1" is claimed until the deadline. */
async function prepareClaim(kv: Kv): Promise<void> {
  await kv.setMany({ "v:1": 7, "w of {v:1}": 1 });
  claims.set(kv, granted(await kv.claimKey("v:1", { ttl })));
}

function claimIn(kv: Kv): ClaimRef {
  return claims.get(kv) as ClaimRef;
}

const claimQuestions: Questions = {
  releaseClaim: (kv) => kv.releaseClaim(claimIn(kv)),
  completeClaim: (kv) => kv.completeClaim(claimIn(kv)),
  "completeClaim that keeps the key": (kv) => kv.completeClaim(claimIn(kv), { deleteKey: false }),
  renewClaim: (kv) => kv.renewClaim(claimIn(kv), { ttl: 5 }),
  releaseClaims: async (kv) => (await kv.releaseClaims([claimIn(kv)])).released === 1,
  completeClaims: async (kv) => (await kv.completeClaims([claimIn(kv)])).failed.length === 0,
  renewClaims: async (kv) => (await kv.renewClaims([claimIn(kv)], { ttl: 5 })).renewed === 1,
  claimKey: async (kv) => (await kv.claimKey("v:1")) === null,
  claimKeys: async (kv) => (await kv.claimKeys(["v:1"])).busy.length === 1,
  claimRandom: async (kv) => (await kv.claimRandom(options)) === null,
  claimRandomMany: async (kv) => (await kv.claimRandomMany({ count: 5 })).length === 1,
  popRandom: async (kv) => (await kv.popRandom(options)) === null,
  popRandomMany: async (kv) => (await kv.popRandomMany({ count: 5 })).length === 1,
  "a guarded set": (kv) =>
    succeeds(kv.set("w of {v:1}", 2, { claim: claimIn(kv) }), "StaleClaimError"),
  "a guarded delete": (kv) => succeeds(kv.delete("v:1", { claim: claimIn(kv) }), "StaleClaimError"),
  stats: async (kv) => (await kv.stats()).claims.live === 1,
  allocationStats: async (kv) => (await kv.allocationStats(options)).claimable === 0,
};

export const vanishingClaimFamily: Family = {
  title: "the instant at which a claim expires",
  needs: "virtual clock",
  cases: vanishingCases("a claim", prepareClaim, claimQuestions),
};
