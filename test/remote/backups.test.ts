// What a snapshot of a store on a server gives: every row once, whatever others do meanwhile.

import { seededRandom, virtualEnv } from "anykv/testing";
import { expect, test } from "vitest";
import type { SnapshotRow } from "../../src/engine/snapshot.js";
import { tableNames } from "../../src/engine/tables.js";
import type { MemberPiece, Piece, PiecePage } from "../../src/operations/pieces.js";
import type { Reply } from "../../src/remote/connection.js";
import type { RemoteStore } from "../../src/remote/remote-store.js";
import { SimulatedFiles } from "../../src/testing/simulated-files.js";
import { backup } from "../../src/transfer/backup.js";
import { plainSnapshotFiles } from "../transfer/plain-snapshot-files.js";
import { check, openWatched, recorded, withPlace } from "./remote-stores.js";
import { describeWith, lackOfAny } from "./servers.js";
import { anyKind, useServer } from "./valkey-factory.js";

/** Rows that a backup asks for at a time. */
const stepRows = 512;

async function rowsOf(store: RemoteStore, between: () => Promise<unknown> = async () => {}) {
  const snapshot = await store.snapshot({ tables: tableNames, bestEffort: false });
  const rows: SnapshotRow[] = [];
  for (let some = await snapshot.next(stepRows); some; some = await snapshot.next(stepRows)) {
    rows.push(...some);
    await between();
  }
  return { rows, snapshot };
}

function namesOf(rows: readonly SnapshotRow[], table: SnapshotRow["table"]): string[] {
  return rows.filter((row) => row.table === table).map(({ key }) => key);
}

function items(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `item${index}`);
}

async function fill(store: RemoteStore, bucket: string, names: readonly string[], ttl?: number) {
  const options = ttl === undefined ? {} : { ttl };
  await Promise.all(names.map((item) => store.addMember({ bucket, item, ...options })));
}

describeWith("a snapshot of a store on a server", lackOfAny(), () => {
  useServer(anyKind());

  test.each([1, 3])("has every item of a large bucket, in %i partitions", (partitions) =>
    withPlace(partitions, (store) =>
      withPlace(1, async (other) => {
        const names = items(2_500);
        await fill(store, "seen", names.slice(0, 1_300));
        await fill(store, "seen", names.slice(1_300), 60_000);
        const { rows, snapshot } = await rowsOf(store);
        expect(namesOf(rows, "members").sort()).toStrictEqual(
          names.map((item) => `4:seen${item}`).sort(),
        );
        expect(snapshot.isExact).toBe(true);
        const source = [rows];
        await other.replace({ next: () => source.shift(), pause: async () => {}, counters: [] });
        expect(await other.countMembers({ bucket: "seen" })).toBe(2_500);
        expect((await rowsOf(other)).rows).toHaveLength(rows.length);
      }),
    ),
  );

  test("loses nobody when others expire and are removed meanwhile", () =>
    withPlace(1, async (store, place) => {
      const kept = Array.from({ length: 1_500 }, (_, index) => `keep${index}`);
      await Promise.all(kept.map((bucket) => store.addMember({ bucket, item: "x" })));
      // Each of them goes soon, some buckets only in part.
      const soon = Array.from({ length: 1_500 }, (_, index) => index);
      await Promise.all(
        soon.map((index) =>
          store.addMember({ bucket: `m${index % 1_200}`, item: `${index}`, ttl: 100 + index }),
        ),
      );
      await fill(store, "large", items(1_200), 200);
      await fill(store, "large", ["a", "b", ...items(2_400).slice(1_200)]);
      const { rows, snapshot } = await rowsOf(store, () => place.env.advance(150));
      expect(snapshot.isExact).toBe(true);
      const given = namesOf(rows, "members");
      expect(new Set(given).size).toBe(given.length);
      const wanted = [
        ...kept.map((bucket) => `${bucket.length}:${bucket}x`),
        ...["a", "b", ...items(2_400).slice(1_200)].map((item) => `5:large${item}`),
      ];
      expect(wanted.filter((name) => !given.includes(name))).toStrictEqual([]);
    }));

  test("fails rather than give less than the server counts", () =>
    withPlace(1, async (_, place) => {
      const { store, connection } = await recorded(place);
      await fill(store, "seen", items(50));
      connection.change = ({ operation }, reply) =>
        operation === "dump_members" ? (reply as Reply[]).slice(2) : reply;
      await expect(rowsOf(store)).rejects.toMatchObject({ name: "UnexpectedStoreOutputError" });
      await store.close();
    }));
});

describeWith("an array in a snapshot", lackOfAny(), () => {
  useServer(anyKind());

  const length = 25_000;

  async function fillArray(store: RemoteStore, key: string): Promise<void> {
    for (let first = 0; first < length; first += 5_000) {
      const values = Array.from({ length: 5_000 }, (_, index) => `${first + index}`);
      await Promise.all(values.map((value) => store.push({ key, value, end: "last" })));
    }
  }

  const pop = { key: "q", end: "first", check } as const;

  async function elementsOf(store: RemoteStore) {
    const { rows, snapshot } = await rowsOf(store);
    const found = rows.filter(({ table }) => table === "items").map(({ value }) => Number(value));
    expect(rows.filter(({ table }) => table === "lists").map(({ value }) => value)).toStrictEqual([
      `1 0 ${found.length}`,
    ]);
    return { found, snapshot };
  }

  test("is whole although elements are popped between all answers", () =>
    withPlace(1, async (other, place) => {
      await fillArray(other, "q");
      const { store, calls } = await openWatched(place, "dump_elements", {
        after: () => other.pop(pop),
      });
      const { found, snapshot } = await elementsOf(store);
      expect(found.slice(0, 1)).toStrictEqual([2]);
      expect(found).toStrictEqual(Array.from({ length: length - 2 }, (_, index) => index + 2));
      expect([snapshot.isExact, snapshot.tornArrays]).toStrictEqual([false, 0]);
      // Two pages that do not fit together; then all of them, and one for what may have been added.
      expect(calls).toHaveLength(2 + 4);
      await store.close();
    }));

  test("that never rests is said to be torn", () =>
    withPlace(1, async (other, place) => {
      await fillArray(other, "q");
      const { store } = await openWatched(place, "dump_elements", {
        before: () => void other.pop(pop),
      });
      const { found, snapshot } = await elementsOf(store);
      expect(found.at(-1)).toBe(length - 1);
      expect([snapshot.isExact, snapshot.tornArrays]).toStrictEqual([false, 1]);
      const files = new SimulatedFiles({ random: seededRandom(7) });
      const attention = { signal: undefined, onProgress: undefined };
      const copying = {
        env: virtualEnv({ files }),
        store,
        files: plainSnapshotFiles,
        ...attention,
      };
      const summary = await backup(copying, { target: "/backup.kv", bestEffort: false });
      expect(summary.bestEffort).toBe(true);
      expect(summary.warning).toContain("; an array changed all the while");
      await store.close();
    }));

  test("that is too large to be held is given as it comes, and said to be torn if it changes", () =>
    withPlace(1, async (other, place) => {
      const large = JSON.stringify("x".repeat(1_000_000));
      for (let element = 0; element < 30; element++) {
        await other.push({ key: "q", value: large, end: "last" });
      }
      let mayPop = false;
      const { store, calls } = await openWatched(place, "dump_elements", {
        after: async (call) => {
          if (mayPop && call === 15 + 12) await other.pop(pop);
        },
      });
      const quiet = await rowsOf(store);
      expect(calls).toHaveLength(15);
      expect([quiet.snapshot.isExact, quiet.snapshot.tornArrays]).toStrictEqual([true, 0]);
      expect(namesOf(quiet.rows, "items")).toHaveLength(30);
      mayPop = true;
      const { rows, snapshot } = await rowsOf(store);
      expect([snapshot.isExact, snapshot.tornArrays]).toStrictEqual([false, 1]);
      expect(namesOf(rows, "items")).toHaveLength(29);
      await store.close();
    }));

  test("that becomes a value meanwhile is given as one of both", () =>
    withPlace(1, async (other, place) => {
      await other.push({ key: "q", value: "1", end: "last" });
      await other.push({ key: "r", value: "1", end: "last" });
      const { store } = await openWatched(place, "dump_elements", {
        after: async (call) => {
          if (call > 1) return;
          for (const key of ["q", "r"]) {
            await other.deleteArray({ key });
            await other.set({ key, value: "2" });
          }
        },
      });
      const { rows } = await rowsOf(store);
      expect(namesOf(rows, "lists")).toStrictEqual(["q"]);
      expect(namesOf(rows, "values")).toStrictEqual(["r"]);
      await store.close();
    }));
});

describeWith("the pieces of a store on a server", lackOfAny(), () => {
  useServer(anyKind());

  async function membersOf(store: RemoteStore, between: () => Promise<unknown>): Promise<Piece[]> {
    const pieces: Piece[] = [];
    let cursor: string | undefined = "";
    while (cursor !== undefined) {
      const bounds = { table: "filters", rowsMax: 500, bytesMax: 1_000_000 } as const;
      const page: PiecePage = await store.content.page({ ...bounds, cursor });
      pieces.push(...page.pieces);
      cursor = page.cursor;
      await between();
    }
    return pieces;
  }

  test("come once, whatever expires meanwhile", () =>
    withPlace(2, async (store, place) => {
      await Promise.all(
        items(5_000).map((item, index) =>
          store.addMember({ bucket: "seen", item, ttl: 100 + index }),
        ),
      );
      await Promise.all(
        items(1_000).map((bucket, index) =>
          store.addMember({ bucket, item: "x", ttl: 100 + index }),
        ),
      );
      await Promise.all(items(1_000).map((bucket) => store.addMember({ bucket, item: "y" })));
      let pages = 0;
      const pieces = await membersOf(store, async () => {
        pages++;
        await place.env.advance(50);
      });
      const names = pieces.map(
        (piece) => (piece as MemberPiece).bucket + (piece as MemberPiece).item,
      );
      expect(new Set(names).size).toBe(names.length);
      expect(names.filter((name) => name.endsWith("y"))).toHaveLength(1_000);
      expect(pages).toBeLessThan(20);
    }));
});
