// Bytes mode: bytes in, bytes out, and no memory shared with the caller.

import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SerializerError } from "../../../src/base/errors.js";
import { formatOf } from "../../../src/kv/serialization/format.js";

const { encode, decode, equal, check, name } = formatOf("bytes");
const abc = [97, 98, 99];

function transferred(): ArrayBuffer {
  const buffer = new ArrayBuffer(3);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

/** Only what the value shows: the memory around a `Buffer` belongs to others. */
function overwrite(value: unknown): void {
  if (ArrayBuffer.isView(value)) {
    new Uint8Array(value.buffer, value.byteOffset, value.byteLength).fill(0);
  } else {
    new Uint8Array(value as ArrayBuffer).fill(0);
  }
}

test("is named bytes", () => {
  expect(name).toBe("bytes");
});

describe("encode", () => {
  test.each<[string, unknown]>([
    ["a Uint8Array", Uint8Array.from(abc)],
    ["a Buffer", Buffer.from("abc")],
    ["an ArrayBuffer", Uint8Array.from(abc).buffer],
    ["a view into a larger buffer", Uint8Array.from([0, ...abc, 0]).subarray(1, 4)],
    ["a view into shared memory", new Uint8Array(new SharedArrayBuffer(3)).map((_, i) => 97 + i)],
    ["an array of another realm", runInNewContext("Uint8Array.of(97, 98, 99)")],
    ["a buffer of another realm", runInNewContext("Uint8Array.of(97, 98, 99).buffer")],
  ])("copies %s into a plain Uint8Array", (_, value) => {
    const stored = encode(value) as Uint8Array;
    expect([...stored]).toEqual(abc);
    expect(Object.getPrototypeOf(stored)).toBe(Uint8Array.prototype);
    expect(stored.buffer.byteLength).toBe(3);
    overwrite(value);
    expect([...stored]).toEqual(abc);
  });

  test("accepts no bytes at all", () => {
    expect(encode(new Uint8Array())).toEqual(new Uint8Array());
    expect(encode(new ArrayBuffer(0))).toEqual(new Uint8Array());
  });

  test.each<[unknown, string]>([
    ["abc", "string"],
    [1, "number"],
    [null, "null"],
    [undefined, "undefined"],
    [abc, "an object (Array)"],
    [{}, "an object (Object)"],
    [new Uint16Array(1), "an object (Uint16Array)"],
    [new Uint8ClampedArray(1), "an object (Uint8ClampedArray)"],
    [new DataView(new ArrayBuffer(1)), "an object (DataView)"],
    [new SharedArrayBuffer(1), "an object (SharedArrayBuffer)"],
    [() => 1, "function"],
  ])("case %#: refuses %o", (value, got) => {
    expect(() => encode(value)).toThrow(SerializerError);
    expect(() => encode(value)).toThrow(`value must be a Uint8Array or an ArrayBuffer, got ${got}`);
  });

  test("refuses look-alikes and memory that was transferred away", () => {
    expect(() => encode({ [Symbol.toStringTag]: "Uint8Array", length: 1 })).toThrow(
      SerializerError,
    );
    expect(() => encode({ [Symbol.toStringTag]: "ArrayBuffer" })).toThrow(SerializerError);
    expect(() => encode(transferred())).toThrow(SerializerError);
  });
});

describe("decode", () => {
  test("returns a plain Uint8Array of the caller's own", () => {
    const stored = encode(Buffer.from("abc"));
    const value = decode(stored) as Uint8Array;
    expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype);
    value.fill(0);
    expect([...(decode(stored) as Uint8Array)]).toEqual(abc);
    expect(Object.getPrototypeOf(decode(Buffer.from("abc")))).toBe(Uint8Array.prototype);
  });

  test("reads the text of a counter as its bytes", () => {
    const value = decode("-42") as Uint8Array;
    expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype);
    expect(Buffer.from(value).toString()).toBe("-42");
    check("-42");
    check(Uint8Array.of(0xff));
  });
});

test.each<[string | Uint8Array, string | Uint8Array, boolean]>([
  [Uint8Array.from(abc), Uint8Array.from(abc), true],
  [Uint8Array.from(abc), Buffer.from("abc"), true],
  [Uint8Array.from(abc), Uint8Array.from([97, 98]), false],
  [Uint8Array.from(abc), Uint8Array.from([97, 98, 100]), false],
  [new Uint8Array(), "", true],
  ["42", Buffer.from("42"), true],
  ["42", Buffer.from("042"), false],
  ["42", "42", true],
  ["42", "43", false],
  ["é", Uint8Array.of(0xc3, 0xa9), true],
])("case %#: equality is that of the bytes", (a, b, expected) => {
  expect(equal(a, b)).toBe(expected);
  expect(equal(b, a)).toBe(expected);
});

test("any bytes read back as they were", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(decode(encode(bytes))).toEqual(Uint8Array.from(bytes));
    }),
  );
});
