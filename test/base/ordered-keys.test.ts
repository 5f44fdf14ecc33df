// OrderedKeys against a sorted array.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OrderedKeys } from "../../src/base/ordered-keys.js";
import { alphabets, compareBytes, inByteOrder, numbered, shuffled, textOf } from "./texts.js";

/** Asks everything about `probes` and compares with the sorted array `model`. */
function expectSame(set: OrderedKeys, model: readonly string[], probes: readonly string[]): void {
  expect(set.size).toBe(model.length);
  for (const probe of probes) {
    const rank = model.filter((key) => compareBytes(key, probe) < 0).length;
    const count = model.filter((key) => key.startsWith(probe)).length;
    expect(set.has(probe)).toBe(model[rank] === probe);
    expect(set.rank(probe)).toBe(rank);
    expect(set.prefixRange(probe)).toEqual({ start: rank, end: rank + count });
    expect(set.count(probe)).toBe(count);
    expect(set.slice(rank, rank + 3)).toEqual(model.slice(rank, rank + 3));
    expect(set.select(rank)).toBe(model[rank]);
    expect([...set.keysFrom(probe)]).toEqual(model.slice(rank));
  }
}

describe("a small set", () => {
  for (const [kind, alphabet] of Object.entries(alphabets)) {
    const probes = fc.array(textOf(alphabets.withBoth), { minLength: 1, maxLength: 4 });
    const step = fc.record({ key: textOf(alphabet), adds: fc.boolean(), probes });

    test(`answers as a sorted array does: alphabet ${kind}`, () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
          const set = new OrderedKeys();
          let model: string[] = [];
          for (const { key, adds, probes } of steps) {
            const had = model.includes(key);
            if (adds) expect(set.add(key)).toBe(!had);
            else expect(set.delete(key)).toBe(had);
            model = adds ? inByteOrder([...model, key]) : model.filter((other) => other !== key);
            expectSame(set, model, [key, ...probes]);
          }
          set.verify();
          expect(set.slice(0, set.size)).toEqual(model);
        }),
      );
    });

    test(`loads as it would have been filled: alphabet ${kind}`, () => {
      fc.assert(
        fc.property(fc.array(textOf(alphabet), { maxLength: 300 }), probes, (keys, probes) => {
          const model = inByteOrder(keys);
          for (const set of [OrderedKeys.from(keys), OrderedKeys.fromSorted(model)]) {
            set.verify();
            expect(set.slice(0, set.size)).toEqual(model);
            expectSame(set, model, probes);
          }
        }),
      );
    });
  }
});

describe("a deep set", () => {
  test("answers as a sorted array does", () => {
    const keys = shuffled([...numbered(4000), ...numbered(2000, "ab"), ...numbered(500, "😀")], 7);
    const set = new OrderedKeys();
    for (const key of keys) set.add(key);
    const model = inByteOrder(keys);
    expect(set.verify().height).toBeGreaterThan(1);
    for (const [rank, key] of model.entries()) {
      expect(set.select(rank)).toBe(key);
      expect(set.rank(key)).toBe(rank);
      expect(set.has(key)).toBe(true);
      expect(set.has(`${key}!`)).toBe(false);
      expect(set.rank(`${key}!`)).toBe(rank + 1);
    }
    expectSame(set, model, ["", "k", "key:", "key:000", "ab", "😀", "\uffff", "zz"]);
    for (let start = 0; start < model.length; start += 97) {
      for (const length of [0, 1, 63, 64, 65, 700]) {
        expect(set.slice(start, start + length)).toEqual(model.slice(start, start + length));
      }
    }
  });
});

describe("arguments outside the set", () => {
  const set = OrderedKeys.from(["a", "b", "c"]);

  test.each([-1, 3, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("select(%d)", (index) => {
    expect(set.select(index)).toBeUndefined();
  });

  test.each([
    [-5, 2, ["a", "b"]],
    [1, 99, ["b", "c"]],
    [0, Number.POSITIVE_INFINITY, ["a", "b", "c"]],
    [2, 1, []],
    [3, 4, []],
    [-2, -1, []],
  ])("slice(%d, %d)", (start, end, keys) => {
    expect(set.slice(start, end)).toEqual(keys);
  });

  test("an empty set has nothing", () => {
    for (const empty of [new OrderedKeys(), OrderedKeys.from([]), OrderedKeys.fromSorted([])]) {
      expectSame(empty, [], ["", "a", "😀"]);
      expect(empty.delete("a")).toBe(false);
      expect(empty.verify()).toEqual({ height: 1, leaves: 1 });
    }
  });

  test("clear empties the set, which can be filled again", () => {
    const cleared = OrderedKeys.from([...numbered(5000), "\uffff", "😀"]);
    cleared.clear();
    expectSame(cleared, [], ["", "key:"]);
    expect(cleared.add("😀")).toBe(true);
    expect(cleared.add("\uffff")).toBe(true);
    expectSame(cleared, ["\uffff", "😀"], ["", "a", "\uffff", "😀"]);
    cleared.verify();
  });
});

describe("keysFrom while the set changes", () => {
  const keys = numbered(300);
  const visit = (change: (set: OrderedKeys, key: string) => void): string[] => {
    const set = OrderedKeys.fromSorted(keys);
    const seen: string[] = [];
    for (const key of set.keysFrom("")) {
      seen.push(key);
      change(set, key);
    }
    set.verify();
    return seen;
  };

  test("yields every key when each is deleted in turn", () => {
    expect(visit((set, key) => set.delete(key))).toEqual(keys);
  });

  test("skips a key that is deleted ahead of it", () => {
    const successor = (key: string) => keys[keys.indexOf(key) + 1] ?? "";
    const seen = visit((set, key) => set.delete(successor(key)));
    expect(seen).toEqual(keys.filter((_, index) => index % 2 === 0));
  });

  test("yields a key that is added ahead of it, and none that is added behind", () => {
    const seen = visit((set, key) => {
      set.add(`${key}+`.slice(-9));
      if (key.endsWith("5")) set.add(`${key}+`);
    });
    const added = keys.filter((key) => key.endsWith("5")).map((key) => `${key}+`);
    expect(seen.filter((key) => key.startsWith("key:"))).toEqual(inByteOrder([...keys, ...added]));
  });

  test("ends when the set is cleared", () => {
    expect(visit((set, key) => key === keys[99] && set.clear())).toEqual(keys.slice(0, 100));
  });
});
