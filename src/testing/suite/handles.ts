// Handles: several on one store, and the end of one. Every method in every state of a handle is
// the business of the lifecycle suite.

import { atOnce, type Family, refusal } from "./suite-case.js";

export const handleFamily: Family = {
  title: "handles",
  cases: {
    "all handles of a store see the same keys, claims and arrays": async ({
      kv,
      store,
      expect,
    }) => {
      const other = store.second();
      await kv.set("key", 1);
      expect(await other.get("key")).toBe(1);
      const claim = await other.claimKey("key");
      expect(await kv.claimKey("key")).toBeNull();
      expect(claim && (await kv.releaseClaim(claim))).toBe(true);
      const waiting = kv.popFirstWait("q");
      await other.append("q", "job");
      expect(await waiting).toBe("job");
    },

    "a closed handle rejects with StoreClosedError, and others go on": async ({
      kv,
      store,
      expect,
    }) => {
      const other = store.second();
      await other.set("key", 1);
      await other.close();
      const error = await refusal(other.get("key"), "StoreClosedError");
      expect(error.message).toBe("kv store handle is closed");
      await refusal(other.set("key", 2), "StoreClosedError");
      await refusal(other.claimRandom(), "StoreClosedError");
      await refusal(other.popRandomMany({ count: 1 }), "StoreClosedError");
      await refusal(other.filter("seen").add("a"), "StoreClosedError");
      expect(await kv.get("key")).toBe(1);
    },

    "bad arguments on a closed handle are reported as bad arguments": async ({ store }) => {
      const other = store.second();
      await other.close();
      await refusal(other.get(""), "InvalidOptionsError");
      await refusal(other.randomKeys({ count: 0 }), "InvalidOptionsError");
      await refusal(other.incrementBy("key", Number.NaN), "ValueNumberRequiredError");
      await refusal(other.set("key", 1n), "SerializerError");
      await refusal(other.scan({ cursor: "bad" }), "InvalidCursorError");
    },

    "closing twice counts once": async ({ kv, store, expect }) => {
      const other = store.second();
      await Promise.all([other.close(), other.close()]);
      await other.close();
      expect(await kv.set("key", 1)).toBe(1);
    },

    "a handle can be disposed of": async ({ store }) => {
      const other = store.second();
      await other[Symbol.asyncDispose]();
      await refusal(other.size(), "StoreClosedError");
    },

    "calls that are under way when a handle closes settle normally": async ({
      kv,
      store,
      expect,
    }) => {
      const other = store.second();
      const calls = atOnce(10, (index) => other.incrementBy("key", index));
      const closing = other.close();
      expect(await calls).toHaveLength(10);
      await closing;
      expect(await kv.get("key")).toBe(45);
    },
  },
};

export const reopenFamily: Family = {
  title: "reopening",
  needs: "reopen",
  onePartition: ["claims outlive the last handle and their tokens are not used again"],
  cases: {
    "values, arrays, filter items and counters outlive the last handle": async ({
      kv,
      store,
      expect,
    }) => {
      await kv.setMany({ a: { b: [1] }, мир: null });
      await kv.append("q", 1);
      await kv.prepend("q", 0);
      await kv.filter("seen").add("item");
      await kv.incrementBy("counter", 5);
      const before = await kv.list();
      const again = await store.reopen?.();
      expect(await again?.list()).toStrictEqual(before);
      expect(await again?.range("q")).toStrictEqual([0, 1]);
      expect(await again?.filter("seen").contains("item")).toBe(true);
      expect(await again?.incrementBy("counter", 1)).toBe(6);
    },

    "claims outlive the last handle and their tokens are not used again": async ({
      kv,
      store,
      expect,
    }) => {
      await kv.setMany({ a: 1, b: 2 });
      const claim = await kv.claimKey("a", { ttl: 60_000 });
      const again = await store.reopen?.();
      expect(await again?.claimKey("a")).toBeNull();
      expect((await again?.claimKey("b"))?.token).toBe(2);
      expect(claim && (await again?.renewClaim(claim, { ttl: 60_000 }))).toBe(true);
      expect(claim && (await again?.completeClaim(claim))).toBe(true);
    },

    "expiry outlives the last handle": async ({ kv, store, expect }) => {
      await kv.setMany({ a: 1, b: 2 }, { ttl: 60_000 });
      await kv.set("c", 3);
      await kv.append("q", 1, { ttl: 60_000 });
      const again = await store.reopen?.();
      for (const key of ["a", "b", "q"]) {
        expect(await again?.ttl(key)).toBeGreaterThan(0);
        expect(await again?.ttl(key)).toBeLessThanOrEqual(60_000);
      }
      expect(await again?.ttl("c")).toBeNull();
    },
  },
};
