// Deletions and allocations that take more than one call: what others do in between.

import { expect, test } from "vitest";
import type { RemoteStore } from "../../src/remote/remote-store.js";
import { check, openWatched, withPlace } from "./remote-stores.js";
import { describeWith, lackOfAny } from "./servers.js";
import { anyKind, useServer } from "./valkey-factory.js";

const lease = { ttl: 1_000, owner: "" };
const all = { prefix: "n", limit: 100_000 };

async function fill(store: RemoteStore, count: number): Promise<void> {
  for (let first = 0; first < count; first += 10_000) {
    const keys = Array.from({ length: Math.min(10_000, count - first) }, (_, at) => first + at);
    await store.setMany({ entries: keys.map((at) => ({ key: `n${at}`, value: `${at}` })) });
  }
}

describeWith("an operation of more than one call", lackOfAny(), () => {
  useServer(anyKind());

  test("deletes by prefix, with what is written meanwhile", () =>
    withPlace(1, async (other, place) => {
      await fill(other, 2_500);
      const { store, calls } = await openWatched(place, "delete_prefix", {
        after: async (call) => {
          if (call === 1) await other.set({ key: "n0", value: "again" });
        },
      });
      expect(await store.deleteByPrefix(all)).toStrictEqual({ deleted: 2_501, done: true });
      expect(calls).toHaveLength(3);
      await store.close();
    }));

  test("says how far it has come when its claim ends in between", () =>
    withPlace(1, async (other, place) => {
      await fill(other, 2_500);
      await other.set({ key: "guard", value: "1" });
      const request = { keys: ["guard"], allOrNothing: true, lease, check };
      const [claim] = (await other.claimKeys(request)).claimed;
      const { store } = await openWatched(place, "delete_prefix", {
        after: (call) =>
          call === 1 ? other.releaseClaims({ claims: claim ? [claim] : [] }) : Promise.resolve(),
      });
      const options = { claim: claim as NonNullable<typeof claim> };
      expect(await store.deleteByPrefix({ ...all, options })).toStrictEqual({
        deleted: 1_000,
        done: false,
      });
      expect(await other.count("n")).toBe(1_500);
      await expect(store.deleteByPrefix({ ...all, options })).rejects.toMatchObject({
        name: "StaleClaimError",
      });
      await store.close();
    }));

  test("claims what others have left by the time of each step", () =>
    withPlace(1, async (other, place) => {
      await fill(other, 1_500);
      const { store, calls } = await openWatched(place, "claim_random", {
        after: async (call) => {
          if (call !== 1) return;
          await other.claimRandom({ prefix: "n", count: 400, lease, check });
          await fill(other, 100);
          await other.set({ key: "n", value: "1" });
        },
      });
      const claims = await store.claimRandom({ prefix: "n", count: 5_000, lease, check });
      expect(claims).toHaveLength(1_500 - 400 + 1);
      expect(new Set(claims.map(({ key }) => key)).size).toBe(claims.length);
      expect(new Set(claims.map(({ token }) => token)).size).toBe(claims.length);
      expect(calls).toHaveLength(2);
      await store.close();
    }));

  test("gives what it has popped when a later step is refused", () =>
    withPlace(1, async (other, place) => {
      await fill(other, 1_100);
      await other.set({ key: "guard", value: "1" });
      const request = { keys: ["guard"], allOrNothing: true, lease, check };
      const [claim] = (await other.claimKeys(request)).claimed;
      const { store } = await openWatched(place, "pop_random", {
        after: () => other.releaseClaims({ claims: claim ? [claim] : [] }),
      });
      const options = { claim: claim as NonNullable<typeof claim> };
      const popped = await store.popRandom({ prefix: "n", count: 1_100, check, options });
      expect(popped).toHaveLength(1_000);
      expect(await other.count("n")).toBe(100);
      await store.close();
    }));
});
