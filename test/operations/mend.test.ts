// Mending: rows of which some were lost, and the operations that must find their way afterwards.

import { virtualEnv } from "anykv/testing";
import { describe, expect, test } from "vitest";
import { never, type Transaction } from "../../src/engine/engine.js";
import type { TableName } from "../../src/engine/tables.js";
import { MemoryEngine } from "../../src/engines/memory/memory-engine.js";
import { type MendedRows, mendRows } from "../../src/operations/mend.js";
import { LocalStore } from "../../src/store/local-store.js";

type Rows = Partial<Record<TableName, Readonly<Record<string, string>>>>;

function mended(
  rows: Rows,
  generationOf: (table: TableName, key: string) => number = () => 0,
): { engine: MemoryEngine; report: MendedRows[] } {
  const engine = new MemoryEngine(virtualEnv(), { trackKeys: false });
  let report: MendedRows[] = [];
  engine.write((transaction) => {
    for (const [table, entries] of Object.entries(rows)) {
      for (const [key, value] of Object.entries(entries)) {
        transaction[table as TableName].put(key, value, never);
      }
    }
  }, undefined);
  engine.write((transaction) => {
    report = mendRows(transaction, generationOf);
  }, undefined);
  return { engine, report };
}

function rowsOf(engine: MemoryEngine, table: TableName): Record<string, unknown> {
  const read = (view: Transaction): Record<string, unknown> =>
    Object.fromEntries(
      view[table].slice(0, view[table].size).map((key) => [key, view[table].get(key)?.value]),
    );
  return engine.write(read, undefined) as Record<string, unknown>;
}

function storeOn(engine: MemoryEngine): LocalStore {
  return new LocalStore(engine, virtualEnv());
}

const check = (): void => {};

describe("rows that fit together", () => {
  const rows: Rows = {
    values: { a: "1", b: "2" },
    lists: { l: "1 -1 2" },
    items: { "1:-1": "x", "1:0": "y", "1:1": "z", "2:0": "gone", "2:1": "gone" },
    claims: { a: "7 me" },
    members: { "1:bx": "" },
    garbage: { "2": "0 2" },
    counters: { token: "7", list: "2" },
  };

  test("stay as they are, but for the counters", () => {
    const { engine, report } = mended(rows);
    expect(report).toEqual([]);
    for (const table of ["values", "lists", "items", "claims", "members", "garbage"] as const) {
      expect(rowsOf(engine, table), table).toEqual(rows[table]);
    }
  });

  test("hand out no token and no array id a second time", async () => {
    const { engine } = mended(rows);
    expect(rowsOf(engine, "counters")).toEqual({ token: "1000000007", list: "1000000002" });
    const claims = await storeOn(engine).claimKeys({
      ...{ keys: ["b"], allOrNothing: true, check },
      lease: { ttl: 1000, owner: "" },
    });
    expect(claims.claimed[0]?.token).toBe(1_000_000_008);
  });
});

describe("counters", () => {
  test("that were lost are counted from the rows", () => {
    const { engine } = mended({
      values: { a: "1" },
      claims: { a: "41 me" },
      lists: { l: "12 0 1" },
      items: { "12:0": "x" },
      garbage: { "30": "0 1" },
    });
    expect(rowsOf(engine, "counters")).toEqual({ token: "1000000041", list: "1000000030" });
  });
});

describe("a key with a value and an array", () => {
  const rows: Rows = { values: { k: "v" }, lists: { k: "1 0 1" }, items: { "1:0": "x" } };

  test("keeps what is known from later", () => {
    const newer = (table: TableName) => (generation: TableName) => (generation === table ? 1 : 0);
    const asList = mended(rows, newer("lists"));
    expect(rowsOf(asList.engine, "values")).toEqual({});
    expect(rowsOf(asList.engine, "lists")).toEqual(rows.lists);
    const asValue = mended(rows, newer("values"));
    expect(rowsOf(asValue.engine, "values")).toEqual(rows.values);
    expect(rowsOf(asValue.engine, "items")).toEqual({});
    expect(asValue.report).toEqual([
      { what: "keys with a value and an array", rows: 1 },
      { what: "elements without an array", rows: 1 },
    ]);
  });

  test("keeps the value on a draw", () => {
    expect(rowsOf(mended(rows).engine, "lists")).toEqual({});
  });
});

test("a claim without a value is dropped", () => {
  const { engine, report } = mended({ values: { a: "1" }, claims: { a: "1 x", b: "2 x" } });
  expect(rowsOf(engine, "claims")).toEqual({ a: "1 x" });
  expect(report).toEqual([{ what: "claims without a value", rows: 1 }]);
});

describe("an array", () => {
  test("closes up over lost elements and works on", async () => {
    const items = { "1:-2": "a", "1:0": "b", "1:3": "c" };
    const { engine, report } = mended({ lists: { l: "1 -2 4" }, items });
    expect(report).toEqual([{ what: "lost elements of arrays", rows: 3 }]);
    const store = storeOn(engine);
    expect(await store.range({ key: "l", start: 0, end: 10 })).toEqual(["a", "b", "c"]);
    expect(await store.push({ key: "l", value: "d", end: "last" })).toBe(4);
    expect(await store.pop({ key: "l", end: "first", check })).toBe("a");
    expect(Object.keys(rowsOf(engine, "items"))).toHaveLength(3);
  });

  test("without any element is gone", () => {
    const { engine, report } = mended({ lists: { l: "1 0 4" } });
    expect(rowsOf(engine, "lists")).toEqual({});
    expect(report).toEqual([{ what: "lost elements of arrays", rows: 4 }]);
  });

  test("whose elements are being removed is gone", () => {
    const { engine, report } = mended({
      lists: { l: "5 0 2" },
      items: { "5:0": "x", "5:1": "y" },
      garbage: { "5": "0 2" },
    });
    expect(rowsOf(engine, "lists")).toEqual({});
    expect(rowsOf(engine, "items")).toEqual({ "5:0": "x", "5:1": "y" });
    expect(report).toEqual([{ what: "arrays under removal", rows: 1 }]);
  });

  test("loses nothing to elements that are out of its reach", () => {
    const { engine, report } = mended({
      lists: { l: "1 0 1" },
      items: { "1:0": "x", "1:1": "beyond", "9:0": "nobody's" },
    });
    expect(rowsOf(engine, "items")).toEqual({ "1:0": "x" });
    expect(report).toEqual([{ what: "elements without an array", rows: 2 }]);
  });
});
