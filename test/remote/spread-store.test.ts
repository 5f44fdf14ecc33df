// What a store that is spread over partitions does differently.

import { expect, test } from "vitest";
import type { Claim } from "../../src/operations/claim-rows.js";
import { partitionOf } from "../../src/remote/partitions.js";
import type { RemoteStore } from "../../src/remote/remote-store.js";
import { check, withPlace } from "./remote-stores.js";
import { describeWith, lackOfAny } from "./servers.js";
import { anyKind, useServer } from "./valkey-factory.js";

/** A key of each partition. */
const keys = [0, 1, 2].map((partition) => {
  for (let number = 0; ; number++) {
    if (partitionOf(`k${number}`, 3) === partition) return `k${number}`;
  }
}) as [string, string, string];
const lease = { ttl: 60_000, owner: "" };

async function claimOf(store: RemoteStore, key: string): Promise<Claim> {
  const { claimed } = await store.claimKeys({ keys: [key], allOrNothing: false, lease, check });
  return claimed[0] as Claim;
}

describeWith("a store in three partitions", lackOfAny(), () => {
  useServer(anyKind());

  test("refuses a claim as the guard of a key that lies elsewhere, and says what helps", () =>
    withPlace(3, async (store) => {
      await store.set({ key: keys[0], value: "1" });
      const options = { claim: await claimOf(store, keys[0]) };
      const elsewhere = { name: "InvalidOptionsError", key: keys[0] };
      const write = async () => store.set({ key: keys[1], value: "1", options });
      await expect(write()).rejects.toMatchObject(elsewhere);
      await expect(write()).rejects.toMatchObject({ hint: expect.stringContaining("braces") });
      const entries = keys.map((key) => ({ key, value: "2" }));
      await expect((async () => store.setMany({ entries, options }))()).rejects.toMatchObject(
        elsewhere,
      );
      await expect((async () => store.clear(options))()).rejects.toMatchObject(elsewhere);
      expect(await store.getMany(keys)).toStrictEqual(["1", undefined, undefined]);
    }));

  test("a claim guards what is put beside it, until it is stale", () =>
    withPlace(3, async (store) => {
      await store.set({ key: "{job 7}", value: "1" });
      const claim = await claimOf(store, "{job 7}");
      const entries = ["{job 7}:state", "result of {job 7}"].map((key) => ({ key, value: "2" }));
      await store.setMany({ entries, options: { claim } });
      await store.releaseClaims({ claims: [claim] });
      const write = store.setMany({ entries, options: { claim } });
      await expect(write).rejects.toMatchObject({ name: "StaleClaimError", key: "{job 7}" });
      expect(await store.count("")).toBe(3);
    }));

  test("a batch that meets an array is refused in its partition, and told", () =>
    withPlace(3, async (store) => {
      await store.push({ key: keys[1], value: "1", end: "last" });
      const beside = `{${keys[1]}} beside`;
      const entries = [...keys, beside].map((key) => ({ key, value: "2" }));
      await expect(store.setMany({ entries })).rejects.toMatchObject({
        name: "WrongTypeError",
        key: keys[1],
      });
      expect(await store.exists(keys[0])).toBe(true);
      expect(await store.exists(beside)).toBe(false);
    }));

  test("all or nothing leaves no claim behind when one key is taken", () =>
    withPlace(3, async (store) => {
      await store.setMany({ entries: keys.map((key) => ({ key, value: "1" })) });
      await claimOf(store, keys[1]);
      const request = { keys, allOrNothing: true, lease, check };
      expect(await store.claimKeys(request)).toStrictEqual({
        claimed: [],
        busy: [keys[1]],
        missing: [],
      });
      expect(await store.allocation("")).toStrictEqual({
        total: 3,
        claimedLive: 1,
        claimedExpired: 0,
      });
    }));

  test("no token is granted twice", () =>
    withPlace(3, async (store) => {
      const entries = Array.from({ length: 60 }, (_, index) => ({ key: `n${index}`, value: "1" }));
      await store.setMany({ entries });
      const tokens = new Set<number>();
      for (let round = 0; round < 4; round++) {
        const claims = await store.claimRandom({ prefix: "", count: 100, lease, check });
        expect(claims).toHaveLength(60);
        for (const { token } of claims) tokens.add(token);
        await store.releaseClaims({ claims });
      }
      expect(tokens.size).toBe(240);
    }));

  test("is refused with another number of partitions", () =>
    withPlace(3, async (_store, place) => {
      await expect(place.open({}, 2)).rejects.toMatchObject({
        name: "InvalidOptionsError",
        hint: expect.stringContaining("partitions: 3"),
      });
    }));

  test("claims of one call are given back when another partition holds what cannot be read", () =>
    withPlace(3, async (store, place) => {
      const text = await place.open({ serialization: "string" });
      await store.setMany({ entries: keys.slice(0, 2).map((key) => ({ key, value: "1" })) });
      await text.set({ key: keys[2], value: "no JSON" });
      const claims = store.claimRandom({ prefix: "", count: 3, lease, check });
      await expect(claims).rejects.toThrow(SyntaxError);
      expect((await store.allocation("")).claimedLive).toBe(0);
      // What has been popped is given; the error comes when nothing else is left.
      const popped = await store.popRandom({ prefix: "", count: 3, check });
      expect(popped.map(({ key }) => key).sort()).toStrictEqual([keys[0], keys[1]].sort());
      await expect(store.popRandom({ prefix: "", count: 3, check })).rejects.toThrow(SyntaxError);
      expect(await store.get(keys[2])).toBe("no JSON");
    }));
});
