// Reaping: what is past its deadline leaves by itself, alone or in thousands.

import { type Family, granted, numberedEntries } from "./suite-case.js";

export const reapingFamily: Family = {
  title: "reaping",
  needs: "virtual clock",
  onePartition: ["whoever takes over an expired claim is not disturbed by its old holder"],
  cases: {
    "keys that nobody reads are removed when their time has come": async ({
      kv,
      env,
      trackKeys,
      expect,
    }) => {
      const idle = env.armedTimers;
      await kv.setMany(numberedEntries("late:", 10), { ttl: 2_000 });
      await kv.setMany(numberedEntries("k:", 2_000), { ttl: 1_000 });
      await kv.set("kept", 1);
      expect(env.armedTimers).toBeGreaterThan(idle);
      await env.advance(1_000);
      // With tracked keys the index shows the rows that are in memory, expired or not.
      const { index } = await kv.stats();
      if (trackKeys) expect(index).toMatchObject({ keysMap: 11, keysList: 11, consistent: true });
      else expect(index).toBeNull();
      await env.advance(1_000);
      if (trackKeys) expect((await kv.stats()).index?.keysMap).toBe(1);
      // A backend may have files to look after for some time yet, which takes real time.
      for (let minute = 0; minute < 200 && env.armedTimers > idle; minute++) {
        await env.advance(60_000);
        await kv.stats();
      }
      expect(env.armedTimers).toBeLessThanOrEqual(idle);
      expect(await kv.listKeys()).toStrictEqual(["kept"]);
    },

    "claims that nobody ends are removed, and their keys are free": async ({ kv, env, expect }) => {
      await kv.setMany(numberedEntries("k:", 1_000));
      await kv.claimRandomMany({ count: 700, ttl: 1_000 });
      await kv.claimRandomMany({ count: 100, ttl: 5_000 });
      await env.advance(1_000);
      expect((await kv.stats()).claims).toStrictEqual({ live: 100, expired: 0 });
      expect(await kv.claimRandomMany({ count: 1_000 })).toHaveLength(900);
    },

    "a renewed claim is not removed when its first lease would have ended": async ({
      kv,
      env,
      expect,
    }) => {
      await kv.set("key", 1);
      const claim = granted(await kv.claimKey("key", { ttl: 1_000 }));
      await env.advance(900);
      await kv.renewClaim(claim, { ttl: 1_000 });
      await env.advance(999);
      expect(await kv.claimKey("key")).toBeNull();
      await env.advance(1);
      expect((await kv.claimKey("key"))?.key).toBe("key");
    },

    "a lease may be shortened": async ({ kv, env, expect }) => {
      await kv.set("key", 1);
      const claim = granted(await kv.claimKey("key", { ttl: 60_000 }));
      await kv.renewClaim(claim, { ttl: 5 });
      await env.advance(5);
      expect(await kv.renewClaim(claim, { ttl: 5 })).toBe(false);
      expect((await kv.claimRandom())?.key).toBe("key");
    },

    "leases last 30 seconds by default": async ({ kv, env, expect }) => {
      await kv.setMany({ a: 1, b: 2, c: 3, d: 4 });
      const claims = [
        ...[await kv.claimKey("a"), await kv.claimRandom({ prefix: "b" })],
        ...(await kv.claimKeys(["c"])).claimed,
        ...(await kv.claimRandomMany({ count: 1 })),
      ];
      const end = env.clock.now() + 30_000;
      expect(claims.map((claim) => claim?.expiresAt)).toStrictEqual([end, end, end, end]);
      await env.advance(29_999);
      expect(await kv.claimRandom()).toBeNull();
      await env.advance(1);
      expect((await kv.claimRandom({ ttl: 86_400_000 }))?.expiresAt).toBe(end + 86_400_000);
    },

    "an expired claim cannot be completed although nobody else took the key": async ({
      kv,
      env,
      expect,
    }) => {
      await kv.set("key", 1);
      const claim = granted(await kv.claimKey("key", { ttl: 5 }));
      await env.advance(20);
      expect(await kv.renewClaim(claim, { ttl: 1_000 })).toBe(false);
      expect(await kv.completeClaim(claim)).toBe(false);
      expect(await kv.get("key")).toBe(1);
    },

    "whoever takes over an expired claim is not disturbed by its old holder": async ({
      kv,
      env,
      expect,
    }) => {
      await kv.set("key", 1);
      const old = granted(await kv.claimKey("key", { ttl: 1_000 }));
      env.stall(1_000);
      const fresh = granted(await kv.claimKey("key", { ttl: 60_000 }));
      expect(fresh.token).toBe(old.token + 1);
      expect(await kv.releaseClaim(old)).toBe(false);
      await env.advance(1_000);
      expect(await kv.completeClaim(old)).toBe(false);
      expect(await kv.claimRandom()).toBeNull();
      expect(await kv.completeClaim(fresh)).toBe(true);
    },

    "thousands of keys that expire at once are gone at once from every count": async ({
      kv,
      env,
      expect,
    }) => {
      await kv.setMany(numberedEntries("k:", 5_000), { ttl: 1_000 });
      await kv.setMany(numberedEntries("stay:", 10));
      await kv.claimRandomMany({ prefix: "k:", count: 1_000, ttl: 60_000 });
      env.stall(1_000);
      const counts = await Promise.all([kv.size(), kv.count({ prefix: "k:" }), kv.count()]);
      expect(counts).toStrictEqual([10, 0, 10]);
      expect(await kv.claimRandomMany({ count: 100 })).toHaveLength(10);
      expect(await kv.randomKey({ prefix: "k:" })).toBe("");
    },

    "allocation right after a mass expiry takes only what is left": async ({ kv, env, expect }) => {
      await kv.setMany(numberedEntries("k:", 5_000), { ttl: 1_000 });
      await kv.set("stay", 1);
      env.stall(1_000);
      expect((await kv.claimRandom())?.key).toBe("stay");
      expect(await kv.popRandomMany({ count: 10 })).toStrictEqual([]);
    },

    "an expired array of any length gives its key back": async ({ kv, env, expect }) => {
      for (let element = 0; element < 400; element++) await kv.append("q", element, { ttl: 1_000 });
      await env.advance(1_000);
      expect(await kv.append("q", "new")).toBe(1);
      expect(await kv.range("q")).toStrictEqual(["new"]);
      expect(await kv.ttl("q")).toBeNull();
    },
  },
};
