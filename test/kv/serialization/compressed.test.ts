// The stored form of compressed values: smaller where it can be, and never mistaken for a value.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compressed, unwrapped, wrapped } from "../../../src/kv/serialization/compressed.js";
import { bytesOf, sameBytes, textOf } from "../../../src/kv/serialization/stored-text.js";

const mark = [0xff, 0x41, 0x4b, 0x5a];

test("what repeats itself gets much smaller, what does not stays as it is", () => {
  expect(compressed("abc".repeat(1_000)).length).toBeLessThan(100);
  expect(compressed("abc")).toBe("abc");
  const noise = Uint8Array.from({ length: 1_000 }, (_, index) => (index * index * 7_919) % 251);
  expect(compressed(noise).length).toBeLessThanOrEqual(noise.length);
});

test("every text and all bytes come back, compressed or not", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }).map((rest) => Uint8Array.from([...mark, ...rest])),
  );
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 20 }), (part, times) => {
      const value = new Uint8Array(Buffer.concat(new Array<Uint8Array>(times).fill(part)));
      const stored = wrapped(value);
      expect(bytesOf(stored)).toStrictEqual(value);
      expect(bytesOf(compressed(stored))).toStrictEqual(value);
      expect(sameBytes(compressed(stored), stored)).toBe(true);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => {
      const repeated = text.repeat(9);
      expect(textOf(compressed(repeated))).toBe(repeated);
      expect(sameBytes(compressed(repeated), repeated)).toBe(true);
    }),
  );
});

describe("damaged forms are refused", () => {
  const good = compressed("abc".repeat(1_000)) as Uint8Array;

  test.each([
    ["an unknown codec", Uint8Array.from([...mark, 2, 0, 0])],
    ["no codec", Uint8Array.from(mark)],
    ["no length", Uint8Array.from([...mark, 1, 0, 0])],
    ["a cut content", good.subarray(0, -3)],
    ["a wrong length", Uint8Array.from([...good.subarray(0, 5), 1, 0, 0, 0, ...good.subarray(9)])],
  ])("%s", (_, stored) => {
    expect(() => unwrapped(stored)).toThrow(expect.objectContaining({ name: "SerializerError" }));
    expect(() => textOf(stored)).toThrow(expect.objectContaining({ name: "SerializerError" }));
  });
});
