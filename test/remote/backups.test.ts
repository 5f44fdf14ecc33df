// What a snapshot of a store on a server gives: every row once, whatever others do meanwhile.

import { expect, test } from "vitest";
import type { SnapshotRow } from "../../src/engine/snapshot.js";
import { tableNames } from "../../src/engine/tables.js";
import type { RemoteStore } from "../../src/remote/remote-store.js";
import { withPlace } from "./remote-stores.js";
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
});
