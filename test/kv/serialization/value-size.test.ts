// The bound on stored values, in every mode. The real one is too large for a test, so a small one
// stands in for it.

import { expect, test, vi } from "vitest";
import { SerializerError } from "../../../src/base/errors.js";
import { formatOf } from "../../../src/kv/serialization/format.js";

vi.mock("../../../src/base/limits.js", () => ({ valueBytesMax: 12 }));

const json = formatOf("json");
const text = formatOf("string");
const bytes = formatOf("bytes");

test.each([
  ["json", json, "1234567890", "12345678901"],
  ["json beyond ASCII", json, "€€€", "€€€€"],
  ["json with nothing lost", json, [1, 2, 3, 4, 55], [1, 2, 3, 4, 555]],
  ["json on the exact way", json, { a: new URL("a:b") }, { a: new URL("a:bcde") }],
  ["text", text, "123456789012", "1234567890123"],
  ["text beyond ASCII", text, "€€€€", "€€€€1"],
  ["text in pairs", text, "😀😀😀", "😀😀😀."],
  ["text of a number", text, 123456789012, 1234567890123],
  ["bytes", bytes, new Uint8Array(12), new Uint8Array(13)],
  ["bytes of a buffer", bytes, new ArrayBuffer(12), new ArrayBuffer(13)],
])("%s may fill the bound and not exceed it", (_, format, full, over) => {
  format.encode(full);
  expect(() => format.encode(over)).toThrow(SerializerError);
  expect(() => format.encode(over)).toThrow(/^value is too large: at most 12 bytes .* got 1\d$/);
});
