// The tree of OrderedKeys: sound after every history, as small as promised, and damage is seen.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OrderedKeys } from "../../src/base/ordered-keys.js";
import { buildTree, type Tree, verifyTree } from "../../src/base/ordered-keys-build.js";
import { CHILDREN_MAX, Inner, LEAF_KEYS_MAX } from "../../src/base/ordered-keys-node.js";
import { alphabets, inByteOrder, numbered, shuffled, textOf } from "./texts.js";

/**
 * Invariant 3 gives a pair of neighbouring inner nodes more than 16 leaves, and a pair of leaves
 * under one parent more than 32 keys: no history may leave less than a dozen keys for a leaf.
 */
function expectCompact(set: OrderedKeys): void {
  expect(set.verify().leaves).toBeLessThanOrEqual(set.size / 12 + 2);
}

describe("a history of runs", () => {
  const run = fc.record({
    kind: fc.constantFrom("ascending", "descending", "mixed"),
    prefix: textOf(alphabets.withBoth),
    count: fc.integer({ min: 1, max: 400 }),
    seed: fc.nat(),
  });
  const cut = fc.record({
    kind: fc.constantFrom("cut from the front", "cut from the back", "thin out"),
    start: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 1, max: 1200 }),
    seed: fc.nat(),
  });

  function arranged(keys: string[], kind: string, seed: number): string[] {
    if (kind === "descending" || kind === "cut from the back") return keys.reverse();
    return kind === "mixed" || kind === "thin out" ? shuffled(keys, seed) : keys;
  }

  test("stays sound and compact through runs of inserts and deletes", () => {
    const history = fc.array(fc.oneof(run, cut), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 3000 }), (steps, loaded) => {
        const model = new Set(numbered(loaded));
        const set = OrderedKeys.fromSorted([...model]);
        for (const step of steps) {
          if ("prefix" in step) {
            for (const key of arranged(numbered(step.count, step.prefix), step.kind, step.seed)) {
              expect(set.add(key)).toBe(!model.has(key));
              model.add(key);
            }
          } else {
            const start = Math.floor(step.start * set.size);
            const keys = set.slice(start, start + step.length);
            for (const key of arranged(keys, step.kind, step.seed)) {
              expect(set.delete(key)).toBe(true);
              model.delete(key);
            }
          }
          expectCompact(set);
        }
        expect(set.slice(0, set.size)).toEqual(inByteOrder(model));
      }),
      { numRuns: 60 },
    );
  });
});

describe("bulk loads", () => {
  test("of every size from 0 to 1000 are sound, and stay so when they change", () => {
    const keys = numbered(1001);
    for (let size = 0; size <= 1000; size += 1) {
      const set = OrderedKeys.fromSorted(keys.slice(0, size));
      set.verify();
      expect(set.slice(0, size + 1)).toEqual(keys.slice(0, size));
      expect(set.add(keys[size] as string)).toBe(true);
      expect(set.delete(keys[size >> 1] as string)).toBe(true);
      set.verify();
      expect(set.size).toBe(size);
    }
  });

  test("fill leaves to nine tenths", () => {
    const { leaves } = OrderedKeys.fromSorted(numbered(100_000)).verify();
    expect(leaves * LEAF_KEYS_MAX * 0.9).toBeGreaterThanOrEqual(100_000);
    expect(leaves * LEAF_KEYS_MAX * 0.87).toBeLessThanOrEqual(100_000);
  });

  test.each([
    ["descending keys", ["b", "a"]],
    ["a repeated key", ["a", "a"]],
    ["UTF-16 order", ["\u{1f600}", "\uffff"]],
    ["disorder at the end", [...numbered(500), "a"]],
  ])("refuse %s", (_, keys) => {
    expect(() => OrderedKeys.fromSorted(keys)).toThrow(/ascend strictly in byte order/);
  });

  test("sort in byte order and drop repeated keys", () => {
    const set = OrderedKeys.from(["\u{1f600}", "b", "\uffff", "a", "b", "\u{1f600}"]);
    expect([...set.keysFrom("")]).toEqual(["a", "b", "\uffff", "\u{1f600}"]);
  });
});

describe("the tree", () => {
  const keys = numbered(5000);
  const orders = {
    ascending: keys,
    descending: [...keys].reverse(),
    random: shuffled(keys, 1),
    "from the middle out": keys.map((_, index) => {
      const step = (index + 1) >> 1;
      return keys[2500 + (index % 2 === 0 ? step : -step)] ?? (keys[0] as string);
    }),
  };
  const pairs = Object.entries(orders).flatMap(([inserted, adds]) =>
    Object.entries(orders).map(([deleted, deletes]) => ({ inserted, adds, deleted, deletes })),
  );

  test.each(pairs)("is filled $inserted and emptied $deleted", ({ adds, deletes }) => {
    const set = new OrderedKeys();
    for (const [index, key] of adds.entries()) {
      set.add(key);
      if (index % 101 === 0) expectCompact(set);
    }
    expect(set.slice(0, set.size)).toEqual(keys);
    for (const [index, key] of deletes.entries()) {
      set.delete(key);
      if (index % 101 === 0) expectCompact(set);
    }
    for (const key of keys) set.delete(key);
    expect(set.size).toBe(0);
    expect(set.verify()).toEqual({ height: 1, leaves: 1 });
  });

  test("of three levels above the leaves is filled and emptied at random", () => {
    const many = numbered(100_000);
    const set = new OrderedKeys();
    for (const key of shuffled(many, 4)) set.add(key);
    expect(set.verify().height).toBe(3);
    for (const [index, key] of shuffled(many, 5).entries()) {
      set.delete(key);
      if (index % 9973 === 0 || set.size % 997 === 0) expectCompact(set);
    }
    expect(set.verify()).toEqual({ height: 1, leaves: 1 });
  });

  test("makes no leaf for each key of a run towards full leaves", () => {
    const set = new OrderedKeys();
    for (const key of numbered(LEAF_KEYS_MAX * CHILDREN_MAX)) set.add(key);
    set.add("last");
    const before = set.verify().leaves;
    for (const key of numbered(2000, "key:z").reverse()) set.add(key);
    expectCompact(set);
    expect(set.verify().leaves - before).toBeLessThanOrEqual((2000 / LEAF_KEYS_MAX) * 1.3);
  });

  test("has full leaves after ascending and descending inserts", () => {
    for (const order of [keys, [...keys].reverse()]) {
      const set = new OrderedKeys();
      for (const key of order) set.add(key);
      expect(set.verify().leaves).toBe(Math.ceil(keys.length / LEAF_KEYS_MAX));
    }
  });

  test("has nearly full leaves after runs between other keys", () => {
    for (const order of [keys, [...keys].reverse()]) {
      const set = OrderedKeys.from([...numbered(5000, "a"), ...numbered(5000, "z")]);
      const before = set.verify().leaves;
      for (const key of order) set.add(key);
      const full = keys.length / LEAF_KEYS_MAX;
      expect(set.verify().leaves - before).toBeLessThanOrEqual(full * 1.1);
    }
  });

  test("is as small as a new one after most of it was deleted", () => {
    const set = new OrderedKeys();
    for (const key of shuffled(numbered(20_000), 2)) set.add(key);
    for (const key of shuffled(numbered(20_000), 3).slice(100)) set.delete(key);
    expect(set.size).toBe(100);
    expect(set.verify().leaves).toBeLessThanOrEqual(7);
  });
});

describe("verification", () => {
  const tree = (): Tree => buildTree(numbered(5000));
  const leafOf = ({ root }: Tree): string[] => (root.children[0] as Inner).children[0] as string[];

  test("accepts what a bulk load builds", () => {
    expect(verifyTree(tree(), 5000).height).toBe(2);
  });

  const damages: [string, RegExp, (tree: Tree) => void][] = [
    [
      "two keys change places",
      /keys ascend/,
      (tree) => leafOf(tree).splice(3, 2, ...leafOf(tree).slice(3, 5).reverse()),
    ],
    ["a key is repeated", /keys ascend/, (tree) => leafOf(tree).copyWithin(4, 3, 4)],
    ["a filler is a key", /free slots/, (tree) => leafOf(tree).fill("zzz", LEAF_KEYS_MAX - 1)],
    ["a leaf has grown", /capacity/, (tree) => leafOf(tree).push("")],
    ["a size is wrong", /counts/, ({ root }) => root.sizes.fill(7, 0, 1)],
    ["a separator is too low", /separator/, ({ root }) => root.separators.fill("a", 0, 1)],
    ["a separator is too high", /keys ascend/, ({ root }) => root.separators.fill("z", 0, 1)],
    ["a separator is missing", /have a separator/, ({ root }) => root.separators.pop()],
    ["a child is missing", /has a size/, ({ root }) => root.children.pop()],
    ["an inner node is empty", /empty/, ({ root }) => root.children.fill(new Inner([], [], []), 1)],
    ["a leaf is too high", /equally deep/, (tree) => tree.root.children.fill(leafOf(tree), 1)],
  ];

  test.each(damages)("notices that %s", (_, message, damage) => {
    const damaged = tree();
    damage(damaged);
    expect(() => verifyTree(damaged, 5000)).toThrow(message);
  });

  test("notices a wrong total, a lonely root and neighbours that should be one", () => {
    expect(() => verifyTree(tree(), 4999)).toThrow(/add up/);
    const { root, height } = tree();
    const lonely = new Inner([root], [5000], []);
    expect(() => verifyTree({ root: lonely, height: height + 1 }, 5000)).toThrow(/two children/);
    const sparse = new Inner([...buildTree(["a"]).root.children], [1], []);
    sparse.children.push(buildTree(["b"]).root.children[0] as string[]);
    sparse.sizes.push(1);
    sparse.separators.push("b");
    expect(() => verifyTree({ root: sparse, height: 1 }, 2)).toThrow(/half a node/);
  });
});
