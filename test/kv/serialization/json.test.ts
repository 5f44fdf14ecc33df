// JSON mode: what is kept, what is refused and how the refusal reads, what compares as equal.

import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SerializerError } from "../../../src/base/errors.js";
import { formatOf } from "../../../src/kv/serialization/format.js";

const { encode, decode, equal, check, name } = formatOf("json");

class Point {
  x = 1;
  y = 2;
  #hidden = 3;
  sum(): number {
    return this.x + this.y + this.#hidden;
  }
}
class Money {
  readonly amount = 5;
  toJSON(key: string): string {
    return `${key}:${this.amount}`;
  }
}
class Lossy {
  toJSON(): number {
    return Number.NaN;
  }
}
function OldStyle(this: { a: number }): void {
  this.a = 1;
}
OldStyle.prototype.method = () => 1;

const ownProto = JSON.parse('{"__proto__":{"a":1},"b":2}');
const shared = { a: 1 };
const hiddenProperty = Object.defineProperty({ a: 1 }, "b", { value: () => 1 });
const nested = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));
const foreign = runInNewContext("({ a: [1, { b: new Date(0) }], c: null })");

function failure(run: () => unknown): SerializerError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(SerializerError);
    return error as SerializerError;
  }
  throw new Error("expected a SerializerError");
}

test("is named json", () => {
  expect(name).toBe("json");
});

describe("encode writes what JSON.stringify writes", () => {
  test.each<[string, unknown]>([
    ["text", "plain"],
    ["empty text", ""],
    ["a number", 1.5],
    ["minus zero", -0],
    ["true", true],
    ["null", null],
    ["an empty object", {}],
    ["an empty array", []],
    ["properties in their order", { b: 1, a: { d: 1, c: 2 } }],
    ["integer-like properties", { 2: "b", 1: "a" }],
    ["undefined properties, left out", { a: undefined, b: 1 }],
    ["undefined elements, as null", [undefined, 1]],
    ["holes, as null", new Array(2)],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 })],
    ["an own __proto__", ownProto],
    ["the same part twice", [shared, shared, { shared }]],
    ["symbol keys, left out", { [Symbol("s")]: () => 1, a: 1 }],
    ["properties that are not enumerable, left out", hiddenProperty],
    ["lone surrogates, escaped", ["\ud800", { "\udc00": "a\udbffb" }]],
    ["all planes", "\u0000 \u007f é € 😀 \u2028"],
    ["a date", { at: new Date(Date.UTC(2026, 10, 21, 3, 4, 5, 6)) }],
    ["an invalid date, as null", { at: new Date(Number.NaN) }],
    ["an instance", { p: new Point() }],
    ["an instance with toJSON", { m: new Money(), list: [new Money()] }],
    ["an own toJSON", { a: { toJSON: () => ({ b: 1 }) } }],
    ["toJSON that gives undefined", { a: { toJSON: () => undefined }, b: 1 }],
    ["a buffer, by its toJSON", { bytes: Buffer.from("ab") }],
    ["a URL, by its toJSON", new URL("https://example.com/a")],
    ["boxed primitives", [Object(1), Object("a"), Object(true)]],
    ["an array of a subclass", class Items extends Array {}.of(1, 2, 3)],
    ["objects of another realm", foreign],
    [
      "an accessor",
      {
        get a() {
          return 1;
        },
      },
    ],
    ["inherited methods", new (OldStyle as unknown as new () => object)()],
    ["nesting beyond the quick walk", nested(500)],
    ["an error, by its own properties", { e: Object.assign(new Error("m"), { code: 1 }) }],
  ])("%s", (_, value) => {
    expect(encode(value)).toBe(JSON.stringify(value));
  });

  test("with undefined as null", () => {
    expect(encode(undefined)).toBe("null");
    expect(encode({ toJSON: () => undefined })).toBe("null");
  });

  test("with a date in ISO form", () => {
    expect(encode(new Date(Date.UTC(2026, 10, 21)))).toBe('"2026-11-21T00:00:00.000Z"');
    expect(encode(new Date(Number.NaN))).toBe("null");
  });
});

const cycle: Record<string, unknown> = { a: { b: [] } };
(cycle.a as { b: unknown[] }).b.push(1, cycle);
const instanceCycle = Object.assign(new Point(), { self: {} });
instanceCycle.self = instanceCycle;
const wide = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, index]));
const deepBad = Array.from({ length: 80 }).reduce((inner) => ({ d: inner }), Number.NaN as unknown);

describe("encode refuses what would be lost, and names the place", () => {
  test.each<[string, unknown]>([
    ["value is NaN,", Number.NaN],
    ["value is Infinity,", Number.POSITIVE_INFINITY],
    ["value.items[3].price is NaN,", { items: [0, 1, 2, { price: Number.NaN }] }],
    ["value[0] is -Infinity,", [-Infinity]],
    ["value is a function,", () => 1],
    ["value.a is a function,", { a: () => 1 }],
    ["value[0] is a function,", [class {}]],
    ["value is a symbol,", Symbol("s")],
    ["value.a is a symbol,", { a: Symbol("s") }],
    ["value.a is a symbol,", { a: Object(Symbol("s")) }],
    ["value is a BigInt,", 1n],
    ["value.a.b is a BigInt,", { a: { b: 1n } }],
    ["value.a is a BigInt,", { a: Object(1n) }],
    ["value.a is NaN,", { a: Object(Number.NaN) }],
    ["value.a.b[1] is an object that contains itself,", cycle],
    ["value.self is an object that contains itself,", instanceCycle],
    ["value is a Map,", new Map([[1, 2]])],
    ["value.a is a Set,", { a: new Set() }],
    ["value.a is a WeakMap,", { a: new WeakMap() }],
    ["value.a is a WeakSet,", { a: new WeakSet() }],
    ["value.a is a WeakRef,", { a: new WeakRef({}) }],
    ["value.user is a Promise,", { user: Promise.resolve(1) }],
    ["value is an iterator,", new Map().values()],
    ["value is a generator,", (function* () {})()],
    ["value.a is an ArrayBuffer,", { a: new ArrayBuffer(1) }],
    ["value.a is a SharedArrayBuffer,", { a: new SharedArrayBuffer(1) }],
    ["value is a binary view (Uint8Array),", new Uint8Array(1)],
    ["value[0] is a binary view (Float64Array),", [new Float64Array(1)]],
    ["value.a is a binary view (DataView),", { a: new DataView(new ArrayBuffer(1)) }],
    ["value is a Map,", new (class Cache extends Map {})()],
    ["value.m is a Map,", runInNewContext("({ m: new Map() })")],
    ["value.f is a function,", Object.assign(new Point(), { f: () => 1 })],
    ["value is NaN,", Object.assign([1], { toJSON: () => Number.NaN })],
    ["value is NaN,", Object.assign(new Date(0), { toJSON: () => Number.NaN })],
    ["value is NaN,", new Lossy()],
    ["value.a.b is NaN,", { a: { toJSON: () => ({ b: Number.NaN }) } }],
    ["value.n[1] is NaN,", { d: new Date(0), n: [1, Number.NaN] }],
    ["value.bad is NaN,", { ...wide, bad: Number.NaN }],
    ['value["a b"][""] is NaN,', { first: { x: { y: 1 } }, "a b": { "": Number.NaN } }],
    [`value["${"k".repeat(40)}"...] is NaN,`, { ["k".repeat(50)]: Number.NaN }],
    [`value${".d".repeat(6)} ... ${".d".repeat(6)} is NaN,`, deepBad],
  ])("%s", (message, value) => {
    const error = failure(() => encode(value));
    expect(error.message).toBe(`${message} which cannot be stored`);
  });

  test("with a hint where there is a way", () => {
    expect(failure(() => encode({ a: Promise.resolve() })).hint).toMatch(/await/i);
    expect(failure(() => encode(new Map())).hint).toMatch(/plain object/);
    expect("hint" in failure(() => encode(Number.NaN))).toBe(false);
  });

  test("when it is nested too deeply for the stack", () => {
    const error = failure(() => encode(nested(200_000)));
    expect(error.message).toBe("value is nested too deeply");
    expect(error.cause).toBeInstanceOf(RangeError);
  });

  test("when toJSON or an accessor throws, with that as the cause", () => {
    const cause = new TypeError("no such field\nand more");
    const throwing = () => {
      throw cause;
    };
    for (const value of [
      { toJSON: throwing },
      Object.defineProperty({}, "a", { get: throwing, enumerable: true }),
    ]) {
      const error = failure(() => encode(value));
      expect(error.message).toBe("value cannot be read for storing: no such field");
      expect(error.cause).toBe(cause);
    }
  });

  test("without repeating contents", () => {
    const secret = "s".repeat(10_000);
    expect(
      failure(() => encode({ secret, a: new Map([[secret, 1]]) })).message.length,
    ).toBeLessThan(80);
  });
});

describe("decode", () => {
  test("reads text and UTF-8 bytes", () => {
    expect(decode('{"a":[1,"é"]}')).toEqual({ a: [1, "é"] });
    expect(decode(Buffer.from('{"a":[1,"é"]}'))).toEqual({ a: [1, "é"] });
  });

  test("keeps the order of properties and an own __proto__", () => {
    expect(Object.keys(decode('{"b":1,"a":2}') as object)).toEqual(["b", "a"]);
    const value = decode(encode(ownProto)) as object;
    expect(Object.keys(value)).toEqual(["__proto__", "b"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test("takes empty text for null", () => {
    expect(decode("")).toBe(null);
    expect(decode(new Uint8Array())).toBe(null);
  });

  test("returns a copy of its own each time", () => {
    const text = encode({ a: [1] });
    expect(decode(text)).not.toBe(decode(text));
  });

  test.each<[string, string | Uint8Array]>([
    ["text that is no JSON", "hello"],
    ["cut JSON", '{"a":'],
    ["a blank", " "],
    ["trailing text", "1 2"],
    ["NaN", "NaN"],
    ["a decimal with a leading zero", "01"],
    ["a byte order mark", "\ufeff1"],
    ["a byte order mark in bytes", Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)],
    ["bytes that are no UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
  ])("refuses %s with the cause, and so does check", (_, stored) => {
    const error = failure(() => decode(stored));
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.hint).toMatch(/serialization/);
    expect(failure(() => check(stored)).message).toBe(error.message);
  });

  test("check accepts what decode reads", () => {
    for (const stored of ["", "null", '{"a":1}', Buffer.from("[1]")]) check(stored);
  });
});

describe("equal", () => {
  test.each<[string | Uint8Array, string | Uint8Array, boolean]>([
    ["1", "1", true],
    ["1", "1.0", true],
    ["1", '"1"', false],
    ["-0", "0", true],
    ['{"a":1,"b":{"c":1,"d":2}}', '{"b":{"d":2,"c":1},"a":1}', true],
    ['{"a":1}', '{ "a" : 1 }', true],
    ['{"a":1}', '{"a":1,"b":null}', false],
    ['{"a":null}', '{"b":null}', false],
    ['{"a":null}', "{}", false],
    ['{"a":1}', '{"a":2}', false],
    ["[1,2]", "[2,1]", false],
    ["[1]", '{"0":1}', false],
    ["[]", "{}", false],
    ["null", "[]", false],
    ["null", "false", false],
    ['"\\u0061"', '"a"', true],
    ["", "null", true],
    ['{"__proto__":1}', "{}", false],
    ['{"__proto__":1}', '{"a":1}', false],
    ['{"__proto__":{}}', '{"a":{}}', false],
    ['{"__proto__":1,"a":2}', '{"a":2,"__proto__":1}', true],
    ['{"toString":1}', '{"valueOf":1}', false],
    ["hello", "hello", true],
    ["hello", '"hello"', false],
    ["hello", "help", false],
    ["1", Buffer.from("1"), true],
    ['{"a":1,"b":2}', Buffer.from('{"b":2,"a":1}'), true],
    [Buffer.from("[1]"), Buffer.from("[1]"), true],
    [Buffer.from("[1]"), Buffer.from("[2]"), false],
    [Uint8Array.of(0xff), Uint8Array.of(0xff), true],
    [Uint8Array.of(0xff), "1", false],
  ])("%o and %o: %s", (a, b, expected) => {
    expect(equal(a, b)).toBe(expected);
    expect(equal(b, a)).toBe(expected);
  });

  test("compares what is nested deeper than the stack", () => {
    const deep = (inner: string) => '{"a":'.repeat(100_000) + inner + "}".repeat(100_000);
    expect(equal(deep('{"x":1,"y":2}'), deep('{"y":2,"x":1}'))).toBe(true);
    expect(equal(deep("1"), deep("2"))).toBe(false);
  });
});

/** The same value with the properties of every object in another order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== "object" || value === null) return value;
  const copy = {};
  for (const [key, part] of Object.entries(value).reverse()) {
    const property = {
      value: reordered(part),
      enumerable: true,
      writable: true,
      configurable: true,
    };
    Object.defineProperty(copy, key, property);
  }
  return copy;
}

describe("properties", () => {
  const values = fc.anything({
    withDate: true,
    withNullPrototype: true,
    withSparseArray: true,
    withBoxedValues: true,
    withUnicodeString: true,
    withObjectString: true,
  });
  const stringified = (value: unknown) => {
    const lost: unknown[] = [];
    const text = JSON.stringify(value, (_, part) => {
      const number = part instanceof Number ? Number(part) : part;
      if (typeof number === "number" && !Number.isFinite(number)) lost.push(part);
      return part;
    });
    return { text: text ?? "null", isLossy: lost.length > 0 };
  };

  test("whatever is not refused reads back as from JSON.parse(JSON.stringify(value))", () => {
    let kept = 0;
    fc.assert(
      fc.property(values, (value) => {
        const { text, isLossy } = stringified(value);
        if (isLossy) return void failure(() => encode(value));
        kept++;
        const stored = encode(value);
        expect(stored).toBe(text);
        expect(decode(stored)).toStrictEqual(JSON.parse(text));
      }),
      { numRuns: 2000 },
    );
    expect(kept).toBeGreaterThan(500);
  });

  test("a lossy part is refused wherever it stands", () => {
    const bad = fc.constantFrom(() => 1, Symbol("s"), 1n, Number.NaN, new Map(), new Uint8Array(1));
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        bad,
        fc.tuple(fc.jsonValue(), tie("tree")),
        fc.record({ a: fc.jsonValue(), bad: tie("tree") }),
        tie("tree").map((inner) => Object.assign(new Point(), { inner, at: new Date(0) })),
        tie("tree").map((inner) => ({ toJSON: () => ({ inner }) })),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(failure(() => encode(value)).message).toMatch(/^value.* is .*, which cannot be/);
      }),
      { numRuns: 1000 },
    );
  });

  test("equality does not see the order of properties, and sees any other difference", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(equal(encode(a), encode(reordered(a)))).toBe(true);
        const canonical = (value: unknown): string =>
          JSON.stringify(value, (_, part) =>
            typeof part === "object" && part !== null && !Array.isArray(part)
              ? { entries: Object.entries(part).sort(([x], [y]) => (x < y ? -1 : 1)) }
              : part,
          );
        expect(equal(encode(a), encode(b))).toBe(canonical(a) === canonical(b));
      }),
      { numRuns: 2000 },
    );
  });
});
