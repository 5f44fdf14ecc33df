// Rebirth: keys that are written again after their expiry inherit nothing.
//
// At the deadline the expired row is still in its table (`stall`), or the reaper has been there
// (`advance`); nobody may notice the difference.

import type { Kv } from "../../kv/kv.js";
import type { ClaimRef } from "../../kv/types.js";
import type { VirtualEnv } from "../virtual-env.js";
import { arrayCreators, ttl, valueCreators, type Write } from "./expiry.js";
import { type Case, casesOf, type Family, granted, refusal, type Setting } from "./suite-case.js";

/** Runs the body on two stores in which "key" has just expired, reaped and not. */
async function afterExpiry(
  { open, env }: Setting,
  write: (kv: Kv) => Promise<unknown>,
  body: (kv: Kv, env: VirtualEnv) => Promise<void>,
): Promise<void> {
  for (const pass of ["stall", "advance"] as const) {
    const kv = await open("json");
    await write(kv);
    await kv.expire("key", 1_000);
    await env[pass](1_000);
    await body(kv, env);
  }
}

const afterClaimedValue = (create: Write): Case => {
  return async (setting) => {
    const { expect } = setting;
    const claims = new Map<Kv, ClaimRef>();
    const claimedValue = async (kv: Kv): Promise<void> => {
      await kv.set("key", 7);
      claims.set(kv, granted(await kv.claimKey("key", { ttl: 60_000 })));
    };
    await afterExpiry(setting, claimedValue, async (kv, env) => {
      const old = claims.get(kv) as ClaimRef;
      await create(kv);
      expect(await kv.ttl("key")).toBe(ttl);
      expect((await kv.stats()).claims).toStrictEqual({ live: 0, expired: 0 });
      expect(await kv.releaseClaim(old)).toBe(false);
      await refusal(kv.set("{key} other", 9, { claim: old }), "StaleClaimError");
      await env.advance(ttl - 1);
      expect(await kv.exists("key")).toBe(true);
      await env.advance(1);
      expect(await kv.exists("key")).toBe(false);
    });
  };
};

const arrayOfThree = async (kv: Kv): Promise<void> => {
  for (const element of [7, 8, 9]) await kv.append("key", element);
};

const valueAfterArray = (create: Write): Case => {
  return async (setting) => {
    const { expect } = setting;
    await afterExpiry(setting, arrayOfThree, async (kv, env) => {
      await create(kv);
      expect(await kv.get("key")).toBe(1);
      await refusal(kv.length("key"), "WrongTypeError");
      await refusal(kv.append("key", 1), "WrongTypeError");
      expect(await kv.listArrays()).toStrictEqual([]);
      await env.advance(ttl - 1);
      expect(await kv.get("key")).toBe(1);
      expect((await kv.claimRandom())?.key).toBe("key");
    });
  };
};

const arrayAfterArray = (create: Write): Case => {
  return async (setting) => {
    const { expect } = setting;
    await afterExpiry(setting, arrayOfThree, async (kv, env) => {
      await create(kv);
      expect(await kv.range("key")).toStrictEqual([1]);
      expect(await kv.listArrays()).toStrictEqual(["key"]);
      await env.advance(ttl - 1);
      expect(await kv.range("key")).toStrictEqual([1]);
    });
  };
};

const arrayAfterValue = (create: Write): Case => {
  return async (setting) => {
    const { expect } = setting;
    await afterExpiry(
      setting,
      (kv) => kv.set("key", 7),
      async (kv) => {
        await create(kv);
        await refusal(kv.get("key"), "WrongTypeError");
        expect(await kv.range("key")).toStrictEqual([1]);
        expect(await kv.size()).toBe(0);
        expect(await kv.claimRandom()).toBeNull();
        expect(await kv.deleteArray("key")).toBe(true);
        expect(await kv.exists("key")).toBe(false);
      },
    );
  };
};

export const rebirthFamily: Family = {
  title: "keys after their expiry",
  needs: "virtual clock",
  cases: {
    ...casesOf(
      { ...valueCreators, ...arrayCreators },
      (name) => `${name} of an expired key starts afresh, without its claim or expiry`,
      afterClaimedValue,
    ),
    ...casesOf(
      valueCreators,
      (name) => `${name} after an expired array is a value`,
      valueAfterArray,
    ),
    ...casesOf(
      arrayCreators,
      (name) => `${name} after an expired array starts anew`,
      arrayAfterArray,
    ),
    ...casesOf(
      arrayCreators,
      (name) => `${name} after an expired value is an array`,
      arrayAfterValue,
    ),
  },
};
