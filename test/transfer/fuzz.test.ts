// Fuzz: files that were good once, with bytes changed, cut and repeated. Whatever they have become, a
// check and an import agree with each other and with a plain reading of the file, and errors are typed.
//
// ANYKV_SEED repeats a run, ANYKV_FILES sets how many files are tried.

import { isUtf8 } from "node:buffer";
import { isDeepStrictEqual } from "node:util";

import { isKvError, type Kv } from "anykv";
import { seededRandom } from "anykv/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseReference } from "./csv-reference.js";
import { SimulatedTransfer } from "./transfer-setting.js";

const seed = Number(process.env.ANYKV_SEED ?? 1);
const files = Number(process.env.ANYKV_FILES ?? 600);
const replay = (index: number): string =>
  `file ${index}: ANYKV_SEED=${seed} ANYKV_FILES=${index + 1}`;

const goodJsonl = Buffer.from(
  [
    '{"key":"a","value":{"n":1,"t":"x","l":[1,2,{"d":null}]}}',
    '{"key":"é😀","value":"\\u00e9\\n\\"q\\""}',
    '{ "value" : [true, -1.5e2] , "key" : "c" }\r',
    '{"key":"d","value":12345}',
    '{"key":"a","value":{"key":"x","value":"y"}}',
    '{"key":"f","value":""}',
  ].join("\n"),
);
const goodCsv = Buffer.from(
  'id,name,note\n1,"a ""b""",x\r\n2,é😀,"two\r\nlines"\n\n3,c\n4,d,e,f\n5, , \n"6",\0,""\n',
);
const pieces = [
  '"',
  "\n",
  "\r",
  ",",
  "{",
  "}",
  "\\",
  "\0",
  "\xff",
  "\xe9",
  "key",
  "value",
  ":",
  "0",
];

function mutated(good: Buffer, random: ReturnType<typeof seededRandom>): Buffer {
  let bytes = Buffer.from(good);
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(bytes.length + 1);
    const length = random.below(4);
    const [start, end] = [bytes.subarray(0, at), bytes.subarray(at)];
    const piece = Buffer.from(pieces[random.below(pieces.length)] as string, "latin1");
    const kinds = [
      () => [start, piece, end],
      () => [start, piece, end.subarray(length)],
      () => [start, end.subarray(length)],
      () => [start],
      () => [start, end.subarray(0, 12), end],
      () => [start, Buffer.from([random.below(256)]), end.subarray(1)],
    ];
    bytes = Buffer.concat((kinds[random.below(kinds.length)] as () => Buffer[])());
  }
  return bytes;
}

const blankEnds = /^[\s\x85]+|[\s\x85]+$/g;

/** The good lines before the first bad one, read plainly; undefined for the rest. */
function plainRecords(content: Buffer): { records: [string, unknown][]; isGood: boolean } {
  const records: [string, unknown][] = [];
  for (let start = 0; start < content.length; ) {
    const found = content.indexOf(10, start);
    const end = found === -1 ? content.length : found;
    const line = content.subarray(start, end);
    start = end + 1;
    try {
      if (!isUtf8(line)) throw new Error("not UTF-8");
      const text = line.toString();
      const trimmed = text.startsWith("\ufeff") ? text : text.replace(blankEnds, "");
      const { key, value } = JSON.parse(trimmed) as Record<string, unknown>;
      if (typeof key !== "string" || key === "" || !key.isWellFormed()) throw new Error("no key");
      if (value === undefined || !isBounded(value)) throw new Error("no value");
      records.push([key, JSON.parse(JSON.stringify(value))]);
    } catch {
      return { records, isGood: false };
    }
  }
  return { records, isGood: true };
}

function isBounded(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value !== "object" || value === null || Object.values(value).every(isBounded);
}

async function storedIn(kv: Kv): Promise<Record<string, unknown>> {
  return Object.fromEntries((await kv.list()).map(({ key, value }) => [key, value]));
}

async function outcomeOf(importing: Promise<unknown>): Promise<string> {
  try {
    await importing;
    return "good";
  } catch (error) {
    if (isKvError(error)) return error.name;
    throw error;
  }
}

describe("damaged files", () => {
  const fileName = "/data/file";

  test("JSONL", { timeout: 120_000 }, async () => {
    const random = seededRandom(seed);
    for (let index = 0; index < files; index++) {
      const content = mutated(goodJsonl, random);
      const { kv } = new SimulatedTransfer({ file: content });
      const { records, isGood } = plainRecords(content);
      const checked = await kv.validateJSONL({ fileName });
      expect(checked, replay(index)).toMatchObject({ valid: isGood, records: records.length });
      expect(checked.firstError?.line).toBe(isGood ? undefined : records.length + 1);
      const outcome = await outcomeOf(kv.importJSONL({ fileName, batchSize: 1 }));
      expect(outcome, replay(index)).toBe(isGood ? "good" : "ValueParseError");
      expect(await storedIn(kv), replay(index)).toStrictEqual(Object.fromEntries(records));
      await kv.close();
    }
  });

  test("CSV", { timeout: 120_000 }, async () => {
    const random = seededRandom(seed);
    for (let index = 0; index < files; index++) {
      const content = mutated(goodCsv, random);
      const { kv } = new SimulatedTransfer({ file: content });
      const shape = { fileName, keyColumn: "0", hasHeader: false };
      const checked = await kv.validateCSV(shape);
      const outcome = await outcomeOf(kv.importCSV({ ...shape, batchSize: 1 }));
      expect(outcome === "good", replay(index)).toBe(checked.valid);
      expect(["good", "ValueParseError", "SnapshotReadError"]).toContain(outcome);
      const { records, error } = parseReference(content.toString(), ",");
      // Of what is not UTF-8 the reference knows nothing.
      if (isUtf8(content)) {
        const keyless = records.findIndex(([key = ""]) => key.trim() === "");
        const rows = keyless === -1 ? records : records.slice(0, keyless);
        expect(checked.rows, replay(index)).toBe(rows.length);
        expect(checked.valid, replay(index)).toBe(keyless === -1 && error === undefined);
        const expected = rows.map((row): [string, unknown] => [
          (row[0] as string).trim(),
          Object.fromEntries(row.map((cell, place) => [`column_${place}`, cell])),
        ]);
        expect(await storedIn(kv), replay(index)).toStrictEqual(Object.fromEntries(expected));
      } else expect(checked.valid, replay(index)).toBe(false);
      await kv.close();
    }
  });
});

test("what is exported is imported again: any keys, any JSON values", async () => {
  const keys = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
    .filter((key) => key.isWellFormed());
  const values = fc.jsonValue({ depthSize: "medium", stringUnit: "binary" });
  const pairs = fc.uniqueArray(fc.tuple(keys, values), { selector: ([key]) => key });
  await fc.assert(
    fc.asyncProperty(pairs, async (entries) => {
      const { kv } = new SimulatedTransfer({});
      await kv.setMany(Object.fromEntries(entries));
      const before = await storedIn(kv);
      const fileName = "/data/file";
      const { bytesWritten, exported } = await kv.exportJSONL({ fileName });
      expect(exported).toBe(entries.length);
      await kv.clear();
      expect(await kv.importJSONL({ fileName, batchSize: 3 })).toStrictEqual({
        ...{ imported: exported, fileName, bytesRead: bytesWritten },
      });
      // By Node's comparison: that of expect stumbles over properties called "constructor".
      expect(isDeepStrictEqual(await storedIn(kv), before)).toBe(true);
      await kv.close();
    }),
  );
});
