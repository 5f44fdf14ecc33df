// The table of elements against a plain map: whatever transactions do to it, committed or taken back,
// by key or by list and index, with keys of elements and with keys that are none.

import { virtualEnv } from "anykv/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { never, type Transaction } from "../../../src/engine/engine.js";
import { itemKey, itemPlace } from "../../../src/engine/item-keys.js";
import { MemoryEngine } from "../../../src/engines/memory/memory-engine.js";

type Content = Map<string, { readonly value: string; readonly deadline: number }>;

type Change =
  | { readonly kind: "put"; readonly key: string; readonly value: string; readonly at: number }
  | { readonly kind: "delete"; readonly key: string }
  | { readonly kind: "clear" };

interface Step {
  readonly changes: readonly Change[];
  readonly fails: boolean;
}

const index = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -20, max: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom(70, 100, -300, 9_000, 2 ** 31 + 1, 2 ** 49) },
);
const key = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.tuple(fc.integer({ min: 0, max: 3 }), index).map(([id, at]) => itemKey(id, at)),
  },
  { weight: 1, arbitrary: fc.constantFrom("x", "1:", ":1", "01:1", "1:-0", "1:1:1", "1:01") },
);
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("put"),
      key,
      value: fc.string({ maxLength: 3 }),
      at: fc.oneof({ weight: 9, arbitrary: fc.constant(never) }, fc.constant(5)),
    }),
  },
  { weight: 9, arbitrary: fc.record({ kind: fc.constant("delete"), key }) },
  { weight: 1, arbitrary: fc.constant({ kind: "clear" }) },
) as fc.Arbitrary<Change>;
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({ changes: fc.array(change, { maxLength: 30 }), fails: fc.boolean() }),
  { maxLength: 12 },
);

function newEngine(): MemoryEngine {
  return new MemoryEngine(virtualEnv(), { trackKeys: false });
}

function makeChange({ items }: Transaction, made: Change, content: Content): void {
  if (made.kind === "clear") {
    items.clear();
    content.clear();
    return;
  }
  const place = itemPlace(made.key);
  if (made.kind === "delete") {
    const found = content.delete(made.key);
    // Both ways mean the same.
    const isByPlace = place !== undefined && place.index % 2 === 0;
    const deleted = isByPlace
      ? items.deleteElement(place.list, place.index)
      : items.delete(made.key);
    expect(deleted).toBe(found);
    return;
  }
  content.set(made.key, { value: made.value, deadline: made.at });
  const isByPlace = place !== undefined && made.at === never && place.index % 3 === 0;
  if (isByPlace) items.putElement(place.list, place.index, made.value);
  else items.put(made.key, made.value, made.at);
}

class Undone extends Error {}

/** The content after the step; the changes that were told are made to `told`. */
function run(engine: MemoryEngine, step: Step, before: Content, told: Content): Content {
  const content: Content = new Map(before);
  engine.onCommit = (journal) =>
    journal.report({
      put: (table, at, value, deadline) => {
        expect(table).toBe("items");
        told.set(at, { value: value as string, deadline });
      },
      delete: (_, at) => void told.delete(at),
      clear: () => told.clear(),
    });
  try {
    engine.write((transaction) => {
      for (const made of step.changes) makeChange(transaction, made, content);
      if (step.fails) throw new Undone();
    }, undefined);
  } catch (error) {
    if (!(error instanceof Undone)) throw error;
    return before;
  }
  return content;
}

function compare(engine: MemoryEngine, content: Content): void {
  engine.read(({ items }) => {
    expect(items.size).toBe(content.size);
    for (const [at, { value, deadline }] of content) {
      expect(items.get(at)).toMatchObject({ value, deadline });
      const place = itemPlace(at);
      if (place !== undefined) expect(items.element(place.list, place.index)).toBe(value);
    }
    const keys = [...content.keys()].sort();
    expect(items.slice(0, items.size)).toEqual(keys);
    expect(Array.from(engine.rows("items"), ([at]) => at).sort()).toEqual(keys);
  }, undefined);
}

describe("the table of elements", () => {
  test("holds what a map holds, and tells of it", () => {
    fc.assert(
      fc.property(steps, (history) => {
        const engine = newEngine();
        let content: Content = new Map();
        const told: Content = new Map();
        for (const step of history) {
          content = run(engine, step, content, told);
          compare(engine, content);
          expect(told).toEqual(content);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("gives a walk all that is there from its beginning to its end", () => {
    fc.assert(
      fc.property(steps, steps, fc.nat(6), (history, during, pace) => {
        const engine = newEngine();
        let content: Content = new Map();
        for (const step of history) content = run(engine, step, content, new Map());
        let stayed = new Set(content.keys());
        const met = new Set<string>();
        const rows = engine.rows("items");
        for (const step of during) {
          for (let taken = 0; taken < pace; taken++) met.add(rows.next().value?.[0]);
          const after = run(engine, step, content, new Map());
          const isCleared = after !== content && step.changes.some(({ kind }) => kind === "clear");
          const isThere = (at: string): boolean => !isCleared && after.has(at);
          // What has been deleted and put back counts as having come later.
          const touched = step.changes.flatMap((made) =>
            made.kind === "delete" ? [made.key] : [],
          );
          const isMoved = (at: string): boolean => after !== content && touched.includes(at);
          stayed = new Set([...stayed].filter((at) => isThere(at) && !isMoved(at)));
          content = after;
        }
        for (const [at] of rows) met.add(at);
        for (const at of stayed) expect(met).toContain(at);
      }),
      { numRuns: 300 },
    );
  });

  test("is not large for a few elements that lie far apart", () => {
    const engine = newEngine();
    engine.write(({ items }) => {
      for (let power = 0; power < 50; power++) items.putElement(1, 2 ** power, `${power}`);
    }, undefined);
    engine.read(({ items }) => {
      expect(items.size).toBe(50);
      expect(items.element(1, 2 ** 49)).toBe("49");
      expect(items.element(1, 2 ** 49 + 64)).toBeUndefined();
    }, undefined);
  });

  test("keeps the order of a queue that has taken far more than it ever held", () => {
    const engine = newEngine();
    engine.write(({ items }) => {
      for (let at = 0; at < 10_000; at++) {
        items.putElement(1, at, `${at}`);
        if (at < 100) continue;
        expect(items.element(1, at - 100)).toBe(`${at - 100}`);
        expect(items.deleteElement(1, at - 100)).toBe(true);
      }
      expect(items.size).toBe(100);
    }, undefined);
    expect(Array.from(engine.rows("items"), ([, { value }]) => Number(value))).toEqual(
      Array.from({ length: 100 }, (_, at) => 9_900 + at),
    );
  });
});

describe("keys of elements", () => {
  test("are told from all others", () => {
    for (const at of [0, 1, -1, 12, -300, 2 ** 49]) {
      expect(itemPlace(itemKey(7, at))).toEqual({ list: 7, index: at });
    }
    for (const odd of ["", ":", "1", "1:", ":1", "-1:1", "1:-0", "01:1", "1:01", "1:1x", "1:--1"]) {
      expect(itemPlace(odd)).toBeUndefined();
    }
    expect(itemPlace(`1:${"9".repeat(16)}`)).toBeUndefined();
  });
});
