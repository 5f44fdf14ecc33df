// The recognizer of plain JSON against `JSON.parse`: whatever it accepts is JSON, and says the same
// when it is written anew.

import fc from "fast-check";
import { expect, test } from "vitest";
import { isPlainJson } from "../../src/transfer/plain-json.js";

function accepts(text: string): boolean {
  // What stands around it is as in a line: the object goes on, and ends.
  const bytes = Buffer.from(`{"key":"k","value":${text}}\n{"key":1}`);
  const start = '{"key":"k","value":'.length;
  return isPlainJson(bytes, start, start + Buffer.byteLength(text));
}

function check(text: string): boolean {
  if (!accepts(text)) return false;
  const value: unknown = JSON.parse(text);
  expect(JSON.parse(JSON.stringify(value))).toStrictEqual(value);
  return true;
}

const accepted = [
  ...[
    "{}",
    "[]",
    '""',
    '{"a":1}',
    "[1,2.5,-3,0,0.5]",
    '{"a":[{},[],[[]],{"b":{}}]}',
    '"\\"\\\\\\n"',
  ],
  ...['[true,false,null,"é😀"]', '{"a":"}","b":"]"}', "[123456789012345]", "[1.10]"],
  ...[`${"[".repeat(30)}${"]".repeat(30)}`],
];
const refused = [
  ...["", "1", "null", "{", "[", '"', "}", "]", "{]", "[}", '{"a"}', '{"a":}', "[1,]", "[,1]"],
  ...[
    '{"a":1,}',
    "{,}",
    "{a:1}",
    "[01]",
    "[1.]",
    "[.5]",
    "[-]",
    "[+1]",
    "[1e400]",
    "[1e2]",
    "[-0]",
  ],
  ...['["\\u0041"]', '["\\x"]', '["\n"]', "[ 1]", "[1] ", "[1]]", "[1][2]", '{"a":1}{}', "[tru]"],
  ...["[nul,1]", "[truex]", '["a"1]', '[1"a"]', '{"a":1"b":2}', '{"a" :1}', "[1234567890123456]"],
  ...['1,"value":2', '{"x":1},"value":{"y":2}', '"a","value":"b"', '"a\\', '["a'],
  ...[`${"[".repeat(31)}${"]".repeat(31)}`],
];

test.each(accepted)("accepts %s", (text) => expect(check(text)).toBe(true));
test.each(refused)("refuses %s", (text) => expect(check(text)).toBe(false));

test("accepts what JSON.stringify writes, if its numbers and characters are plain", () => {
  const scalar = fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.string());
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      scalar,
      fc.array(tie("any")),
      fc.dictionary(fc.string(), tie("any")),
    ),
  })).any;
  fc.assert(
    fc.property(fc.array(value), (values) => {
      const text = JSON.stringify(values);
      expect(check(text) || /\\u/.test(text)).toBe(true);
    }),
  );
});

test("never accepts what JSON.parse refuses, whatever is changed in it", () => {
  const alphabet = '{}[]",:\\-+.0123456789eEtrufalsn \n\u0001é';
  const change = fc.record({
    at: fc.nat(),
    remove: fc.nat(3),
    put: fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.json(), fc.array(change, { maxLength: 4 }), (json, changes) => {
      let text = json;
      for (const { at, remove, put } of changes) {
        const place = at % (text.length + 1);
        text = text.slice(0, place) + put + text.slice(place + remove);
      }
      check(text);
    }),
    { numRuns: 5_000 },
  );
});
