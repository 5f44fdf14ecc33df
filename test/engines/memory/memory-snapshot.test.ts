// Snapshots of the memory engine: what they give is what was there when they were taken, whatever
// transactions do meanwhile, and whether these are committed or taken back.

import { virtualEnv } from "anykv/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { never, type Transaction } from "../../../src/engine/engine.js";
import type { Snapshot, SnapshotRow } from "../../../src/engine/snapshot.js";
import { type TableName, tableNames } from "../../../src/engine/tables.js";
import { MemoryEngine } from "../../../src/engines/memory/memory-engine.js";

type Change =
  | {
      readonly kind: "put";
      readonly table: TableName;
      readonly key: string;
      readonly value: string;
    }
  | { readonly kind: "delete"; readonly table: TableName; readonly key: string }
  | { readonly kind: "clear"; readonly table: TableName };

type Step =
  | { readonly kind: "transaction"; readonly changes: readonly Change[]; readonly fails: boolean }
  | { readonly kind: "read"; readonly snapshot: number; readonly rows: number }
  | { readonly kind: "open"; readonly bestEffort: boolean }
  | { readonly kind: "restore"; readonly keys: readonly string[] };

const table = fc.constantFrom<TableName>("values", "lists", "items");
// Some are those of elements, near to each other or far from all others.
const key = fc.oneof(
  fc.integer({ min: 0, max: 6 }).map((number) => `k${number}`),
  fc.integer({ min: -4, max: 4 }).map((number) => `1:${number}`),
  fc.constantFrom("2:0", "2:1", "2:9000"),
);
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("put"), table, key, value: fc.string() }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("delete"), table, key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear"), table }) },
) as fc.Arbitrary<Change>;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("transaction"),
      changes: fc.array(change, { maxLength: 8 }),
      fails: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("read"),
      snapshot: fc.nat(4),
      rows: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("open"), bestEffort: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("restore"), keys: fc.uniqueArray(key) }),
  },
) as fc.Arbitrary<Step>;

function newEngine(): MemoryEngine {
  return new MemoryEngine(virtualEnv(), { trackKeys: false });
}

function apply(transaction: Transaction, changes: readonly Change[]): void {
  for (const each of changes) {
    if (each.kind === "put") transaction[each.table].put(each.key, each.value, never);
    else if (each.kind === "delete") transaction[each.table].delete(each.key);
    else transaction[each.table].clear();
  }
}

/** All rows as they are now, by "table key". */
function content(engine: MemoryEngine): Map<string, string> {
  const rows = new Map<string, string>();
  for (const name of tableNames) {
    const walk = engine.rows(name);
    for (let next = walk.next(); !next.done; next = walk.next()) {
      rows.set(`${name} ${next.value[0]}`, `${next.value[1].value}`);
    }
  }
  return rows;
}

/** A snapshot under way, what was there when it was taken, and what it has given so far. */
class Reader {
  readonly snapshot: Snapshot;
  readonly expected: Map<string, string>;
  readonly given = new Map<string, string>();

  constructor(engine: MemoryEngine, bestEffort: boolean) {
    this.expected = content(engine);
    this.snapshot = engine.snapshot({ tables: tableNames, bestEffort });
  }

  /** Whether there is more. */
  read(rowsMax: number): boolean {
    const rows = this.snapshot.next(rowsMax);
    if (rows !== undefined) expect(rows.length).toBeLessThanOrEqual(rowsMax);
    for (const row of rows ?? []) this.#take(row);
    return rows !== undefined;
  }

  #take({ table: name, key: of, value, again }: SnapshotRow): void {
    const id = `${name} ${of}`;
    const former = this.given.get(id);
    if (former === undefined) this.given.set(id, `${value}`);
    else {
      expect(again, `${id} comes twice without a word`).toBe(true);
      if (this.snapshot.isExact) expect(value).toBe(former);
    }
  }

  finish(): void {
    for (let steps = 0; this.read(3); steps++) {
      if (steps > 10_000) throw new Error("the snapshot does not come to an end");
    }
    if (this.snapshot.isExact) expect(this.given).toEqual(this.expected);
    else this.#checkBestEffort();
    this.snapshot.close();
  }

  // Values may be later ones or missing, but none has come that was not there.
  #checkBestEffort(): void {
    const isValue = ([id]: [string, string]): boolean => id.startsWith("values ");
    const others = (rows: Map<string, string>) => new Map([...rows].filter((row) => !isValue(row)));
    expect(others(this.given)).toEqual(others(this.expected));
    for (const id of this.given.keys()) expect(this.expected.has(id), id).toBe(true);
  }
}

async function run(engine: MemoryEngine, readers: Reader[], each: Step): Promise<void> {
  if (each.kind === "open") readers.push(new Reader(engine, each.bestEffort));
  else if (each.kind === "read") {
    readers[each.snapshot % Math.max(1, readers.length)]?.read(each.rows);
  } else if (each.kind === "restore") await restore(engine, readers, each.keys);
  else {
    const before = content(engine);
    const failure = new Error("taken back");
    const call = (): unknown =>
      engine.write((transaction) => {
        apply(transaction, each.changes);
        if (each.fails) throw failure;
      }, undefined);
    if (!each.fails) call();
    else {
      expect(call).toThrow(failure);
      expect(content(engine)).toEqual(before);
    }
  }
}

function row(of: string, deadline = never): SnapshotRow {
  return { table: "values", key: of, value: "restored", deadline, again: false };
}

function sourceOf(pieces: readonly (readonly SnapshotRow[])[], pause = (): void => {}) {
  const left = [...pieces];
  return {
    next: () => left.shift(),
    pause: async () => pause(),
  };
}

async function restore(
  engine: MemoryEngine,
  readers: readonly Reader[],
  keys: readonly string[],
): Promise<void> {
  const pieces = keys.map((of) => [row(of)]);
  const source = sourceOf(pieces, () => void readers.at(-1)?.read(1));
  await engine.replace(source, () => undefined, undefined);
  expect(content(engine)).toEqual(new Map(keys.map((of) => [`values ${of}`, "restored"])));
}

describe("snapshots of the memory engine", () => {
  test("give what was there when they were taken", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const engine = newEngine();
        const readers: Reader[] = [];
        for (const each of steps) await run(engine, readers, each);
        for (const reader of readers) reader.finish();
      }),
      { numRuns: 2_000 },
    );
  });

  test("that are closed are told nothing any more, and closing twice is closing once", () => {
    const engine = newEngine();
    const first = engine.snapshot({ tables: ["values"], bestEffort: false });
    const second = engine.snapshot({ tables: ["values"], bestEffort: false });
    first.close();
    first.close();
    engine.write((transaction) => transaction.values.put("k", "v", never), undefined);
    expect(first.next(10)).toBeUndefined();
    const rows: SnapshotRow[] = [];
    for (let some = second.next(10); some !== undefined; some = second.next(10)) rows.push(...some);
    expect(rows).toEqual([]);
  });

  test("say how many rows there were, and give tables in the order asked for", () => {
    const engine = newEngine();
    engine.write((transaction) => {
      transaction.values.put("v", "1", never);
      transaction.items.put("1:0", "2", 12_345);
      transaction.claims.put("v", "3", never);
    }, undefined);
    const snapshot = engine.snapshot({ tables: ["items", "values"], bestEffort: false });
    expect(snapshot.rows).toBe(2);
    const rows: SnapshotRow[] = [];
    for (let some = snapshot.next(1); some !== undefined; some = snapshot.next(1))
      rows.push(...some);
    expect(rows).toEqual([
      { table: "items", key: "1:0", value: "2", deadline: 12_345, again: false },
      { table: "values", key: "v", value: "1", deadline: never, again: false },
    ]);
  });

  test("end although writers add rows faster than they are read", () => {
    const engine = newEngine();
    for (let number = 0; number < 10; number++) {
      engine.write((transaction) => transaction.values.put(`a${number}`, "", never), undefined);
    }
    const reader = new Reader(engine, false);
    let added = 0;
    while (reader.read(2)) {
      for (let more = 0; more < 20; more++) {
        engine.write((transaction) => transaction.values.put(`b${added++}`, "", never), undefined);
      }
      expect(added).toBeLessThan(10_000);
    }
    expect(reader.given).toEqual(reader.expected);
  });
});

describe("replacing the content of the memory engine", () => {
  const put = (engine: MemoryEngine, of: string): unknown =>
    engine.write((transaction) => transaction.values.put(of, "", never), undefined);
  const keysIn = (engine: MemoryEngine): string[] => [...content(engine).keys()];

  test("refuses writes and snapshots meanwhile; reads and removal of what is due go on", async () => {
    const engine = newEngine();
    put(engine, "old");
    const seen: string[][] = [];
    const source = sourceOf([[row("a")], [], [row("b")]], () => {
      expect(() => put(engine, "lost")).toThrow("a restore is replacing");
      expect(() => engine.snapshot({ tables: [], bestEffort: false })).toThrow("a restore");
      seen.push(engine.read((view) => view.values.slice(0, 9), undefined) as string[]);
      engine.reap((transaction) => transaction.values.delete("old"), undefined);
    });
    const replacing = engine.replace(source, () => undefined, undefined);
    await expect(engine.replace(sourceOf([]), () => undefined, undefined)).rejects.toThrow(
      "a restore is replacing",
    );
    await replacing;
    expect(seen).toEqual([["old"], [], []]);
    put(engine, "later");
    expect(keysIn(engine)).toEqual(["values a", "values b", "values later"]);
  });

  test("keeps the counters of the present content for the operation to raise", async () => {
    const engine = newEngine();
    engine.write((transaction) => transaction.counters.put("token", "7", never), undefined);
    const seen = await engine.replace(
      sourceOf([[row("new")]]),
      (transaction, name) => {
        const token = transaction.counters.get(name)?.value;
        transaction.counters.put(name, "9", never);
        return { size: transaction.values.size, token };
      },
      "token",
    );
    expect(seen).toEqual({ size: 1, token: "7" });
    const counters = ["counters token", "9"] as const;
    expect(content(engine)).toEqual(new Map([["values new", "restored"], counters]));
  });

  test("changes nothing when the source, a pause or the operation throws", async () => {
    const fail = (): never => {
      throw new Error("no");
    };
    const failing = [
      (engine: MemoryEngine) =>
        engine.replace({ next: fail, pause: async () => {} }, () => undefined, undefined),
      (engine: MemoryEngine) =>
        engine.replace(sourceOf([[row("a")]], fail), () => undefined, undefined),
      (engine: MemoryEngine) => engine.replace(sourceOf([[row("a")]]), fail, undefined),
    ];
    for (const call of failing) {
      const engine = newEngine();
      put(engine, "old");
      await expect(call(engine)).rejects.toThrow("no");
      expect(keysIn(engine)).toEqual(["values old"]);
      put(engine, "new");
      expect(keysIn(engine)).toEqual(["values old", "values new"]);
    }
  });

  test("brings deadlines, the index and the free keys with it", async () => {
    const engine = new MemoryEngine(virtualEnv(), { trackKeys: true });
    engine.write((transaction) => {
      transaction.values.put("old", "", 1);
      transaction.claims.put("old", "1 ", 2);
      transaction.free.add("old");
    }, undefined);
    await engine.replace(sourceOf([[row("b", 5_000)], [row("a")]]), () => undefined, undefined);
    expect(engine.earliestDeadline()).toBe(5_000);
    expect(engine.indexReport()).toEqual({ ordered: 2, table: 2 });
    expect(engine.read((view) => view.free.slice(0, 9), undefined)).toEqual(["a", "b"]);
    expect(engine.read((view) => view.values.slice(0, 9), undefined)).toEqual(["a", "b"]);
  });
});
