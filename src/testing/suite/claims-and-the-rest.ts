// Claims and the rest of the interface: which operations see a claimed key, which keep its claim.

import type { Kv } from "../../kv/kv.js";
import type { Claim } from "../../kv/types.js";
import {
  type Case,
  casesOf,
  type Family,
  granted,
  numberedEntries,
  type Setting,
} from "./suite-case.js";

type Operation = (kv: Kv) => Promise<unknown>;

// Each works on "key", which holds 1 and is claimed.
const keeping: Readonly<Record<string, Operation>> = {
  set: (kv) => kv.set("key", 2),
  setMany: (kv) => kv.setMany({ key: 2 }),
  swap: (kv) => kv.swap("key", 2),
  incrementBy: (kv) => kv.incrementBy("key", 1),
  getOrSet: (kv) => kv.getOrSet("key", 2),
  compareAndSwap: (kv) => kv.compareAndSwap("key", 1, 2),
  compareAndSwapDetailed: (kv) => kv.compareAndSwapDetailed("key", 1, 2),
  setIfAbsent: (kv) => kv.setIfAbsent("key", 2),
  "a mismatched compareAndDelete": (kv) => kv.compareAndDelete("key", 2),
  expire: (kv) => kv.expire("key", 60_000),
  persist: (kv) => kv.persist("key"),
  rebuildKeyList: (kv) => kv.rebuildKeyList(),
  get: (kv) => kv.get("key"),
  scan: (kv) => kv.scan(),
  "claimKey by another": (kv) => kv.claimKey("key"),
  "popRandomMany by another": (kv) => kv.popRandomMany({ count: 10 }),
};

const dropping: Readonly<Record<string, Operation>> = {
  delete: (kv) => kv.delete("key"),
  deleteIfExists: (kv) => kv.deleteIfExists("key"),
  deleteMany: (kv) => kv.deleteMany(["key"]),
  deleteByPrefix: (kv) => kv.deleteByPrefix({ prefix: "k", limit: 1 }),
  compareAndDelete: (kv) => kv.compareAndDelete("key", 1),
  compareAndDeleteDetailed: (kv) => kv.compareAndDeleteDetailed("key", 1),
  fetchRemove: (kv) => kv.fetchRemove("key"),
  clear: (kv) => kv.clear(),
};

async function claimed({ kv }: Setting): Promise<Claim> {
  await kv.set("key", 1);
  return granted(await kv.claimKey("key"));
}

const keeps =
  (operation: Operation): Case =>
  async (setting) => {
    const { kv, expect } = setting;
    const claim = await claimed(setting);
    await operation(kv);
    expect(await kv.exists("key")).toBe(true);
    expect(await kv.claimKey("key")).toBeNull();
    expect(await kv.claimRandom()).toBeNull();
    expect((await kv.allocationStats()).claimedLive).toBe(1);
    expect(await kv.renewClaim(claim, { ttl: 10_000 })).toBe(true);
    expect(await kv.releaseClaim(claim)).toBe(true);
    expect((await kv.claimRandom())?.key).toBe("key");
  };

const drops =
  (operation: Operation): Case =>
  async (setting) => {
    const { kv, expect } = setting;
    const claim = await claimed(setting);
    await operation(kv);
    expect(await kv.exists("key")).toBe(false);
    expect((await kv.stats()).claims).toStrictEqual({ live: 0, expired: 0 });
    expect(await kv.releaseClaim(claim)).toBe(false);
    await kv.set("key", 3);
    expect(await kv.renewClaim(claim, { ttl: 5 })).toBe(false);
    expect(await kv.completeClaim(claim)).toBe(false);
    expect(await kv.get("key")).toBe(3);
    const again = granted(await kv.claimRandom());
    expect(again.token).toBeGreaterThan(claim.token);
  };

export const claimsAndTheRestFamily: Family = {
  title: "claims and the rest",
  cases: {
    ...casesOf(keeping, (name) => `${name} keeps the claim of a key`, keeps),
    ...casesOf(dropping, (name) => `${name} drops the claim of a key`, drops),

    "readers see claimed keys like all others": async (setting) => {
      const { kv, expect } = setting;
      await claimed(setting);
      const entry = { key: "key", value: 1 };
      expect(await kv.get("key")).toBe(1);
      expect(await kv.getMany(["key"])).toStrictEqual([{ ...entry, exists: true }]);
      expect(await kv.exists("key")).toBe(true);
      expect(await kv.list()).toStrictEqual([entry]);
      expect(await kv.listKeys()).toStrictEqual(["key"]);
      expect((await kv.scan()).entries).toStrictEqual([entry]);
      expect((await kv.scanKeys()).keys).toStrictEqual(["key"]);
      expect(await kv.count()).toBe(1);
      expect(await kv.size()).toBe(1);
      expect(await kv.randomKey()).toBe("key");
      expect(await kv.randomKeys({ count: 1 })).toStrictEqual(["key"]);
    },

    "writing a claimed key makes what the claim holds old": async (setting) => {
      const { kv, expect } = setting;
      const claim = await claimed(setting);
      await kv.set("key", { changed: true });
      expect(claim.entry.value).toBe(1);
      expect(await kv.get("key")).toStrictEqual({ changed: true });
      expect(await kv.completeClaim(claim)).toBe(true);
    },

    "deleteMany counts claimed keys, and their claims are void": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2 });
      const claim = granted(await kv.claimKey("a"));
      expect(await kv.deleteMany(["a", "b", "x"])).toStrictEqual({ deleted: 2, missing: 1 });
      expect(await kv.releaseClaim(claim)).toBe(false);
    },

    "claims survive rebuildKeyList, and free keys stay free": async ({ kv, expect }) => {
      await kv.setMany(numberedEntries("k:", 10));
      const claims = await kv.claimRandomMany({ count: 6 });
      expect(await kv.rebuildKeyList()).toBe(true);
      const rest = await kv.claimRandomMany({ count: 10 });
      expect(rest).toHaveLength(4);
      expect((await kv.completeClaims([...claims, ...rest])).completed).toBe(10);
    },

    "the free keys stay exact through claims, writes and deletions": async ({ kv, expect }) => {
      await kv.setMany(numberedEntries("k:", 20));
      const claims = await kv.claimRandomMany({ count: 10 });
      await kv.releaseClaims(claims.slice(0, 3));
      await kv.completeClaims(claims.slice(3, 6));
      await kv.completeClaims(claims.slice(6, 8), { deleteKey: false });
      await kv.setMany({ "k:new": 1, [granted(claims[9] ?? null).key]: "again" });
      await kv.delete(granted(claims[8] ?? null).key);
      const stats = await kv.allocationStats();
      expect(stats).toMatchObject({ total: 17, claimedLive: 1, claimable: 16 });
      const free = await kv.claimRandomMany({ count: 100 });
      expect(new Set(free.map(({ key }) => key)).size).toBe(16);
      expect(free.map(({ key }) => key)).not.toContain(claims[9]?.key);
    },
  },
};
