// No call takes long: what is large comes in several, and what is many goes in few commands.

import { expect, test } from "vitest";
import type { SnapshotRow } from "../../src/engine/snapshot.js";
import { tableNames } from "../../src/engine/tables.js";
import type { ArrayPiece, Piece } from "../../src/operations/pieces.js";
import { distinctRanks } from "../../src/remote/remote-samples.js";
import { seededRandom } from "../../src/testing/seeded-random.js";
import { check, recorded, withPlace } from "./remote-stores.js";
import { describeWith, lackOfAny } from "./servers.js";
import { anyKind, theClient, useServer } from "./valkey-factory.js";

const stepKeysMax = 1_000;
/** Of a reply: a page, and what is beyond it with the last element. */
const replyBytesMax = 1.5 * 2 ** 20;
const lease = { ttl: 60_000, owner: "" };

function numbered(count: number, value = "1"): { key: string; value: string }[] {
  return Array.from({ length: count }, (_, index) => ({ key: `n${index}`, value }));
}

async function commandsFor(work: () => Promise<unknown>): Promise<number> {
  const client = theClient();
  await client.config("RESETSTAT");
  await work();
  const stats = await client.info("commandstats");
  const counts = [...stats.matchAll(/^cmdstat_\S+:calls=(\d+)/gm)].map(([, count]) =>
    Number(count),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

test("ranks are different, and every choice in every order is as likely as any other", () => {
  const random = seededRandom(7);
  const runs = 60_000;
  const found = new Map<string, number>();
  for (let run = 0; run < runs; run++) {
    const choice = distinctRanks(random, 3, 6).join(" ");
    found.set(choice, (found.get(choice) ?? 0) + 1);
  }
  expect(found.size).toBe(6 * 5 * 4);
  const mean = runs / found.size;
  for (const count of found.values()) expect(Math.abs(count - mean)).toBeLessThan(5 * mean ** 0.5);
});

describeWith("the bounds of a call", lackOfAny(), () => {
  useServer(anyKind());

  // 20,000 keys: 2,000 are looked up by rank, 15,000 are chosen from all of them.
  test.each([
    [1, 2_000, "select_keys"],
    [1, 15_000, "scan_keys"],
    [2, 2_000, "select_keys"],
    [1, 3_000, "sample"],
  ])("in %i partitions, %i random keys come in steps (%s)", (partitions, count, operation) =>
    withPlace(partitions, async (_, place) => {
      const { store, connection } = await recorded(place);
      const entries = numbered(20_000);
      await store.setMany({ entries: entries.slice(0, 10_000) });
      await store.setMany({ entries: entries.slice(10_000) });
      connection.calls.length = 0;
      const unique = operation !== "sample";
      const keys = await store.randomKeys({ prefix: "", count, unique });
      expect(keys).toHaveLength(count);
      if (unique) expect(new Set(keys).size).toBe(count);
      expect(connection.calls.map((call) => call.operation)).toContain(operation);
      for (const { args } of connection.calls) expect(args).toBeLessThan(stepKeysMax + 3);
      for (const { replyBytes } of connection.calls) expect(replyBytes).toBeLessThan(20_000);
      const all = new Set(entries.map(({ key }) => key));
      expect(keys.every((key) => all.has(key))).toBe(true);
      await store.close();
    }),
  );

  test("keys that go between two calls are replaced by others, and none is given twice", () =>
    withPlace(1, async (writer, place) => {
      const { store, connection } = await recorded(place);
      await writer.setMany({ entries: numbered(10_000) });
      await writer.setMany({ entries: numbered(20_000).slice(10_000) });
      let steps = 0;
      connection.after = async ({ operation }) => {
        if (operation !== "select_keys" || ++steps > 1) return;
        await writer.deleteByPrefix({ prefix: "n1", limit: 6_000 });
        await writer.set({ key: "a", value: "1" });
      };
      const keys = await store.randomKeys({ prefix: "", count: 2_400, unique: true });
      expect(new Set(keys).size).toBe(2_400);
      expect(keys).toHaveLength(2_400);
      await store.close();
    }));

  test("large values and elements come in several calls", () =>
    withPlace(1, async (_, place) => {
      const { store, connection } = await recorded(place);
      const long = JSON.stringify("x".repeat(300_000));
      const entries = numbered(12, long);
      const keys = entries.map(({ key }) => key);
      // Small ones first, so that nothing read so far tells of the large ones.
      await store.setMany({
        entries: numbered(100).map(({ key, value }) => ({ key: `a${key}`, value })),
      });
      for (const entry of entries) await store.set(entry);
      for (let element = 0; element < 200; element++) {
        await store.push({ key: "q", value: `${element}`, end: "last" });
      }
      for (let element = 0; element < 12; element++) {
        await store.push({ key: "q", value: long, end: "last" });
      }
      connection.calls.length = 0;
      const wanted = ["an1", "none", ...keys, "an2"];
      expect(await store.getMany(wanted)).toStrictEqual([
        "1",
        undefined,
        ...keys.map(() => long),
        "1",
      ]);
      const { entries: scanned } = await store.scan({ prefix: "", after: "", limit: 0 });
      expect(scanned.filter(({ value }) => value === long)).toHaveLength(12);
      expect(scanned).toHaveLength(112);
      expect(await store.range({ key: "q", start: 0, end: 300 })).toHaveLength(212);
      const claims = await store.claimRandom({ prefix: "n", count: 20, lease, check });
      expect(claims.map(({ key, value }) => [key, value]).sort()).toStrictEqual(
        keys.map((key) => [key, long]).sort(),
      );
      await store.releaseClaims({ claims });
      const { claimed, missing } = await store.claimKeys({
        ...{ keys: ["none", ...keys], allOrNothing: false, lease, check },
      });
      expect(claimed.map(({ key, value }) => [key, value])).toStrictEqual(
        keys.map((key) => [key, long]),
      );
      expect(missing).toStrictEqual(["none"]);
      await store.releaseClaims({ claims: claimed });
      const popped = await store.popRandom({ prefix: "n", count: 20, check });
      expect(popped.map(({ key }) => key).sort()).toStrictEqual([...keys].sort());
      expect(await store.count("")).toBe(100);
      for (const { operation, replyBytes } of connection.calls) {
        expect(replyBytes, operation).toBeLessThan(replyBytesMax);
      }
      await store.close();
    }));

  test("large values and elements in the places of pieces come in several calls", () =>
    withPlace(2, async (_, place) => {
      const { store, connection } = await recorded(place);
      const long = JSON.stringify("x".repeat(300_000));
      const values = numbered(12, long).map(
        ({ key, value }): Piece => ({ table: "values", key, value, deadline: Infinity }),
      );
      const arrays = ["q", "r", "s"].map((key, index): Piece => {
        const elements = Array.from({ length: 9 }, (_, at) => (at === 4 * index ? "1" : long));
        const first = { table: "arrays", key, deadline: Infinity, first: 0 } as const;
        return { ...first, elements, length: elements.length };
      });
      const pieces = [...values, ...arrays];
      for (const piece of pieces) await store.content.put([piece]);
      connection.calls.length = 0;
      const { pieces: found } = await store.content.find(pieces);
      expect(found).toStrictEqual(pieces);
      // Of other arrays and values in their places, and of nothing.
      const others = pieces.map((piece): Piece => {
        if (piece.table === "values") return { ...piece, key: `${piece.key}x` };
        const { elements } = piece as ArrayPiece;
        return { ...(piece as ArrayPiece), first: 2, elements: elements.slice(0, 6) };
      });
      const wanted = arrays.map((piece) => {
        const { elements } = piece as ArrayPiece;
        return { ...piece, first: 2, elements: elements.slice(2, 8) };
      });
      expect((await store.content.find(others)).pieces).toStrictEqual([
        ...values.map(() => undefined),
        ...wanted,
      ]);
      for (const { operation, replyBytes } of connection.calls) {
        expect(replyBytes, operation).toBeLessThan(replyBytesMax);
      }
      await store.close();
    }));

  test("a restore puts large elements together in several calls", () =>
    withPlace(1, (source) =>
      withPlace(1, async (_, place) => {
        const { store, connection } = await recorded(place);
        const long = JSON.stringify("x".repeat(300_000));
        for (let element = 0; element < 12; element++) {
          await source.push({ key: "q", value: long, end: "last" });
        }
        const snapshot = await source.snapshot({ tables: tableNames, bestEffort: false });
        const rows: SnapshotRow[][] = [];
        for (let some = await snapshot.next(5); some !== undefined; some = await snapshot.next(5)) {
          rows.push(some);
        }
        await store.replace({ next: () => rows.shift(), pause: async () => {}, counters: [] });
        const builds = connection.calls.filter(({ operation }) => operation === "load_build");
        expect(builds.length).toBeGreaterThan(2);
        expect(await store.range({ key: "q", start: 0, end: 12 })).toStrictEqual(
          Array.from({ length: 12 }, () => long),
        );
        await store.close();
      }),
    ));

  test("a thousand keys take few commands", () =>
    withPlace(1, async (store) => {
      const entries = numbered(1_000);
      const keys = entries.map(({ key }) => key);
      const options = { ttl: 60_000 };
      const few = 60;
      expect(await commandsFor(() => store.setMany({ entries, options }))).toBeLessThan(few);
      expect(await commandsFor(() => store.setMany({ entries, options }))).toBeLessThan(few);
      expect(await commandsFor(() => store.getMany(keys))).toBeLessThan(few);
      let claims = (await store.claimKeys({ keys: [], allOrNothing: false, lease, check })).claimed;
      const all = { prefix: "", count: 1_000, lease, check };
      const claim = async () => {
        claims = await store.claimRandom(all);
      };
      expect(await commandsFor(claim)).toBeLessThan(few);
      expect(claims).toHaveLength(1_000);
      const renew = { claims, ttl: 60_000 };
      expect(await commandsFor(() => store.renewClaims(renew))).toBeLessThan(few);
      expect(await commandsFor(() => store.releaseClaims({ claims }))).toBeLessThan(few);
      const claimAll = async () => {
        ({ claimed: claims } = await store.claimKeys({ ...all, keys, allOrNothing: true }));
      };
      expect(await commandsFor(claimAll)).toBeLessThan(few);
      const complete = () =>
        store.completeClaims({ claims: claims.slice(0, 500), deleteKey: true });
      expect(await commandsFor(complete)).toBeLessThan(few);
      expect(await store.count("")).toBe(500);
      expect(await commandsFor(() => store.deleteMany({ keys }))).toBeLessThan(few);
      expect(await store.count("")).toBe(0);
    }));

  test("a claim that is named twice ends once, and only live ones end", () =>
    withPlace(1, async (store) => {
      await store.setMany({ entries: numbered(3) });
      const { claimed } = await store.claimKeys({
        ...{ keys: ["n0", "n1"], allOrNothing: true, lease, check },
      });
      const [first, second] = claimed as [(typeof claimed)[0], (typeof claimed)[0]];
      const foreign = { ...second, key: "n2" };
      const twice = { claims: [first, foreign, first] };
      expect(await store.renewClaims({ ...twice, ttl: 1 })).toStrictEqual([true, false, true]);
      expect(await store.releaseClaims(twice)).toStrictEqual([true, false, false]);
      const complete = { claims: [second, second, first], deleteKey: true };
      expect(await store.completeClaims(complete)).toStrictEqual([true, false, false]);
      expect(await store.count("")).toBe(2);
    }));

  test("claims that have expired are told apart from live ones, however many they are", () =>
    withPlace(1, async (store, place) => {
      await store.setMany({ entries: numbered(3_000) });
      await store.setMany({ entries: [{ key: "other", value: "1" }] });
      const mortal = { ttl: 100, owner: "" };
      await store.claimRandom({ prefix: "n", count: 2_900, lease: mortal, check });
      await store.claimKeys({ keys: ["other"], allOrNothing: true, lease, check });
      place.env.stall(100);
      const { claimedExpired, ...all } = await store.allocation("");
      expect(all).toStrictEqual({ total: 3_001, claimedLive: 1 });
      expect(claimedExpired).toBe(2_900);
      const ofPrefix = await store.allocation("n");
      expect(ofPrefix).toMatchObject({ total: 3_000, claimedLive: 0 });
      expect(ofPrefix.claimedExpired).toBeLessThan(2_901);
      expect(await store.allocation("o")).toMatchObject({
        total: 1,
        claimedLive: 1,
        claimedExpired: 0,
      });
    }));
});
