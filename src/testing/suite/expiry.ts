// Expiry: who sets a deadline, who keeps it, and what is left when it has passed.

import type { Kv } from "../../kv/kv.js";
import { type Case, casesOf, type Family, granted, refusal } from "./suite-case.js";

export type Write = (kv: Kv) => Promise<unknown>;

export const ttl = 5_000;

// Each writes "key" with an expiry; all of them apply when the key is missing.
export const valueCreators: Readonly<Record<string, Write>> = {
  set: (kv) => kv.set("key", 1, { ttl }),
  setMany: (kv) => kv.setMany({ key: 1 }, { ttl }),
  swap: (kv) => kv.swap("key", 1, { ttl }),
  getOrSet: (kv) => kv.getOrSet("key", 1, { ttl }),
  setIfAbsent: (kv) => kv.setIfAbsent("key", 1, { ttl }),
  compareAndSwap: (kv) => kv.compareAndSwap("key", null, 1, { ttl }),
  compareAndSwapDetailed: (kv) => kv.compareAndSwapDetailed("key", null, 1, { ttl }),
  incrementBy: (kv) => kv.incrementBy("key", 1, { ttl }),
};

export const arrayCreators: Readonly<Record<string, Write>> = {
  append: (kv) => kv.append("key", 1, { ttl }),
  prepend: (kv) => kv.prepend("key", 1, { ttl }),
};

// Each replaces the value of "key", which is 1.
const replacers: Readonly<Record<string, (kv: Kv, options?: object) => Promise<unknown>>> = {
  set: (kv, options) => kv.set("key", 2, options),
  setMany: (kv, options) => kv.setMany({ key: 2 }, options),
  swap: (kv, options) => kv.swap("key", 2, options),
  compareAndSwap: (kv, options) => kv.compareAndSwap("key", 1, 2, options),
  compareAndSwapDetailed: (kv, options) => kv.compareAndSwapDetailed("key", 1, 2, options),
};

// Each leaves the expiry of "key", which is 1 and is there, alone.
const keepers: Readonly<Record<string, Write>> = {
  incrementBy: (kv) => kv.incrementBy("key", 1, { ttl: 99_000 }),
  getOrSet: (kv) => kv.getOrSet("key", 2, { ttl: 99_000 }),
  setIfAbsent: (kv) => kv.setIfAbsent("key", 2, { ttl: 99_000 }),
  "a mismatched compareAndSwap": (kv) => kv.compareAndSwap("key", 9, 2, { ttl: 99_000 }),
  get: (kv) => kv.get("key"),
  "a claim": async (kv) => kv.releaseClaim(granted(await kv.claimKey("key"))),
  "a completed claim that keeps the key": async (kv) =>
    kv.completeClaim(granted(await kv.claimKey("key")), { deleteKey: false }),
  rebuildKeyList: (kv) => kv.rebuildKeyList(),
};

const createsMortal =
  (create: Write): Case =>
  async ({ kv, env, expect }) => {
    await create(kv);
    expect(await kv.ttl("key")).toBe(ttl);
    await env.advance(ttl - 1);
    expect(await kv.exists("key")).toBe(true);
    expect(await kv.ttl("key")).toBe(1);
    await env.advance(1);
    expect(await kv.exists("key")).toBe(false);
    expect(await kv.ttl("key")).toBeUndefined();
  };

export const expiryFamily: Family = {
  title: "expiry",
  needs: "virtual clock",
  cases: {
    ...casesOf(
      { ...valueCreators, ...arrayCreators },
      (name) => `${name} with a ttl creates a key that vanishes`,
      createsMortal,
    ),
    ...casesOf(
      replacers,
      (name) => `${name} replaces the expiry, and keeps it with keepTtl`,
      (replace) =>
        async ({ kv, env, expect }) => {
          await kv.set("key", 1, { ttl: 2_000 });
          await env.advance(500);
          await replace(kv, { keepTtl: true });
          expect(await kv.ttl("key")).toBe(1_500);
          await kv.set("key", 1, { keepTtl: true });
          await replace(kv, { ttl: 9_000 });
          expect(await kv.ttl("key")).toBe(9_000);
          await kv.set("key", 1, { keepTtl: true });
          await replace(kv);
          expect(await kv.ttl("key")).toBeNull();
          await env.advance(10_000);
          expect(await kv.get("key")).toBe(2);
        },
    ),
    ...casesOf(
      keepers,
      (name) => `${name} leaves the expiry of an existing key alone`,
      (operation) =>
        async ({ kv, env, expect }) => {
          await kv.set("key", 1, { ttl: 2_000 });
          await env.advance(500);
          await operation(kv);
          expect(await kv.ttl("key")).toBe(1_500);
          await env.advance(1_500);
          expect(await kv.exists("key")).toBe(false);
        },
    ),

    "append, prepend and pops keep the expiry of an array": async ({ kv, env, expect }) => {
      await kv.append("q", 1, { ttl: 2_000 });
      await env.advance(500);
      await kv.append("q", 2, { ttl: 99_000 });
      await kv.prepend("q", 0, { ttl: 99_000 });
      await kv.pop("q");
      await kv.popFirst("q");
      expect(await kv.ttl("q")).toBe(1_500);
      await env.advance(1_500);
      expect(await kv.exists("q")).toBe(false);
      expect(await kv.append("q", 1)).toBe(1);
      expect(await kv.ttl("q")).toBeNull();
    },

    "keepTtl on a key without an expiry, or on none, gives it none": async ({ kv, expect }) => {
      await kv.set("key", 1);
      await kv.set("key", 2, { keepTtl: true });
      expect(await kv.ttl("key")).toBeNull();
      await kv.set("new", 1, { keepTtl: true });
      expect(await kv.ttl("new")).toBeNull();
    },

    "keepTtl does not revive the expiry of an expired key": async ({ kv, env, expect }) => {
      await kv.set("key", 1, { ttl: 1_000 });
      env.stall(1_000);
      await kv.set("key", 2, { keepTtl: true });
      expect(await kv.ttl("key")).toBeNull();
      await env.advance(10_000);
      expect(await kv.get("key")).toBe(2);
    },

    "expire, ttl and persist work on values": async ({ kv, env, expect }) => {
      expect(await kv.expire("key", 1_000)).toBe(false);
      expect(await kv.ttl("key")).toBeUndefined();
      expect(await kv.persist("key")).toBe(false);
      await kv.set("key", { a: 1 });
      expect(await kv.ttl("key")).toBeNull();
      expect(await kv.persist("key")).toBe(false);
      expect(await kv.expire("key", 1_000)).toBe(true);
      await env.advance(400);
      expect(await kv.ttl("key")).toBe(600);
      expect(await kv.expire("key", 5_000)).toBe(true);
      expect(await kv.ttl("key")).toBe(5_000);
      expect(await kv.persist("key")).toBe(true);
      expect(await kv.ttl("key")).toBeNull();
      await env.advance(10_000);
      expect(await kv.get("key")).toStrictEqual({ a: 1 });
    },

    "expire, ttl and persist work on arrays": async ({ kv, env, expect }) => {
      await kv.append("q", 1);
      expect(await kv.expire("q", 1_000)).toBe(true);
      await env.advance(999);
      expect(await kv.ttl("q")).toBe(1);
      expect(await kv.persist("q")).toBe(true);
      await env.advance(10_000);
      expect(await kv.range("q")).toStrictEqual([1]);
      await kv.expire("q", 1_000);
      await env.advance(1_000);
      expect(await kv.range("q")).toStrictEqual([]);
    },

    "an expiry that is shortened or lengthened takes effect when it says": async ({
      kv,
      env,
      expect,
    }) => {
      await kv.set("short", 1, { ttl: 50_000 });
      await kv.set("long", 1, { ttl: 1_000 });
      await kv.expire("short", 10);
      await kv.expire("long", 60_000);
      await env.advance(10);
      expect(await kv.listKeys()).toStrictEqual(["long"]);
      await env.advance(59_989);
      expect(await kv.listKeys()).toStrictEqual(["long"]);
      await env.advance(1);
      expect(await kv.listKeys()).toStrictEqual([]);
    },

    "add renews the expiry of a filter item, checkThenAdd does not": async ({
      kv,
      env,
      expect,
    }) => {
      const filter = kv.filter("seen");
      await filter.add("a", { ttl: 1_000 });
      await filter.checkThenAdd("b", { ttl: 1_000 });
      await env.advance(500);
      expect(await filter.add("a", { ttl: 1_000 })).toBe(false);
      expect(await filter.checkThenAdd("b", { ttl: 9_000 })).toBe(true);
      await env.advance(500);
      expect([await filter.contains("a"), await filter.contains("b")]).toStrictEqual([true, false]);
      await filter.add("a");
      await env.advance(10_000);
      expect(await filter.contains("a")).toBe(true);
    },

    "an expiry of years is kept, and does not come early": async ({ kv, env, expect }) => {
      const years = 50 * 365 * 86_400_000;
      await kv.set("key", 1, { ttl: years });
      await env.advance(40 * 86_400_000);
      expect(await kv.ttl("key")).toBe(years - 40 * 86_400_000);
      expect(await kv.exists("key")).toBe(true);
    },

    "ttl and keepTtl exclude each other": async ({ kv, expect }) => {
      await refusal(kv.set("key", 1, { ttl: 5, keepTtl: true }), "InvalidOptionsError");
      await refusal(kv.setMany({ key: 1 }, { ttl: 5, keepTtl: true }), "InvalidOptionsError");
      await refusal(kv.swap("key", 1, { ttl: 5, keepTtl: true }), "InvalidOptionsError");
      await kv.set("key", 1, { ttl: 5, keepTtl: false });
      expect(await kv.ttl("key")).toBe(5);
    },
  },
};
