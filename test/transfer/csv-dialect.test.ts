// The dialect of CSV files, as it is read and as it is written. Whatever is read is compared with the
// plain reference parser as well, and moved over the boundary between two pieces of the file.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CsvReader, CsvSyntaxError } from "../../src/transfer/csv-reader.js";
import { csvRowOf, plainDecimal } from "../../src/transfer/csv-text.js";
import { InputFile } from "../../src/transfer/input-file.js";
import { chunkBytes } from "../../src/transfer/transfer.js";
import { parseReference } from "./csv-reference.js";
import { SimulatedTransfer } from "./transfer-setting.js";

interface Read {
  readonly records: string[][];
  readonly error?: unknown;
}

async function read(content: string | Uint8Array, delimiter = ","): Promise<Read> {
  const { env } = new SimulatedTransfer({ "in.csv": content });
  const records: string[][] = [];
  return InputFile.with(env, "/data/in.csv", async (file) => {
    const reader = await CsvReader.of(file, delimiter);
    try {
      for (let piece = await reader.read(); piece; piece = await reader.read()) {
        records.push(...piece);
      }
      return { records };
    } catch (error) {
      return { records, error };
    }
  });
}

const wellFormed: readonly [
  title: string,
  text: string,
  records: string[][],
  delimiter?: string,
][] = [
  ["nothing", "", []],
  ["one field", "a", [["a"]]],
  [
    "line ends of both kinds",
    "a,b\nc,d\r\ne,f",
    [
      ["a", "b"],
      ["c", "d"],
      ["e", "f"],
    ],
  ],
  ["a carriage return before the end of the file", "a,b\r", [["a", "b"]]],
  ["only a carriage return", "\r", []],
  ["carriage returns elsewhere are data", "a\rb,\rc\n", [["a\rb", "\rc"]]],
  ["two carriage returns before the line end", "a\r\r\nb", [["a\r"], ["b"]]],
  ["two carriage returns before the end", "a\r\r", [["a\r"]]],
  ["empty lines are skipped", "\n\na\n\r\n\nb\n\n", [["a"], ["b"]]],
  ["a line of blanks is a record", "a\n \n\t\n", [["a"], [" "], ["\t"]]],
  ["nothing is trimmed", " a , b \n", [[" a ", " b "]]],
  [
    "empty fields",
    ",\n,,\n",
    [
      ["", ""],
      ["", "", ""],
    ],
  ],
  ["any width", "a\nb,c\nd,e,f\n", [["a"], ["b", "c"], ["d", "e", "f"]]],
  ["quoted fields", '"a","b,c","d""e",""\n', [["a", "b,c", 'd"e', ""]]],
  ["a quoted empty field alone", '""\n', [[""]]],
  ["a quoted empty field at the end", 'a\n""', [["a"], [""]]],
  ["line ends in quotes become one character", '"a\r\nb\nc\rd\r\r\ne"\n', [["a\nb\nc\rd\r\ne"]]],
  ["quotes in quotes", '""""\n"""a"""\n', [['"'], ['"a"']]],
  ["a quoted field before a carriage return", '"a"\r\n"b"\r', [["a"], ["b"]]],
  ["no comments", "#a,b\n", [["#a", "b"]]],
  ["a byte order mark is content", "\ufeffa,b\n", [["\ufeffa", "b"]]],
  ["backslashes are content", "\\.\n\\n\n", [["\\."], ["\\n"]]],
  ["NUL is content", '\0a,"\0",b\0\n"a\0""b\0"\n', [["\0a", "\0", "b\0"], ['a\0"b\0']]],
  ["beyond ASCII", 'é,"世",😀\n', [["é", "世", "😀"]]],
  ["U+FFFD is content", "\ufffd\n", [["\ufffd"]]],
  ["a tab as the delimiter", "a\tb,c\n", [["a", "b,c"]], "\t"],
  ["a semicolon as the delimiter", '"a;b";c\n', [["a;b", "c"]], ";"],
  ["a blank as the delimiter", '"a b" c\n', [["a b", "c"]], " "],
  ["a delimiter of two bytes", 'a§"b§"§©\n', [["a", "b§", "©"]], "§"],
  ["a delimiter of four bytes", 'a😀"b"😀😁\n', [["a", "b", "😁"]], "😀"],
  [
    "a carriage return behind a delimiter",
    "a,\r\nb,\r",
    [
      ["a", ""],
      ["b", ""],
    ],
  ],
];

const malformed: readonly [title: string, text: string, records: string[][], message: RegExp][] = [
  ["a bare quote", 'a\nb"c\n', [["a"]], /bare "/],
  ["a quote behind a blank", 'a, "b"\n', [], /bare "/],
  ["a quote behind a byte order mark", '\ufeff"a"\n', [], /bare "/],
  ["JSON", '{"key":"k","value":1}\n', [], /bare "/],
  ["text behind a closing quote", 'a\n"b"c\n', [["a"]], /text behind/],
  ["a blank behind a closing quote", '"a" ,b\n', [], /text behind/],
  ["a NUL behind a closing quote", '"a"\0,b\n', [], /text behind/],
  ["a carriage return behind a closing quote", '"a"\rb\n', [], /text behind/],
  ["a quote that is never closed", 'a\n"b\nc\n', [["a"]], /never closed/],
  ["a quote at the end", 'a\n"', [["a"]], /never closed/],
  ["a doubled quote at the end", 'a\n"b""', [["a"]], /never closed/],
];

describe("reading", () => {
  test.each(wellFormed)("%s", async (_, text, records, delimiter = ",") => {
    expect(await read(text, delimiter)).toStrictEqual({ records });
    expect(parseReference(text, delimiter)).toStrictEqual({ records });
  });

  test.each(malformed)("%s", async (_, text, records, message) => {
    const found = await read(text);
    expect(found.records).toStrictEqual(records);
    expect(found.error).toBeInstanceOf(CsvSyntaxError);
    expect((found.error as Error).message).toMatch(message);
    expect(parseReference(text, ",").records).toStrictEqual(records);
    expect(parseReference(text, ",").error).toBeDefined();
  });

  test("is the same wherever the file is cut into pieces", async () => {
    for (const [, text, records, delimiter = ","] of wellFormed) {
      for (let shift = 0; shift <= Buffer.byteLength(text); shift++) {
        const before = "x".repeat(chunkBytes - shift - 1);
        const found = await read(`${before}\n${text}`, delimiter);
        expect(found, `${JSON.stringify(text)} cut at ${shift}`).toStrictEqual({
          records: [[before], ...records],
        });
      }
    }
  });

  test("mistakes are found wherever the file is cut into pieces", async () => {
    for (const [, text, records, message] of malformed) {
      for (let shift = 0; shift <= Buffer.byteLength(text); shift++) {
        const before = "x".repeat(chunkBytes - shift - 1);
        const found = await read(`${before}\n${text}`);
        expect(found.records).toStrictEqual([[before], ...records]);
        expect((found.error as Error).message, `cut at ${shift}`).toMatch(message);
      }
    }
  });

  test.each([
    ["in a field", Buffer.from("a\nb,\xff,c\nd\n", "latin1")],
    ["in quotes", Buffer.from('a\n"b\n\xe9"\n', "latin1")],
    ["behind a closing quote", Buffer.from('a\n"b"\xe9\n', "latin1")],
    ["right behind a line end", Buffer.from("a\n\x80\n", "latin1")],
    ["a character cut short by the end", Buffer.from("a\nb\xe2\x82", "latin1")],
    ["an encoded surrogate", Buffer.from("a\nb\xed\xa0\x80c\n", "latin1")],
  ])("what is not UTF-8 ends the records before it: %s", async (_, content) => {
    for (const pad of [0, chunkBytes - 3, chunkBytes - 2, chunkBytes - 1, chunkBytes]) {
      const before = pad === 0 ? [] : [["x".repeat(pad)]];
      const bytes = Buffer.concat([
        Buffer.from(before.map(([text]) => `${text}\n`).join("")),
        content,
      ]);
      const found = await read(bytes);
      expect(found.records).toStrictEqual([...before, ["a"]]);
      expect(found.error).toMatchObject({ name: "ValueParseError" });
    }
  });

  test("a record beyond 64 MiB is refused, quoted or not", { timeout: 120_000 }, async () => {
    const long = Buffer.alloc(67_108_864 + 2 * chunkBytes, "x");
    for (const start of ["a\n", 'a\n"']) {
      const found = await read(Buffer.concat([Buffer.from(start), long]));
      expect(found.records).toStrictEqual([["a"]]);
      expect((found.error as Error).message).toMatch(/exceeds 67108864 bytes/);
    }
  });

  test("agrees with the reference on whatever text", async () => {
    const alphabet = fc.constantFrom('"', '"', ",", "\n", "\r", "\r\n", "a", " ", "\0", "é", '""');
    await fc.assert(
      fc.asyncProperty(fc.array(alphabet, { maxLength: 24 }), async (parts) => {
        const text = parts.join("");
        const { records, error } = parseReference(text, ",");
        const found = await read(text);
        expect(found.records).toStrictEqual(records);
        expect(found.error === undefined).toBe(error === undefined);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("writing", () => {
  const row = csvRowOf(",");

  test.each([
    ["a", "a"],
    ["", ""],
    ["a,b", '"a,b"'],
    ['a"b', '"a""b"'],
    ["a\nb", '"a\nb"'],
    ["a\rb", '"a\rb"'],
    [" a", '" a"'],
    ["\ta", '"\ta"'],
    ["\u00a0a", '"\u00a0a"'],
    ["\u3000a", '"\u3000a"'],
    ["\u0085a", '"\u0085a"'],
    ["\ufeffa", "\ufeffa"],
    ["a ", "a "],
    ["\\.", '"\\."'],
    ["\\.x", "\\.x"],
    ["a;b", "a;b"],
  ])("%j", (field, text) => {
    expect(row([field])).toBe(`${text}\n`);
    expect(row(["x", field])).toBe(`x,${text}\n`);
  });

  test("another delimiter is quoted instead", () => {
    expect(csvRowOf(";")(["a,b", "a;b"])).toBe('a,b;"a;b"\n');
  });

  test("what is written is read back, but for line ends of two characters", async () => {
    const field = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom('"', ",", ";", "\n", "\r", " ", "\\", ".", "\0", "é") }),
    );
    // A row of one empty field is a blank line, which is no record.
    const fields = fc
      .array(field, { minLength: 1 })
      .filter(([first, ...more]) => more.length > 0 || first !== "");
    const delimiters = fc.constantFrom(",", ";", "\t", " ", "é", "😀", ".", "\\");
    await fc.assert(
      fc.asyncProperty(fc.array(fields), delimiters, async (rows, delimiter) => {
        const text = rows.map(csvRowOf(delimiter)).join("");
        const expected = rows.map((one) => one.map((part) => part.replaceAll("\r\n", "\n")));
        expect(await read(text, delimiter)).toStrictEqual({ records: expected });
        expect(parseReference(text, delimiter)).toStrictEqual({ records: expected });
      }),
    );
  });

  test.each([
    [0, "0"],
    [-0, "0"],
    [200, "200"],
    [-1.5, "-1.5"],
    [1e21, "1000000000000000000000"],
    [-1.25e22, "-12500000000000000000000"],
    [1e-7, "0.0000001"],
    [-1.5e-10, "-0.00000000015"],
    [123456789.125, "123456789.125"],
    [Number.MAX_SAFE_INTEGER, "9007199254740991"],
  ])("the number %d", (number, text) => expect(plainDecimal(number)).toBe(text));

  test("numbers read back the same", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const text = plainDecimal(number);
        expect(text).toMatch(/^-?\d+(\.\d+)?$/);
        expect(Number(text)).toBe(number === 0 ? 0 : number);
      }),
    );
  });
});
