// Ranges that take more than one call, beside others who change the array in between.

import { expect, test } from "vitest";
import type { RemoteStore } from "../../src/remote/remote-store.js";
import { check, openWatched, withPlace } from "./remote-stores.js";
import { describeWith, lackOfAny } from "./servers.js";
import { anyKind, useServer } from "./valkey-factory.js";

const whole = { key: "q", start: 0, end: Number.MAX_SAFE_INTEGER };

async function fill(store: RemoteStore, first: number, behind: number): Promise<void> {
  const pushes: Promise<number>[] = [];
  for (let element = first; element < behind; element++) {
    pushes.push(store.push({ key: "q", value: `${element}`, end: "last" }));
  }
  await Promise.all(pushes);
}

describeWith("a range of more than one call", lackOfAny(), () => {
  useServer(anyKind());

  const changes: [string, (store: RemoteStore) => Promise<unknown>][] = [
    ["its first element is popped", (store) => store.pop({ key: "q", end: "first", check })],
    ["its last element is popped", (store) => store.pop({ key: "q", end: "last", check })],
    ["an element is put before it", (store) => store.push({ key: "q", value: "-1", end: "first" })],
    [
      "it goes round",
      async (store) => {
        const value = `${await store.pop({ key: "q", end: "first", check })}`;
        await store.push({ key: "q", value, end: "last" });
      },
    ],
    [
      "another array takes its place",
      async (store) => {
        await store.deleteArray({ key: "q" });
        await fill(store, 5_000, 7_500);
      },
    ],
    ["it is deleted", (store) => store.deleteArray({ key: "q" })],
    ["the store is emptied", (store) => store.clear(undefined)],
    ["it expires", (store) => store.expire({ key: "q", ttl: 1 })],
  ];

  for (const [what, change] of changes) {
    test(`is of one instant when ${what} meanwhile`, () =>
      withPlace(1, async (other, place) => {
        await fill(other, 0, 2_500);
        const { store, calls } = await openWatched(place, "range", {
          after: async (call) => {
            if (call !== 1) return;
            await change(other);
            if (what === "it expires") await place.env.advance(1);
          },
        });
        const found = await store.range(whole);
        const now = await other.range(whole);
        expect(found).toStrictEqual(now);
        expect(calls.length).toBeGreaterThan(1);
        await store.close();
      }));
  }

  test("goes on while other arrays and values change", () =>
    withPlace(1, async (other, place) => {
      await fill(other, 0, 2_500);
      const { store, calls } = await openWatched(place, "range", {
        after: async () => {
          await other.push({ key: "other", value: "1", end: "last" });
          await other.set({ key: "v", value: "1" });
        },
      });
      expect(await store.range({ ...whole, start: -2_400, end: -50 })).toStrictEqual(
        Array.from({ length: 2_350 }, (_, index) => `${index + 100}`),
      );
      expect(calls).toHaveLength(3);
      await store.close();
    }));

  test("gives up when the array never rests, and says so", () =>
    withPlace(1, async (other, place) => {
      await fill(other, 0, 25_000);
      const { store } = await openWatched(place, "range", {
        before: () => void other.pop({ key: "q", end: "first", check }),
      });
      await expect(store.range(whole)).rejects.toMatchObject({
        name: "ServerRefusedError",
        key: "q",
        hint: expect.stringContaining("range"),
      });
      await store.close();
    }));

  test("needs two attempts when the array changes after every answer", () =>
    withPlace(1, async (other, place) => {
      await fill(other, 0, 25_000);
      const { store, calls } = await openWatched(place, "range", {
        after: () => other.pop({ key: "q", end: "first", check }),
      });
      expect((await store.range(whole)).map(Number)).toStrictEqual(
        Array.from({ length: 24_998 }, (_, index) => index + 2),
      );
      // Two pages that do not fit together; then all of them, and one for what may have been added.
      expect(calls).toHaveLength(2 + 4);
      await store.close();
    }));

  test("ends a page at 1 MiB, and reads on at that size", () =>
    withPlace(1, async (other, place) => {
      const large = JSON.stringify("x".repeat(300_000));
      for (let element = 0; element < 20; element++) {
        await other.push({
          key: "q",
          value: element % 7 === 0 ? `${element}` : large,
          end: "last",
        });
      }
      const { store, calls } = await openWatched(place, "range", {
        after: async (call) => {
          if (call === 2) await other.push({ key: "q", value: "20", end: "last" });
        },
      });
      const found = await store.range({ ...whole, start: 1 });
      expect(found).toStrictEqual(await other.range({ ...whole, start: 1 }));
      expect(found).toHaveLength(20);
      expect(calls.length).toBeGreaterThan(5);
      await store.close();
    }));

  test("is read by four clients that take elements away as fast as they can", () =>
    withPlace(1, async (store, place) => {
      await fill(store, 0, 20_000);
      const others = await Promise.all(Array.from({ length: 4 }, () => place.open()));
      let isOver = false;
      const users = others.map(async (other) => {
        while (!isOver) {
          const value = `${await other.pop({ key: "q", end: "first", check })}`;
          await other.push({ key: "q", value: `${Number(value) + 20_000}`, end: "last" });
        }
      });
      try {
        for (let round = 0; round < 20; round++) {
          const found = (await store.range(whole)).map(Number);
          // Elements stand in the order in which their turn comes, up to the few that are under way.
          expect(found.length).toBeGreaterThanOrEqual(20_000 - others.length);
          expect(new Set(found).size).toBe(found.length);
          expect(Math.max(...found) - Math.min(...found)).toBeLessThan(20_000 + 2 * others.length);
        }
      } finally {
        isOver = true;
        await Promise.all(users);
      }
    }));
});
