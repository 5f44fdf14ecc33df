// Claim batches: several keys or claims in one call; and pops, which allocate once and for all.

import { atOnce, type Family, granted, numberedEntries, refusal } from "./suite-case.js";

export const claimKeysFamily: Family = {
  title: "claimKeys",
  onePartition: ["claimKeys sorts its keys into claimed, busy and missing, each in input order"],
  cases: {
    "claimKeys sorts its keys into claimed, busy and missing, each in input order": async ({
      kv,
      expect,
    }) => {
      await kv.setMany({ a: 1, b: 2, c: 3, d: 4 });
      await kv.claimKey("b");
      await kv.claimKey("d");
      const result = await kv.claimKeys(["x", "d", "c", "b", "a", "w"], { owner: "me" });
      expect(Object.keys(result)).toHaveLength(3);
      expect(result.claimed.map(({ key }) => key)).toStrictEqual(["c", "a"]);
      expect(result.claimed.map(({ token }) => token)).toStrictEqual([3, 4]);
      expect(result.claimed[0]?.entry).toStrictEqual({ key: "c", value: 3 });
      expect(result.claimed[0]?.owner).toBe("me");
      expect(result.busy).toStrictEqual(["d", "b"]);
      expect(result.missing).toStrictEqual(["x", "w"]);
      expect((await kv.releaseClaims(result.claimed)).released).toBe(2);
    },

    "claimKeys of no keys resolves with three empty arrays": async ({ kv, expect }) => {
      const nothing = { claimed: [], busy: [], missing: [] };
      expect(await kv.claimKeys([])).toStrictEqual(nothing);
      expect(await kv.claimKeys([], { allOrNothing: true })).toStrictEqual(nothing);
    },

    "claimKeys that may have all or nothing claims all": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2 });
      const result = await kv.claimKeys(["b", "a"], { allOrNothing: true });
      expect(result.claimed.map(({ key }) => key)).toStrictEqual(["b", "a"]);
      expect([result.busy, result.missing]).toStrictEqual([[], []]);
    },

    "claimKeys that may have all or nothing stops at the first obstacle and claims nothing":
      async ({ kv, expect }) => {
        await kv.setMany({ a: 1, b: 2, c: 3 });
        const held = granted(await kv.claimKey("b"));
        const busy = await kv.claimKeys(["a", "b", "x", "c"], { allOrNothing: true });
        expect(busy).toStrictEqual({ claimed: [], busy: ["b"], missing: [] });
        const missing = await kv.claimKeys(["a", "x", "b", "c"], { allOrNothing: true });
        expect(missing).toStrictEqual({ claimed: [], busy: [], missing: ["x"] });
        expect((await kv.claimKey("a"))?.key).toBe("a");
        expect((await kv.claimKey("c"))?.key).toBe("c");
        expect(await kv.releaseClaim(held)).toBe(true);
      },

    "claimKeys refuses repeated keys and what is no array of keys": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2 });
      const bad = [["a", "a"], ["a", ""], ["a", 5], "a", null, undefined, { 0: "a" }] as never[];
      for (const keys of bad) await refusal(kv.claimKeys(keys), "InvalidOptionsError");
      expect((await kv.claimKeys(["a", "b"])).claimed).toHaveLength(2);
    },

    "claimKeys of many at once gives each key to one": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2, c: 3 });
      const results = await atOnce(16, () => kv.claimKeys(["a", "b", "c"]));
      expect(results.flatMap(({ claimed }) => claimed)).toHaveLength(3);
      expect(results.flatMap(({ busy }) => busy)).toHaveLength(3 * 15);
    },

    "an array is missing to claims": async ({ kv, expect }) => {
      await kv.append("array", 1);
      expect(await kv.claimKey("array")).toBeNull();
      expect((await kv.claimKeys(["array"])).missing).toStrictEqual(["array"]);
      expect(await kv.claimRandom()).toBeNull();
      expect(await kv.popRandom()).toBeNull();
    },
  },
};

export const allocationFamily: Family = {
  title: "claimRandomMany, popRandom and popRandomMany",
  cases: {
    "claimRandomMany claims distinct free keys, as many as there are": async ({ kv, expect }) => {
      await kv.setMany({ ...numberedEntries("a:", 5), b: 1 });
      await kv.claimKey("a:3");
      const claims = await kv.claimRandomMany({ prefix: "a:", count: 3, owner: "me" });
      expect(new Set(claims.map(({ key }) => key)).size).toBe(3);
      for (const claim of claims) expect(claim.owner).toBe("me");
      const rest = await kv.claimRandomMany({ prefix: "a:", count: 3 });
      const keys = [...claims, ...rest].map(({ key }) => key);
      expect(keys.toSorted()).toStrictEqual(["a:0", "a:1", "a:2", "a:4"]);
      expect(await kv.claimRandomMany({ prefix: "a:", count: 3 })).toStrictEqual([]);
      expect((await kv.completeClaims([...claims, ...rest])).completed).toBe(4);
      expect(await kv.listKeys()).toStrictEqual(["a:3", "b"]);
    },

    "claimRandomMany and popRandomMany require a count from 1 to 1,000,000": async ({
      kv,
      expect,
    }) => {
      await kv.set("a", 1);
      const counts = [0, -1, 1.5, 1_000_001, "1", undefined].map((count) => ({ count }));
      for (const options of [undefined, null, ...counts] as never[]) {
        await refusal(kv.claimRandomMany(options), "InvalidOptionsError");
        await refusal(kv.popRandomMany(options), "InvalidOptionsError");
      }
      expect(await kv.popRandomMany({ count: 1_000_000 })).toHaveLength(1);
    },

    "popRandom removes an entry of the prefix and resolves with it": async ({ kv, expect }) => {
      await kv.setMany({ "a:1": { x: 1 }, b: 2 });
      const popped = await kv.popRandom({ prefix: "a:" });
      expect(popped).toStrictEqual({ key: "a:1", value: { x: 1 } });
      expect(await kv.popRandom({ prefix: "a:" })).toBeNull();
      expect(await kv.listKeys()).toStrictEqual(["b"]);
      expect(await kv.popRandom()).toStrictEqual({ key: "b", value: 2 });
      expect(await kv.popRandom()).toBeNull();
    },

    "popRandomMany removes distinct entries, as many as there are": async ({ kv, expect }) => {
      await kv.setMany({ ...numberedEntries("a:", 5), b: 1 });
      const first = await kv.popRandomMany({ prefix: "a:", count: 3 });
      expect(await kv.size()).toBe(3);
      const rest = await kv.popRandomMany({ prefix: "a:", count: 3 });
      const keys = [...first, ...rest].map(({ key }) => key);
      expect(keys.toSorted()).toStrictEqual(["a:0", "a:1", "a:2", "a:3", "a:4"]);
      for (const { key, value } of first) expect(`a:${value}`).toBe(key);
      expect(await kv.popRandomMany({ prefix: "a:", count: 3 })).toStrictEqual([]);
      expect(await kv.listKeys()).toStrictEqual(["b"]);
    },

    "pops skip claimed keys, the caller's own too": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2, c: 3 });
      const own = granted(await kv.claimKey("b"));
      expect(await kv.popRandomMany({ count: 10 })).toHaveLength(2);
      expect(await kv.popRandom()).toBeNull();
      expect(await kv.listKeys()).toStrictEqual(["b"]);
      expect(await kv.releaseClaim(own)).toBe(true);
      expect((await kv.popRandom())?.key).toBe("b");
    },

    "popRandom of many at once never hands out an entry twice": async ({ kv, expect }) => {
      await kv.setMany(numberedEntries("k:", 40));
      const single = await atOnce(30, () => kv.popRandom());
      const batches = await atOnce(5, () => kv.popRandomMany({ count: 4 }));
      const entries = [...single, ...batches.flat()].filter((entry) => entry !== null);
      expect(entries).toHaveLength(40);
      expect(new Set(entries.map(({ key }) => key)).size).toBe(40);
      expect(await kv.size()).toBe(0);
    },

    "a popped key that is written again is free": async ({ kv, expect }) => {
      await kv.set("a", 1);
      await kv.popRandom();
      await kv.set("a", 2);
      expect((await kv.claimKey("a"))?.entry.value).toBe(2);
    },
  },
};

export const claimListFamily: Family = {
  title: "releaseClaims, completeClaims and renewClaims",
  cases: {
    "batches of claims tell how many were attempted, done and failed": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2, c: 3 });
      const { claimed } = await kv.claimKeys(["a", "b", "c"]);
      const renewed = await kv.renewClaims(claimed, { ttl: 5_000 });
      expect(renewed).toStrictEqual({ attempted: 3, renewed: 3, failed: [] });
      const released = await kv.releaseClaims(claimed.slice(0, 1));
      expect(released).toStrictEqual({ attempted: 1, released: 1, failed: [] });
      const completed = await kv.completeClaims(claimed.slice(1));
      expect(completed).toStrictEqual({ attempted: 2, completed: 2, failed: [] });
      expect(await kv.listKeys()).toStrictEqual(["a"]);
    },

    "a claim that occurs twice fails the second time, at its own position": async ({
      kv,
      expect,
    }) => {
      await kv.set("key", 1);
      const claim = granted(await kv.claimKey("key"));
      const { attempted, released, failed } = await kv.releaseClaims([claim, claim]);
      expect({ attempted, released }).toStrictEqual({ attempted: 2, released: 1 });
      expect(failed).toHaveLength(1);
      const { message, ...item } = failed[0] ?? { message: "" };
      expect(item).toStrictEqual({ index: 1, id: claim.id, key: "key", name: "ClaimNotUpdated" });
      expect(typeof message).toBe("string");
      expect(message).not.toBe("");
    },

    "a stale claim in the middle does not stop the rest": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2, c: 3 });
      const { claimed } = await kv.claimKeys(["a", "b", "c"]);
      await kv.delete("b");
      const renewed = await kv.renewClaims(claimed, { ttl: 5_000 });
      expect([renewed.renewed, renewed.failed.map(({ index }) => index)]).toStrictEqual([2, [1]]);
      const completed = await kv.completeClaims(claimed);
      expect([completed.completed, completed.failed[0]?.key]).toStrictEqual([2, "b"]);
      expect(await kv.size()).toBe(0);
    },

    "completeClaims keeps the keys when it is told to": async ({ kv, expect }) => {
      await kv.setMany({ a: 1, b: 2 });
      const { claimed } = await kv.claimKeys(["a", "b"]);
      const result = await kv.completeClaims(claimed, { deleteKey: false });
      expect(result).toStrictEqual({ attempted: 2, completed: 2, failed: [] });
      expect(await kv.size()).toBe(2);
      expect((await kv.claimKeys(["a", "b"])).claimed).toHaveLength(2);
    },

    "batches of no claims do nothing": async ({ kv, expect }) => {
      const none = { attempted: 0, failed: [] };
      expect(await kv.releaseClaims([])).toStrictEqual({ ...none, released: 0 });
      expect(await kv.completeClaims([])).toStrictEqual({ ...none, completed: 0 });
      expect(await kv.renewClaims([], { ttl: 5 })).toStrictEqual({ ...none, renewed: 0 });
    },
  },
};
