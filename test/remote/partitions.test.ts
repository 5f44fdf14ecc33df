import { describe, expect, test } from "vitest";
import { crc16, partitionOf, partitionTag, placedBy } from "../../src/remote/partitions.js";

const slotOf = (text: string): number => crc16(Buffer.from(text)) % 16_384;

describe("partitions", () => {
  test("the checksum is the one behind the slots of a cluster", () => {
    expect(crc16(Buffer.from("123456789"))).toBe(0x31c3);
    expect(slotOf("foo")).toBe(12_182);
    expect(slotOf("bar")).toBe(5_061);
    expect(slotOf("")).toBe(0);
  });

  test.each([
    ["plain", "plain"],
    ["{user}:1", "user"],
    ["a{b}c{d}", "b"],
    ["{}a", "{}a"],
    ["a{b", "a{b"],
    ["a}b{c", "a}b{c"],
    ["{{a}}", "{a"],
  ])("%s is placed by %s", (key, part) => {
    expect(placedBy(key)).toBe(part);
  });

  test("keys with the same part in braces lie together, others are spread", () => {
    const keys = Array.from({ length: 3_000 }, (_, index) => `key ${index}`);
    const counts = [0, 0, 0];
    for (const key of keys) {
      const partition = partitionOf(key, 3);
      expect(partitionOf(`x{${key}}y`, 3)).toBe(partition);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
    expect(partitionOf("anything", 1)).toBe(0);
  });

  test("keys are hashed as UTF-8, as they always were", () => {
    expect(["a", "é", "😀", "~{😀}"].map((key) => partitionOf(key, 1_000))).toStrictEqual(
      ["a", "é", "😀", "😀"].map((part) => crc16(Buffer.from(part)) % 1_000),
    );
    expect(partitionTag("anykv", "sessions", 2)).toBe("anykv:{sessions:2}");
  });
});
