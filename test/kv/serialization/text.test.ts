// String mode: strings as they are, everything else as Go prints it, always read back as text.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SerializerError } from "../../../src/base/errors.js";
import { formatOf } from "../../../src/kv/serialization/format.js";

const { encode, decode, equal, check, name } = formatOf("string");

const cycle: Record<string, unknown> = { a: [] };
(cycle.a as unknown[]).push(cycle);
const shared = { x: 1 };
const deep: unknown = JSON.parse("[".repeat(200_000) + "]".repeat(200_000));

function failure(run: () => unknown): SerializerError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(SerializerError);
    return error as SerializerError;
  }
  throw new Error("expected a SerializerError");
}

test("is named string", () => {
  expect(name).toBe("string");
});

describe("encode", () => {
  test.each<[unknown, string]>([
    ["", ""],
    ["verbatim \u0000 é 😀", "verbatim \u0000 é 😀"],
    ["<nil>", "<nil>"],
    [null, "<nil>"],
    [undefined, "<nil>"],
    [true, "true"],
    [false, "false"],
    [5, "5"],
    [0, "0"],
    [-0, "-0"],
    [-17, "-17"],
    [1.5, "1.5"],
    [-1.5, "-1.5"],
    [0.1, "0.1"],
    [1_000_000, "1000000"],
    [100_000.5, "100000.5"],
    [999_999.5, "999999.5"],
    [1_000_000.5, "1.0000005e+06"],
    [-1_234_567.25, "-1.23456725e+06"],
    [0.0001, "0.0001"],
    [0.00012, "0.00012"],
    [0.00001, "1e-05"],
    [-0.0000123, "-1.23e-05"],
    [2 ** 53, "9007199254740992"],
    [-(2 ** 53), "-9007199254740992"],
    [2 ** 53 + 2, "9.007199254740994e+15"],
    [1e20, "1e+20"],
    [1.5e300, "1.5e+300"],
    [Number.MIN_VALUE, "5e-324"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "+Inf"],
    [Number.NEGATIVE_INFINITY, "-Inf"],
    [123n, "123"],
    [-(2n ** 64n), "-18446744073709551616"],
    [[], "[]"],
    [[1, "a", null], "[1 a <nil>]"],
    [[1, [2, [3]]], "[1 [2 [3]]]"],
    [new Array(2), "[<nil> <nil>]"],
    [["a b", ""], "[a b ]"],
    [{}, "map[]"],
    [{ a: 1 }, "map[a:1]"],
    [{ b: 1, a: "x" }, "map[a:x b:1]"],
    [{ n: { z: 1.25 } }, "map[n:map[z:1.25]]"],
    [{ n: Number.NaN, big: 1n, u: undefined }, "map[big:1 n:NaN u:<nil>]"],
    [{ "\u{1f600}": 1, "\uffee": 2, z: 3 }, "map[z:3 \uffee:2 \u{1f600}:1]"],
    [{ a: shared, b: [shared] }, "map[a:map[x:1] b:[map[x:1]]]"],
    [JSON.parse('{"__proto__":{"a":1}}'), "map[__proto__:map[a:1]]"],
    [Object.assign(Object.create({ inherited: 1 }), { own: 1 }), "map[own:1]"],
    [{ [Symbol("s")]: 1, a: 1 }, "map[a:1]"],
    [new Date(Date.UTC(2026, 10, 21)), "2026-11-21T00:00:00.000Z"],
    [{ at: new Date(0) }, "map[at:1970-01-01T00:00:00.000Z]"],
    [new Date(Number.NaN), "<nil>"],
    [new URL("https://example.com/"), "https://example.com/"],
    [{ a: { toJSON: (key: string) => [key] } }, "map[a:[a]]"],
    [[Object(1), Object("a"), Object(false), Object(1n)], "[1 a false 1]"],
  ])("case %#: %o as %s", (value, text) => {
    expect(encode(value)).toBe(text);
  });

  test.each<[unknown, string]>([
    [() => 1, "value is a function,"],
    [{ a: [() => 1] }, "value.a[0] is a function,"],
    [Symbol("s"), "value is a symbol,"],
    [{ a: Symbol("s") }, "value.a is a symbol,"],
    [{ a: Object(Symbol("s")) }, "value.a is a symbol,"],
    [cycle, "value.a[0] is an object that contains itself,"],
    [{ a: new Map() }, "value.a is a Map,"],
    [Promise.resolve(1), "value is a Promise,"],
    [[new Uint8Array(1)], "value[0] is a binary view (Uint8Array),"],
  ])("case %#: refuses %o", (value, message) => {
    expect(failure(() => encode(value)).message).toBe(`${message} which cannot be stored`);
  });

  test("refuses what is nested too deeply for the stack", () => {
    expect(failure(() => encode(deep)).message).toBe("value is nested too deeply");
  });

  test.each(["\ud800", "a\udc00b", "\udc00\ud800", ["\ud800"], { "\udfff": 1 }])(
    "case %#: refuses a lone surrogate",
    (value) => {
      expect(failure(() => encode(value)).message).toMatch(/lone surrogate/);
    },
  );

  test("accepts surrogates in pairs", () => {
    expect(encode("\ud83d\ude00")).toBe("😀");
  });
});

describe("decode", () => {
  test("returns the text, also of bytes", () => {
    expect(decode("map[a:1]")).toBe("map[a:1]");
    expect(decode("")).toBe("");
    expect(decode(Buffer.from("\ufeffé"))).toBe("\ufeffé");
  });

  test("refuses bytes that are not UTF-8, and so does check", () => {
    const bytes = Uint8Array.of(0x61, 0xff);
    expect(failure(() => decode(bytes)).cause).toBeInstanceOf(TypeError);
    failure(() => check(bytes));
    check("a");
    check(Buffer.from("a"));
  });
});

test("equality is that of the text", () => {
  expect(equal(encode(1), encode("1"))).toBe(true);
  expect(equal(encode({ a: 1, b: 2 }), encode({ b: 2, a: 1 }))).toBe(true);
  expect(equal("1", "1.0")).toBe(false);
  expect(equal("", "<nil>")).toBe(false);
  expect(equal("é", Buffer.from("é"))).toBe(true);
  expect(equal("é", Buffer.from("e"))).toBe(false);
  expect(equal(Uint8Array.of(0xff), "\ufffd")).toBe(false);
});

describe("properties", () => {
  test("any well-formed string reads back as it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(decode(encode(text))).toBe(text);
      }),
    );
  });

  test("any finite number reads back from its text, in Go's spelling", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const text = encode(number) as string;
        expect(Number(text)).toBe(number);
        expect(text).toMatch(/^-?\d+(\.\d+)?(e[+-]\d{2,})?$/);
        const exponent = Number(number.toExponential().split("e")[1]);
        const isWhole = Number.isInteger(number) && Math.abs(number) <= 2 ** 53;
        expect(text.includes("e")).toBe(!isWhole && (exponent < -4 || exponent >= 6));
      }),
      { numRuns: 2000 },
    );
  });

  test("any value is stored as text or refused, and never crashes", () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withMap: true, withTypedArray: true }),
        (value) => {
          try {
            expect(typeof encode(value)).toBe("string");
          } catch (error) {
            expect(error).toBeInstanceOf(SerializerError);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
