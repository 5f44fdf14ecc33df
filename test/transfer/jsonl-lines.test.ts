// JSONL line by line: what a line may look like, what is refused and how that is told. A check and an
// import of the same file always agree.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isKvError, type Kv } from "anykv";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { factories, onStore } from "./transfer-setting.js";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "anykv-jsonl-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

function fileOf(content: string | Uint8Array): string {
  const fileName = join(directory, "in.jsonl");
  writeFileSync(fileName, content);
  return fileName;
}

const line = (value: string): string => `{"key":"k","value":${value}}`;
const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

const good: readonly [title: string, text: string, value: unknown][] = [
  ["plain", line('{"a":1}'), { a: 1 }],
  ["null", line("null"), null],
  ["true", line("true"), true],
  ["a number", line("-12.50"), -12.5],
  ["an exponent", line("1e3"), 1000],
  ["many digits", line("[12345678901234567890]"), [Number("12345678901234567890")]],
  ["minus zero, which JSON says as zero", line('{"a":-0}'), { a: 0 }],
  ["escapes", line('"\\u0041\\n\\"\\\\\\/"'), 'A\n"\\/'],
  ["half a pair, escaped", line('"\\ud800"'), "\ud800"],
  ["blanks everywhere", ' \t{ "key" : "k" , "value" : [ 1 , 2 ] } \r', [1, 2]],
  ["blanks that JSON does not know", `\u00a0\u2003\v${line("1")}\u3000\f\u0085`, 1],
  ["members in another order", '{"value":1,"key":"k"}', 1],
  ["further members", '{"key":"k","value":1,"ttl":5,"Value":2}', 1],
  ["a member that occurs twice", '{"key":"x","key":"k","value":1,"value":{"a":2}}', { a: 2 }],
  ["a value twice, as objects", '{"key":"k","value":{"x":1},"value":{"y":2}}', { y: 2 }],
  ["a value twice, escaped", '{"key":"k","value":"a","valu\\u0065":"b"}', "b"],
  ["a key with escapes", '{"key":"\\u006b","value":1}', 1],
  ["a key among the values", line('{"key":"x","value":"y"}'), { key: "x", value: "y" }],
  ["beyond ASCII", line('{"é😀":"世"}'), { "é😀": "世" }],
  ["nesting of 30 levels", line(deep(30)), JSON.parse(deep(30))],
  ["nesting of 1,000 levels", line(deep(1_000)), JSON.parse(deep(1_000))],
  ["a member named __proto__", line('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1}}')],
];

const bad: readonly [title: string, text: string | Uint8Array, message: RegExp][] = [
  ["blank", "", /blank/],
  ["nothing but blanks", " \t\u00a0", /blank/],
  ["a byte order mark", `\ufeff${line("1")}`, /not a JSON object/],
  ["an array", '["k",1]', /not a JSON object/],
  ["null", "null", /not a JSON object/],
  ["a string", '"key"', /not a JSON object/],
  ["no JSON", "key,value", /not a JSON object/],
  ["cut short", '{"key":"k","value":1', /not a JSON object/],
  ["more behind it", `${line("1")} x`, /not a JSON object/],
  ["two objects", `${line("1")}${line("1")}`, /not a JSON object/],
  ["single quotes", "{'key':'k','value':1}", /not a JSON object/],
  ["a comma too many", '{"key":"k","value":[1,]}', /not a JSON object/],
  ["a leading zero", line("01"), /not a JSON object/],
  ["a number cut short", line("1."), /not a JSON object/],
  ["a control character", line('"\u0001"'), /not a JSON object/],
  ["a control character in the key", '{"key":"a\u0001","value":1}', /not a JSON object/],
  ["no key", '{"value":1}', /"key" is missing/],
  ["a key in other letters", '{"Key":"k","value":1}', /"key" is missing/],
  ["a key that is a number", '{"key":1,"value":1}', /"key" must be a non-empty string/],
  ["a key that is null", '{"key":null,"value":1}', /"key" must be a non-empty string/],
  ["an empty key", '{"key":"","value":1}', /"key" must be a non-empty string/],
  ["a key that is too long", `{"key":"${"é".repeat(513)}","value":1}`, /at most 1024 bytes/],
  ["a key that is half a pair", '{"key":"\\ud800","value":1}', /well-formed/],
  ["no value", '{"key":"k"}', /"value" is missing/],
  ["a number beyond all bounds", line('{"a":1e400}'), /Infinity/],
  ["nesting that is too deep", line(deep(100_000)), /nested too deeply/],
  ["bytes that are not UTF-8", Buffer.from(line('"\xe9"'), "latin1"), /not UTF-8/],
  ["a character cut short", Buffer.from([...Buffer.from('{"key":"'), 0xe2, 0x82]), /not UTF-8/],
  ["surrogates in UTF-8", Buffer.from(line('"\xed\xa0\x80"'), "latin1"), /not UTF-8/],
];

async function importError(kv: Kv, fileName: string): Promise<string> {
  const error: unknown = await kv.importJSONL({ fileName, batchSize: 1 }).then(
    () => "none",
    (reason: unknown) => reason,
  );
  if (!isKvError(error)) throw new Error(String(error));
  return `${error.name}: ${error.message}`;
}

describe.each(factories)("$name", (factory) => {
  test.each(good)("a good line: %s", (_, text, value) =>
    onStore(factory, async (kv) => {
      // Between other lines, at the end of the file, and with the other kind of line end.
      const other = '{"key":"other","value":{"é":1}}\n';
      const contents = [`${text}\n`, text, `${text}\r\n`, `${other}${text}\n${other}`];
      for (const content of contents) {
        const fileName = fileOf(content);
        const bytesRead = Buffer.byteLength(content);
        const records = content.includes(other) ? 3 : 1;
        const checked = { valid: true, records, bytesRead, checkedAll: true };
        expect(await kv.validateJSONL({ fileName })).toStrictEqual(checked);
        const imported = { imported: records, fileName, bytesRead };
        expect(await kv.importJSONL({ fileName })).toStrictEqual(imported);
        expect(await kv.get("k")).toStrictEqual(value);
        expect(await kv.compareAndDelete("k", value)).toBe(true);
      }
    }),
  );

  test.each(bad)("a bad line: %s", (_, text, message) =>
    onStore(factory, async (kv) => {
      const [before, after] = ['{"key":"a","value":1}\n', '\n{"key":"z","value":1}\n'];
      const content = Buffer.concat([Buffer.from(before), Buffer.from(text), Buffer.from(after)]);
      const fileName = fileOf(content);
      const bytesRead = content.length - after.length + 1;
      const checked = await kv.validateJSONL({ fileName });
      expect(checked).toMatchObject({ valid: false, records: 1, bytesRead, checkedAll: false });
      expect(checked.firstError).toMatchObject({ line: 2, name: "ValueParseError" });
      expect(checked.firstError?.message).toMatch(message);
      const error = await importError(kv, fileName);
      const progress = "importJSONL failed after 1 records and 22 bytes; previous batches may";
      expect(error).toContain(`ValueParseError: ${progress} already be committed: line 2: `);
      expect(error).toMatch(message);
      expect(await kv.listKeys()).toStrictEqual(["a"]);
    }),
  );

  test("limits, checks that end early, and the end of the file", () =>
    onStore(factory, async (kv) => {
      const record = '{"key":"k","value":1}\n';
      const check = async (content: string, limit?: number) => {
        const { valid, records, checkedAll } = await kv.validateJSONL({
          fileName: fileOf(content),
          limit,
        });
        return [valid, records, checkedAll];
      };
      expect(await check("")).toEqual([true, 0, true]);
      expect(await check(record.repeat(2), 1)).toEqual([true, 1, false]);
      expect(await check(record.repeat(2), 2)).toEqual([true, 2, false]);
      expect(await check(record.repeat(2), 3)).toEqual([true, 2, true]);
      expect(await check(record.repeat(2).trimEnd(), 2)).toEqual([true, 2, true]);
      expect(await check(`${record}x`, 1)).toEqual([true, 1, false]);
      expect(await check(`${record}x`, -1)).toEqual([false, 1, false]);
      expect(await check(`${record}\n`)).toEqual([false, 1, false]);
      const fileName = fileOf("");
      const nothing = { imported: 0, fileName, bytesRead: 0 };
      expect(await kv.importJSONL({ fileName })).toStrictEqual(nothing);
      const first = fileOf('{"key":"","value":1}\n');
      expect(await importError(kv, first)).toMatch(/0 records and 0 bytes; no records were comm/);
    }));
});

test("a line of 64 MiB is read, one byte more is refused", () =>
  onStore(factories[0] as (typeof factories)[0], async (kv) => {
    const lineBytesMax = 67_108_864;
    const frame = `${line('""')}\n`.length;
    const of = (bytes: number, end = "\n"): string =>
      fileOf(`${line(`"${"x".repeat(bytes - frame)}"`)}${end}`);
    expect((await kv.importJSONL({ fileName: of(lineBytesMax) })).imported).toBe(1);
    expect(((await kv.get("k")) as string).length).toBe(lineBytesMax - frame);
    expect((await kv.validateJSONL({ fileName: of(lineBytesMax + 1, "") })).valid).toBe(true);
    for (const end of ["\n", "x"]) {
      const fileName = of(lineBytesMax + 1, end);
      expect(await kv.validateJSONL({ fileName })).toStrictEqual({
        valid: false,
        records: 0,
        bytesRead: lineBytesMax,
        checkedAll: false,
        firstError: {
          line: 1,
          name: "ValueParseError",
          message: `validateJSONL line 1 exceeds maxLineBytes (${lineBytesMax} bytes)`,
        },
      });
      const limit = `importJSONL line 1 exceeds maxLineBytes (${lineBytesMax} bytes)`;
      expect(await importError(kv, fileName)).toContain(limit);
    }
  }));
