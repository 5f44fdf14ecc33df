// Claims: exclusive leases on one key, and the tokens that fence them.

import { atOnce, type Family, granted, numberedEntries, refusal } from "./suite-case.js";

export const claimFamily: Family = {
  title: "claims",
  onePartition: [
    "tokens begin at 1 and rise by one with every claim",
    "owners have at most 256 bytes of UTF-8",
    "the length of a lease is an integer from 1 to 86,400,000",
  ],
  cases: {
    "a claim has exactly its fields, and an owner only when one was given": async ({
      kv,
      expect,
    }) => {
      await kv.set("key", { a: 1 });
      const claim = granted(await kv.claimKey("key"));
      const { id, token, expiresAt } = claim;
      const entry = { key: "key", value: { a: 1 } };
      expect(claim).toStrictEqual({ id, key: "key", token, expiresAt, entry });
      expect(typeof id).toBe("string");
      expect(id).not.toBe("");
      expect(Number.isInteger(expiresAt)).toBe(true);
      await kv.releaseClaim(claim);
      const owned = granted(await kv.claimKey("key", { owner: "worker 1" }));
      expect(owned.owner).toBe("worker 1");
      expect(Object.keys(owned)).toHaveLength(6);
      await kv.releaseClaim(owned);
      expect("owner" in granted(await kv.claimKey("key", { owner: "" }))).toBe(false);
    },

    "tokens begin at 1 and rise by one with every claim": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2, c: 3 });
      const first = granted(await kv.claimKey("a"));
      const second = granted(await kv.claimRandom());
      await kv.releaseClaim(first);
      const third = granted(await kv.claimKey("a"));
      expect([first, second, third].map(({ token }) => token)).toStrictEqual([1, 2, 3]);
      expect(new Set([first.id, second.id, third.id]).size).toBe(3);
    },

    "claimKey resolves with null for a missing key and for one that is claimed": async ({
      kv,
      expect,
    }) => {
      expect(await kv.claimKey("absent")).toBeNull();
      await kv.set("key", null);
      expect((await kv.claimKey("key"))?.entry).toStrictEqual({ key: "key", value: null });
      expect(await kv.claimKey("key")).toBeNull();
    },

    "claimRandom takes only free keys of the prefix and resolves with null when there is none":
      async ({ kv, expect }) => {
        expect(await kv.claimRandom()).toBeNull();
        await kv.setMany({ "a:1": 1, "a:2": 2, b: 3 });
        const keys = [
          await kv.claimRandom({ prefix: "a:" }),
          await kv.claimRandom({ prefix: "a:" }),
        ];
        expect(keys.map((claim) => claim?.key).toSorted()).toStrictEqual(["a:1", "a:2"]);
        expect(await kv.claimRandom({ prefix: "a:" })).toBeNull();
        expect((await kv.claimRandom())?.key).toBe("b");
        expect(await kv.claimRandom()).toBeNull();
        expect(await kv.claimRandom({ prefix: "c" })).toBeNull();
      },

    "claimRandom finds the one free key among a hundred": async ({ kv, expect }) => {
      await kv.setMany(numberedEntries("k:", 100));
      const claims = await kv.claimRandomMany({ prefix: "k:", count: 99 });
      const taken = new Set(claims.map(({ key }) => key));
      const last = granted(await kv.claimRandom({ prefix: "k:" }));
      expect(taken.has(last.key)).toBe(false);
      expect(await kv.claimRandom({ prefix: "k:" })).toBeNull();
      await kv.releaseClaim(granted(claims[57] ?? null));
      expect((await kv.claimRandom())?.key).toBe(claims[57]?.key);
    },

    "claimKey of many at once has one winner": async ({ kv, expect }) => {
      await kv.set("key", 1);
      const claims = await atOnce(32, () => kv.claimKey("key"));
      expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
    },

    "claimRandom of many at once never hands out a key twice": async ({ kv, expect }) => {
      await kv.setMany(numberedEntries("k:", 40));
      const claims = await atOnce(30, async (index) => {
        if (index % 3 === 0) return kv.claimRandomMany({ count: 3 });
        return [await kv.claimRandom()];
      });
      const keys = claims.flat().flatMap((claim) => (claim === null ? [] : [claim.key]));
      expect(keys).toHaveLength(40);
      expect(new Set(keys).size).toBe(40);
    },

    "owners have at most 256 bytes of UTF-8": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 1 });
      expect((await kv.claimKey("a", { owner: "é".repeat(128) }))?.owner).toBe("é".repeat(128));
      for (const owner of ["x".repeat(257), "é".repeat(129), 5, {}]) {
        await refusal(kv.claimKey("b", { owner: owner as string }), "InvalidOptionsError");
        await refusal(kv.claimRandom({ owner: owner as string }), "InvalidOptionsError");
      }
      expect((await kv.claimKey("b"))?.token).toBe(2);
    },

    "owners may hold any text": async ({ kv, expect }) => {
      await kv.set("a", 1);
      const owner = "a b\n7 \u{1f642} \u0000";
      const claim = granted(await kv.claimKey("a", { owner }));
      expect(claim.owner).toBe(owner);
      expect(await kv.renewClaim(claim, { ttl: 1_000 })).toBe(true);
      expect(await kv.releaseClaim(claim)).toBe(true);
    },

    "the length of a lease is an integer from 1 to 86,400,000": async ({ kv, expect }) => {
      await kv.set("a", 1);
      for (const ttl of [0, -1, 1.5, Number.NaN, Infinity, 86_400_001, "5", 1n]) {
        const options = { ttl: ttl as number };
        await refusal(kv.claimKey("a", options), "InvalidOptionsError");
        await refusal(kv.claimRandom(options), "InvalidOptionsError");
        await refusal(kv.claimKeys(["a"], options), "InvalidOptionsError");
        await refusal(kv.claimRandomMany({ count: 1, ...options }), "InvalidOptionsError");
      }
      expect((await kv.claimKey("a", { ttl: 86_400_000 }))?.token).toBe(1);
    },

    "a claim holds a copy of the entry as it was": async ({ kv, expect }) => {
      await kv.set("key", { a: 1 });
      const claim = granted(await kv.claimKey<{ a: number }>("key"));
      await kv.set("key", { a: 2 });
      expect(claim.entry.value).toStrictEqual({ a: 1 });
      claim.entry.value.a = 3;
      expect(await kv.get("key")).toStrictEqual({ a: 2 });
    },
  },
};

export const endOfClaimFamily: Family = {
  title: "release, completion and renewal",
  cases: {
    "releaseClaim frees the key at once, and only once": async ({ kv, expect }) => {
      await kv.set("key", 1);
      const claim = granted(await kv.claimKey("key"));
      expect(await kv.releaseClaim(claim)).toBe(true);
      expect(await kv.releaseClaim(claim)).toBe(false);
      expect(await kv.get("key")).toBe(1);
      expect((await kv.claimRandom())?.key).toBe("key");
    },

    "completeClaim deletes the key unless it is told not to": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2, c: 3 });
      const [a, b, c] = [await kv.claimKey("a"), await kv.claimKey("b"), await kv.claimKey("c")];
      expect(await kv.completeClaim(granted(a))).toBe(true);
      expect(await kv.completeClaim(granted(b), { deleteKey: true })).toBe(true);
      expect(await kv.completeClaim(granted(c), { deleteKey: false })).toBe(true);
      expect(await kv.listKeys()).toStrictEqual(["c"]);
      expect(await kv.completeClaim(granted(c))).toBe(false);
      expect((await kv.claimKey("c"))?.key).toBe("c");
    },

    "completeClaim deletes the key whatever its value is by now": async ({ kv, expect }) => {
      await kv.set("key", 1);
      const claim = granted(await kv.claimKey("key"));
      await kv.set("key", 2);
      expect(await kv.completeClaim(claim)).toBe(true);
      expect(await kv.exists("key")).toBe(false);
    },

    "a renewed claim is ended by the object that was first granted": async ({ kv, expect }) => {
      await kv.set("key", 1);
      const claim = granted(await kv.claimKey("key", { ttl: 1_000 }));
      const copy = structuredClone(claim);
      expect(await kv.renewClaim(claim, { ttl: 60_000 })).toBe(true);
      expect(claim).toStrictEqual(copy);
      expect(await kv.claimKey("key")).toBeNull();
      expect(await kv.releaseClaim(claim)).toBe(true);
    },

    "renewClaim requires a length": async ({ kv, expect }) => {
      await kv.set("key", 1);
      const claim = granted(await kv.claimKey("key"));
      for (const ttl of [undefined, null, 0, -1, 1.5, 86_400_001, "1000"]) {
        await refusal(kv.renewClaim(claim, { ttl: ttl as number }), "InvalidOptionsError");
        await refusal(kv.renewClaims([claim], { ttl: ttl as number }), "InvalidOptionsError");
      }
      await refusal(kv.renewClaim(claim, undefined as never), "InvalidOptionsError");
      await refusal(kv.renewClaims([], undefined as never), "InvalidOptionsError");
      expect(await kv.releaseClaim(claim)).toBe(true);
    },

    "an unknown id, key or token answers false and disturbs nobody": async ({ kv, expect }) => {
      await kv.setMany({ key: 1, other: 2 });
      const claim = granted(await kv.claimKey("key"));
      const strangers = [
        { ...claim, token: claim.token + 1 },
        { ...claim, id: "unknown" },
        { ...claim, key: "other" },
        { ...claim, key: "absent" },
        { id: "unknown", key: "unknown", token: 999 },
      ];
      for (const stranger of strangers) {
        expect(await kv.releaseClaim(stranger)).toBe(false);
        expect(await kv.completeClaim(stranger)).toBe(false);
        expect(await kv.renewClaim(stranger, { ttl: 1_000 })).toBe(false);
      }
      expect(await kv.listKeys()).toStrictEqual(["key", "other"]);
      expect(await kv.claimKey("key")).toBeNull();
      expect(await kv.completeClaim(claim)).toBe(true);
    },

    "the old holder of a key that was claimed again is refused, and the new one is not disturbed":
      async ({ kv, expect }) => {
        await kv.set("key", 1);
        const old = granted(await kv.claimKey("key"));
        await kv.releaseClaim(old);
        const fresh = granted(await kv.claimKey("key"));
        expect(await kv.releaseClaim(old)).toBe(false);
        expect(await kv.renewClaim(old, { ttl: 1 })).toBe(false);
        expect(await kv.completeClaim(old)).toBe(false);
        expect(await kv.exists("key")).toBe(true);
        expect(await kv.claimKey("key")).toBeNull();
        expect(await kv.completeClaim(fresh)).toBe(true);
      },

    "only id, key and token of a claim count": async ({ kv, expect }) => {
      await kv.set("key", 1);
      const { id, key, token } = granted(await kv.claimKey("key"));
      const reference = { id, key, token, expiresAt: "never", entry: null };
      expect(await kv.renewClaim(reference, { ttl: 5_000 })).toBe(true);
      expect(await kv.releaseClaim(reference)).toBe(true);
    },

    "what is no claim is refused with InvalidOptionsError": async ({ kv, expect }) => {
      await kv.set("key", 1);
      const claim = granted(await kv.claimKey("key"));
      const tokens = [0, -1, 1.5, "1", null].map((token) => ({ ...claim, token }));
      const texts = ["", null, 5].flatMap((text) => [
        { ...claim, id: text },
        { ...claim, key: text },
      ]);
      for (const bad of [undefined, null, "claim", 5, {}, [], ...tokens, ...texts] as never[]) {
        await refusal(kv.releaseClaim(bad), "InvalidOptionsError");
        await refusal(kv.completeClaim(bad), "InvalidOptionsError");
        await refusal(kv.renewClaim(bad, { ttl: 5 }), "InvalidOptionsError");
        await refusal(kv.releaseClaims([claim, bad]), "InvalidOptionsError");
        await refusal(kv.completeClaims([claim, bad]), "InvalidOptionsError");
        await refusal(kv.renewClaims([claim, bad], { ttl: 5 }), "InvalidOptionsError");
      }
      expect(await kv.releaseClaim(claim)).toBe(true);
    },
  },
};
