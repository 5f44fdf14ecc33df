// Diagnostics: stats, allocationStats, reportStats, rebuildKeyList.

import { type Family, granted, numberedEntries, refusal } from "./suite-case.js";

export const statsFamily: Family = {
  title: "statistics and upkeep",
  cases: {
    "stats has exactly its fields, null where there is nothing to tell": async ({
      kv,
      trackKeys,
      expect,
    }) => {
      await kv.setMany({ a: 1, b: 2 });
      await kv.append("q", 1);
      await kv.claimKey("a");
      const stats = await kv.stats();
      const names = ["backend", "claims", "count", "disk", "index", "serialization", "trackKeys"];
      expect(Object.keys(stats).toSorted()).toStrictEqual(names);
      const { backend, claims, count, serialization } = stats;
      expect(typeof backend).toBe("string");
      expect({ claims, count, serialization, trackKeys: stats.trackKeys }).toStrictEqual({
        claims: { live: 1, expired: 0 },
        count: 2,
        serialization: "json",
        trackKeys,
      });
    },

    "stats shows a consistent index when keys are tracked, and null otherwise": async ({
      kv,
      trackKeys,
      expect,
    }) => {
      await kv.setMany(numberedEntries("k:", 50));
      await kv.deleteByPrefix({ prefix: "k:1", limit: 100 });
      const count = await kv.size();
      const index = {
        enabled: true,
        keysList: count,
        keysMap: count,
        ost: count,
        consistent: true,
      };
      expect((await kv.stats()).index).toStrictEqual(trackKeys ? index : null);
    },

    "stats names the serialization": async ({ open, expect }) => {
      expect((await (await open("string")).stats()).serialization).toBe("string");
    },

    "allocationStats counts free and claimed keys of a prefix": async ({
      kv,
      trackKeys,
      expect,
    }) => {
      await kv.setMany({ "a:1": 1, "a:2": 2, "a:3": 3, b: 4 });
      const { claimed } = await kv.claimKeys(["a:1", "a:2", "b"]);
      const { backend, ...ofA } = await kv.allocationStats({ prefix: "a:" });
      expect(typeof backend).toBe("string");
      expect(ofA).toStrictEqual({
        prefix: "a:",
        total: 3,
        claimable: 1,
        claimedLive: 2,
        claimedExpired: 0,
        trackKeys,
      });
      await kv.releaseClaims(claimed.slice(0, 1));
      expect(await kv.allocationStats({ prefix: "a:" })).toMatchObject({ claimable: 2 });
      await kv.completeClaims(claimed.slice(1, 2));
      const after = await kv.allocationStats({ prefix: "a:" });
      expect(after).toMatchObject({ total: 2, claimable: 2, claimedLive: 0 });
    },

    'allocationStats of everything has the prefix ""': async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2 });
      await kv.claimKey("a");
      const all = { prefix: "", total: 2, claimable: 1, claimedLive: 1, claimedExpired: 0 };
      expect(await kv.allocationStats()).toMatchObject(all);
      expect(await kv.allocationStats({})).toMatchObject(all);
      expect(await kv.allocationStats({ prefix: "c" })).toMatchObject({ prefix: "c", total: 0 });
      await refusal(kv.allocationStats({ prefix: 5 as never }), "InvalidOptionsError");
    },

    "rebuildKeyList resolves with true and changes no result": async ({ kv, expect }) => {
      expect(await kv.rebuildKeyList()).toBe(true);
      await kv.setMany(numberedEntries("k:", 30));
      const claim = granted(await kv.claimRandom());
      // What was written before may reach the disk meanwhile.
      const { disk: _before, ...before } = await kv.stats();
      const others = [await kv.list(), await kv.allocationStats()];
      expect(await kv.rebuildKeyList()).toBe(true);
      const { disk: _after, ...after } = await kv.stats();
      expect(after).toStrictEqual(before);
      expect([await kv.list(), await kv.allocationStats()]).toStrictEqual(others);
      expect(await kv.releaseClaim(claim)).toBe(true);
    },

    "statistics change nothing": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2 });
      const claim = granted(await kv.claimKey("a"));
      const { disk: _before, ...before } = await kv.stats();
      await kv.allocationStats();
      expect(await kv.reportStats()).toBeUndefined();
      const { disk: _after, ...after } = await kv.stats();
      expect(after).toStrictEqual(before);
      expect(await kv.releaseClaim(claim)).toBe(true);
    },
  },
};

export const statsTimeFamily: Family = {
  title: "statistics and time",
  needs: "virtual clock",
  cases: {
    "an expired claim is counted as expired and claimable until it is reaped": async ({
      kv,
      env,
      expect,
    }) => {
      await kv.setMany({ a: 1, b: 2, c: 3 });
      await kv.claimKey("a", { ttl: 1_000 });
      await kv.claimKey("b", { ttl: 60_000 });
      env.stall(999);
      const live = { total: 3, claimable: 1, claimedLive: 2, claimedExpired: 0 };
      expect(await kv.allocationStats()).toMatchObject(live);
      env.stall(1);
      const lapsed = { total: 3, claimable: 2, claimedLive: 1, claimedExpired: 1 };
      expect(await kv.allocationStats()).toMatchObject(lapsed);
      expect(await kv.allocationStats()).toMatchObject(lapsed);
      expect(await kv.allocationStats({ prefix: "a" })).toMatchObject({ claimedExpired: 1 });
      expect(await kv.allocationStats({ prefix: "b" })).toMatchObject({ claimedExpired: 0 });
      expect((await kv.stats()).claims).toStrictEqual({ live: 1, expired: 1 });
      await env.advance(0);
      expect((await kv.stats()).claims).toStrictEqual({ live: 1, expired: 0 });
      expect(await kv.allocationStats()).toMatchObject({ claimable: 2, claimedExpired: 0 });
    },

    "an expired key is counted nowhere, nor is its claim": async ({ kv, env, expect }) => {
      await kv.setMany({ a: 1, b: 2 }, { ttl: 1_000 });
      await kv.set("c", 3);
      await kv.claimKeys(["a", "c"], { ttl: 60_000 });
      env.stall(1_000);
      const rest = { total: 1, claimable: 0, claimedLive: 1, claimedExpired: 0 };
      expect(await kv.allocationStats()).toMatchObject(rest);
      expect(await kv.stats()).toMatchObject({ count: 1, claims: { live: 1, expired: 0 } });
      await env.advance(0);
      expect(await kv.allocationStats()).toMatchObject(rest);
      expect(await kv.stats()).toMatchObject({ count: 1, claims: { live: 1, expired: 0 } });
    },

    "a key and its claim that expire together are counted nowhere": async ({ kv, env, expect }) => {
      await kv.setMany({ a: 1, b: 2 }, { ttl: 1_000 });
      await kv.claimKey("a", { ttl: 1_000 });
      env.stall(1_000);
      const nothing = { total: 0, claimable: 0, claimedLive: 0, claimedExpired: 0 };
      expect(await kv.allocationStats()).toMatchObject(nothing);
      await env.advance(0);
      expect(await kv.allocationStats()).toMatchObject(nothing);
    },
  },
};
