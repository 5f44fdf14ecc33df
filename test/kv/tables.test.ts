// Tables: what lies in the engine after operations, which the public interface does not show. Here
// stand the leaks: rows that nobody can reach, and rows that contradict each other.

import { describe, expect, test } from "vitest";
import { expiringTables, freeIndex, tableNames } from "../../src/engine/tables.js";
import { OpenedEngine } from "./kv-over-engine.js";

/** Names and sizes of the tables that hold anything. */
function sizes(opened: OpenedEngine): Record<string, number> {
  const rows = Object.entries(opened.dump()).filter(([, table]) => table.length > 0);
  return Object.fromEntries(rows.map(([name, table]) => [name, table.length]));
}

async function filled(opened: OpenedEngine): Promise<void> {
  const kv = opened.handle();
  await kv.setMany({ a: 1, b: 2, c: 3 });
  await kv.setMany({ d: 4, e: 5 }, { ttl: 1_000 });
  await kv.claimRandomMany({ count: 4 });
  for (let element = 0; element < 200; element++) await kv.append("long", element);
  for (let element = 0; element < 3; element++) await kv.append("short", element);
  await kv.filter("one").add("x");
  await kv.filter("two").add("y", { ttl: 1_000 });
}

describe("nothing is left behind", () => {
  test("by clear, but the counters", async () => {
    const opened = new OpenedEngine();
    await filled(opened);
    expect(Object.keys(sizes(opened)).sort()).toEqual(
      ["claims", "counters", "items", "lists", "members", "values"].sort(),
    );
    await opened.handle().deleteArray("long");
    await opened.handle().clear();
    expect(sizes(opened)).toEqual({ counters: 2 });
  });

  test("by arrays that were popped empty", async () => {
    const opened = new OpenedEngine();
    const kv = opened.handle();
    await filled(opened);
    for (let element = 0; element < 200; element++) await kv.pop("long");
    for (let element = 0; element < 3; element++) await kv.popFirst("short");
    expect(sizes(opened)).not.toHaveProperty("items");
    expect(sizes(opened)).not.toHaveProperty("lists");
  });

  test.each([1, 128, 129, 1_000])("by an array of %i elements that was deleted", async (length) => {
    const opened = new OpenedEngine();
    const kv = opened.handle();
    for (let element = 0; element < length; element++) {
      if (element % 3 === 0) await kv.prepend("q", element);
      else await kv.append("q", element);
    }
    expect(sizes(opened)).toMatchObject({ items: length, lists: 1 });
    await kv.deleteArray("q");
    await opened.env.advance(0);
    expect(sizes(opened)).toEqual({ counters: 1 });
  });

  test("by what has expired, whoever meets it first", async () => {
    const opened = new OpenedEngine();
    const kv = opened.handle();
    for (const key of ["a", "b", "c"]) {
      await kv.set(key, 1, { ttl: 1_000 });
      await kv.claimKey(key, { ttl: 60_000 });
      await kv.append(`q:${key}`, 1, { ttl: 1_000 });
      for (let element = 0; element < 200; element++) await kv.append(`q:${key}`, element);
      await kv.filter("seen").add(key, { ttl: 1_000 });
    }
    opened.env.stall(1_000);
    await kv.set("q:a", 1);
    await kv.append("a", 1);
    await kv.deleteIfExists("b");
    await kv.deleteArray("q:b");
    await kv.filter("seen").delete("b");
    expect(sizes(opened)).toMatchObject({ values: 2, lists: 2, claims: 1, members: 2 });
    await opened.env.advance(0);
    expect(sizes(opened)).toEqual({ values: 1, lists: 1, items: 1, counters: 2 });
  });

  test.each(expiringTables)("by background work on the table %s", async (table) => {
    const opened = new OpenedEngine();
    const kv = opened.handle();
    const ttl = 1_000;
    for (let index = 0; index < 700; index++) {
      if (table === "values") await kv.set(`${index}`, index, { ttl });
      if (table === "lists") await kv.append(`${index}`, index, { ttl });
      if (table === "members") await kv.filter("seen").add(`${index}`, { ttl });
      if (table === "claims") {
        await kv.set(`${index}`, index);
        await kv.claimKey(`${index}`, { ttl });
      }
    }
    expect(sizes(opened)[table]).toBe(700);
    await opened.env.advance(ttl - 1);
    expect(sizes(opened)[table]).toBe(700);
    await opened.env.advance(1);
    expect(sizes(opened)).not.toHaveProperty(table);
  });

  test("by a filter that was cleared", async () => {
    const opened = new OpenedEngine();
    const filter = opened.handle().filter("seen");
    for (let item = 0; item < 2_500; item++) await filter.add(`${item}`);
    await filter.clear();
    expect(sizes(opened)).toEqual({});
  });
});

describe("tables agree with each other", () => {
  /** The three invariants of tables.ts. */
  function expectAgreement(opened: OpenedEngine): void {
    const { values, lists, claims } = opened.dump();
    const keys = values.map(([key]) => key);
    const claimed = new Set(claims.map(([key]) => key));
    expect(lists.map(([key]) => key).filter((key) => keys.includes(key))).toEqual([]);
    expect([...claimed].filter((key) => !keys.includes(key))).toEqual([]);
    const free = opened.engine.read((view) => view.free.slice(0, view.free.size), undefined);
    expect(free).toEqual(keys.filter((key) => !claimed.has(key)));
  }

  test.each([true, false])("after everything, keys tracked: %s", async (trackKeys) => {
    const opened = new OpenedEngine(trackKeys);
    const kv = opened.handle();
    expectAgreement(opened);
    for (let round = 0; round < 60; round++) {
      const key = `k${round % 7}`;
      await kv.setMany({ [key]: round, [`m${round % 5}`]: round }, { ttl: 500 + round * 37 });
      const claims = await kv.claimRandomMany({ count: round % 3 || 1, ttl: 300 });
      if (round % 2) await kv.releaseClaims(claims.slice(0, 1));
      if (round % 3) await kv.completeClaims(claims, { deleteKey: round % 2 === 0 });
      if (round % 5 === 0) await kv.deleteMany([key]);
      if (round % 7 === 0) await kv.popRandom();
      if (round % 11 === 0) await kv.append(`q${round % 3}`, round, { ttl: 400 });
      await kv.compareAndDelete(`m${round % 4}`, round - 1);
      if (round % 4 === 0) opened.env.stall(150);
      else await opened.env.advance(100);
      if (round % 13 === 0) await kv.rebuildKeyList();
      if (round % 29 === 28) await kv.clear();
      expectAgreement(opened);
    }
    await opened.env.advance(10_000);
    expect(sizes(opened)).toEqual({ counters: 2 });
  });

  test("also when an operation fails half-way", async () => {
    const opened = new OpenedEngine();
    const kv = opened.handle();
    await filled(opened);
    await opened.handle("string").set("unreadable", "not JSON");
    await kv.randomKeys({ count: 1 });
    const before = opened.dump();
    for (const call of [
      () => kv.setMany({ a: 9, new: 9, short: 9 }),
      () => kv.deleteMany(["a", "b", "short"]),
      () => kv.claimRandomMany({ count: 100 }),
      () => kv.popRandomMany({ count: 100 }),
      () => kv.claimKeys(["a", "b", "unreadable"]),
      () => kv.swap("unreadable", 1),
    ]) {
      await expect(call()).rejects.toHaveProperty("code");
      expect(opened.dump()).toStrictEqual(before);
      expectAgreement(opened);
    }
  });

  test("the free keys are those that the table of tables says", () => {
    expect(freeIndex).toEqual({ source: "values", without: "claims" });
    expect(Object.keys(new OpenedEngine().dump()).sort()).toEqual([...tableNames].sort());
  });
});
