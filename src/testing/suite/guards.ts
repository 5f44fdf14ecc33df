// Guards: writes that a claim permits, and that the store refuses once the claim is stale.

import type { Kv } from "../../kv/kv.js";
import type { Claim, ClaimRef } from "../../kv/types.js";
import { type Case, casesOf, type Family, granted, refusal, type Setting } from "./suite-case.js";

type GuardedWrite = (kv: Kv, claim: ClaimRef) => Promise<unknown>;

// Every operation that writes or deletes by key. Each one changes the store that `prepared` makes.
const guardedWrites: Readonly<Record<string, GuardedWrite>> = {
  set: (kv, claim) => kv.set("a", "new", { claim }),
  setMany: (kv, claim) => kv.setMany({ a: "new", c: "new" }, { claim }),
  delete: (kv, claim) => kv.delete("b", { claim }),
  deleteIfExists: (kv, claim) => kv.deleteIfExists("b", { claim }),
  deleteMany: (kv, claim) => kv.deleteMany(["b"], { claim }),
  deleteByPrefix: (kv, claim) => kv.deleteByPrefix({ prefix: "b", limit: 1, claim }),
  fetchRemove: (kv, claim) => kv.fetchRemove("b", { claim }),
  incrementBy: (kv, claim) => kv.incrementBy("counter", 1, { claim }),
  getOrSet: (kv, claim) => kv.getOrSet("c", "new", { claim }),
  swap: (kv, claim) => kv.swap("b", "new", { claim }),
  compareAndSwap: (kv, claim) => kv.compareAndSwap("b", "old", "new", { claim }),
  compareAndSwapDetailed: (kv, claim) => kv.compareAndSwapDetailed("b", "old", "new", { claim }),
  setIfAbsent: (kv, claim) => kv.setIfAbsent("c", "new", { claim }),
  compareAndDelete: (kv, claim) => kv.compareAndDelete("b", "old", { claim }),
  compareAndDeleteDetailed: (kv, claim) => kv.compareAndDeleteDetailed("b", "old", { claim }),
  append: (kv, claim) => kv.append("q", 4, { claim }),
  prepend: (kv, claim) => kv.prepend("q", 0, { claim }),
  pop: (kv, claim) => kv.pop("q", { claim }),
  popFirst: (kv, claim) => kv.popFirst("q", { claim }),
  popWait: (kv, claim) => kv.popWait("q", { claim }),
  popFirstWait: (kv, claim) => kv.popFirstWait("q", { claim, timeout: 0 }),
  deleteArray: (kv, claim) => kv.deleteArray("q", { claim }),
  expire: (kv, claim) => kv.expire("b", 1_000, { claim }),
  persist: (kv, claim) => kv.persist("mortal", { claim }),
  clear: (kv, claim) => kv.clear({ claim }),
  popRandom: (kv, claim) => kv.popRandom({ claim }),
  popRandomMany: (kv, claim) => kv.popRandomMany({ count: 2, claim }),
  "filter.clear": (kv, claim) => kv.filter("seen").clear({ claim }),
  "filter.add": (kv, claim) => kv.filter("seen").add("new", { claim }),
  "filter.checkThenAdd": (kv, claim) => kv.filter("seen").checkThenAdd("new", { claim }),
  "filter.delete": (kv, claim) => kv.filter("seen").delete("old", { claim }),
};

/** Claims "a" in a store with something for every write to change. */
async function prepared(kv: Kv): Promise<Claim> {
  await kv.setMany({ a: "old", b: "old", counter: 1 });
  await kv.set("mortal", 1, { ttl: 1_000_000 });
  for (const element of [1, 2, 3]) await kv.append("q", element);
  await kv.filter("seen").add("old");
  return granted(await kv.claimKey("a"));
}

/** Everything that a reader can tell about that store. */
async function contents(kv: Kv): Promise<unknown> {
  const filter = kv.filter("seen");
  return {
    values: await kv.list(),
    arrays: await kv.listArrays(),
    elements: await kv.range("q"),
    mortality: [(await kv.ttl("b")) === null, (await kv.ttl("mortal")) === null],
    seen: [await filter.contains("old"), await filter.contains("new"), await filter.size()],
    claims: (await kv.stats()).claims,
  };
}

const permits =
  (write: GuardedWrite): Case =>
  async ({ kv, expect }) => {
    const claim = await prepared(kv);
    const before = await contents(kv);
    await write(kv, claim);
    expect(await contents(kv)).not.toEqual(before);
  };

const refuses =
  (write: GuardedWrite): Case =>
  async ({ kv, expect }) => {
    const claim = await prepared(kv);
    await kv.releaseClaim(claim);
    const before = await contents(kv);
    const error = await refusal(write(kv, claim), "StaleClaimError");
    expect(error.key).toBe("a");
    expect(error.code).toBe("ANYKV_STALE_CLAIM");
    expect(await contents(kv)).toStrictEqual(before);
  };

async function refusesWrites({ kv }: Setting, claim: ClaimRef): Promise<void> {
  await refusal(kv.set("key", "stale", { claim }), "StaleClaimError");
  await refusal(kv.delete("key", { claim }), "StaleClaimError");
  await refusal(kv.set("elsewhere", "stale", { claim }), "StaleClaimError");
}

const writeCases = {
  ...casesOf(guardedWrites, (name) => `${name} goes ahead while its claim is live`, permits),
  ...casesOf(
    guardedWrites,
    (name) => `${name} of a stale holder is refused and changes nothing`,
    refuses,
  ),
};

export const guardFamily: Family = {
  title: "writes guarded by a claim",
  onePartition: [
    ...Object.keys(writeCases),
    "a holder whose key was claimed again can neither write nor delete",
    "a claim with another token or id guards nothing",
    "a claim whose key was deleted guards nothing, even when the key is there again",
  ],
  cases: {
    ...writeCases,

    "a holder whose key was claimed again can neither write nor delete": async (setting) => {
      const { kv, expect } = setting;
      await kv.set("key", "old");
      const old = granted(await kv.claimKey("key"));
      await kv.releaseClaim(old);
      const fresh = granted(await kv.claimKey("key"));
      await refusesWrites(setting, old);
      expect(await kv.set("key", "fresh", { claim: fresh })).toBe("fresh");
      expect(await kv.get("key")).toBe("fresh");
      expect(await kv.exists("elsewhere")).toBe(false);
    },

    "a claim with another token or id guards nothing": async (setting) => {
      const { kv, expect } = setting;
      await kv.set("key", "old");
      const claim = granted(await kv.claimKey("key"));
      await refusesWrites(setting, { ...claim, token: claim.token + 1 });
      await refusesWrites(setting, { ...claim, id: "claim-0" });
      await refusesWrites(setting, { ...claim, key: "elsewhere" });
      expect(await kv.get("key")).toBe("old");
    },

    "a claim whose key was deleted guards nothing, even when the key is there again": async (
      setting,
    ) => {
      const { kv, expect } = setting;
      await kv.set("key", "old");
      const claim = granted(await kv.claimKey("key"));
      await kv.delete("key");
      await refusesWrites(setting, claim);
      await kv.set("key", "again");
      await refusesWrites(setting, claim);
      expect(await kv.get("key")).toBe("again");
    },

    "a guarded delete of the claimed key ends the claim": async ({ kv, expect }) => {
      await kv.set("key", 1);
      const claim = granted(await kv.claimKey("key"));
      expect(await kv.delete("key", { claim })).toBe(true);
      expect(await kv.releaseClaim(claim)).toBe(false);
      await refusal(kv.delete("key", { claim }), "StaleClaimError");
    },

    "a guarded write leaves the claim live": async ({ kv, expect }) => {
      await kv.set("key", 1);
      const claim = granted(await kv.claimKey("key"));
      for (let round = 0; round < 3; round++) await kv.set("key", round, { claim });
      expect(await kv.completeClaim(claim)).toBe(true);
    },

    "a guard that is no claim is refused with InvalidOptionsError": async ({ kv, expect }) => {
      await kv.set("key", 1);
      for (const claim of [
        5,
        "claim",
        {},
        { id: "x", key: "key" },
        { id: "", key: "k", token: 1 },
      ]) {
        const options = { claim: claim as never };
        await refusal(kv.set("key", 2, options), "InvalidOptionsError");
        await refusal(kv.delete("key", options), "InvalidOptionsError");
        await refusal(kv.append("q", 2, options), "InvalidOptionsError");
        await refusal(kv.filter("f").add("x", options), "InvalidOptionsError");
      }
      expect(await kv.get("key")).toBe(1);
    },
  },
};

export const guardTimeFamily: Family = {
  title: "guards and time",
  needs: "virtual clock",
  onePartition: [
    "a holder is refused from the very instant at which the lease ends",
    "a renewal keeps the guard open",
    "a claim guards nothing once its key has expired",
  ],
  cases: {
    "a holder is refused from the very instant at which the lease ends": async (setting) => {
      const { kv, env, expect } = setting;
      await kv.set("key", "old");
      const claim = granted(await kv.claimKey("key", { ttl: 1_000 }));
      env.stall(999);
      expect(await kv.set("key", "in time", { claim })).toBe("in time");
      env.stall(1);
      await refusesWrites(setting, claim);
      expect(await kv.get("key")).toBe("in time");
    },

    "a renewal keeps the guard open": async (setting) => {
      const { kv, env } = setting;
      await kv.set("key", "old");
      const claim = granted(await kv.claimKey("key", { ttl: 1_000 }));
      await env.advance(999);
      await kv.renewClaim(claim, { ttl: 1_000 });
      await env.advance(999);
      await kv.set("key", "new", { claim });
      await env.advance(1);
      await refusesWrites(setting, claim);
    },

    "a claim guards nothing once its key has expired": async (setting) => {
      const { kv, env } = setting;
      await kv.set("key", 1, { ttl: 1_000 });
      const claim = granted(await kv.claimKey("key", { ttl: 60_000 }));
      env.stall(1_000);
      await refusesWrites(setting, claim);
      await env.advance(0);
      await refusesWrites(setting, claim);
    },
  },
};
