// The parser: the same bytes give the same requests however they come, and nothing that is sent
// breaks it or makes it keep more than its limits.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Argument, bytesOf } from "../../../src/server/resp/argument.js";
import { ProtocolError, RequestParser } from "../../../src/server/resp/parser.js";
import { seededRandom } from "../../../src/testing/seeded-random.js";
import { request } from "./door-bench.js";

const limits = {
  lineBytesMax: 65_536,
  argumentsMax: 1_048_576,
  argumentBytesMax: 67_108_864,
  requestBytesMax: 268_435_456,
};

interface Outcome {
  readonly requests: Argument[][];
  readonly fault: string | undefined;
}

/** One buffer for all chunks, as connections read. */
function parse(chunks: readonly Uint8Array[], parser = new RequestParser(limits)): Outcome {
  const shared = Buffer.alloc(Math.max(1, ...chunks.map(({ length }) => length)));
  const requests: Argument[][] = [];
  for (const chunk of chunks) {
    shared.set(chunk);
    parser.push(shared.subarray(0, chunk.length));
    try {
      for (let next = parser.next(); next !== undefined; next = parser.next()) requests.push(next);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { requests, fault: error.message };
    }
    parser.retain();
    shared.fill(0x2a);
  }
  return { requests, fault: undefined };
}

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = Math.max(1, sizes[index % sizes.length] ?? 1);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** In one string, because comparing it is cheap. */
function told(requests: readonly (readonly Argument[])[]): string {
  return requests
    .map((words) => words.map((word) => Buffer.from(bytesOf(word)).toString("hex")).join(" "))
    .join("\n");
}

const word = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 20 }).map((text) => new TextEncoder().encode(text)),
  fc.constantFrom("GET", "set", "", "k", "\r\n", "*1\r\n").map((text) => Buffer.from(text)),
  fc.constantFrom(0, 20, 5_000, 70_000).map((length) => Buffer.alloc(length, "x")),
);
const list = fc.array(word, { minLength: 1, maxLength: 6 });
const sizes = fc.array(
  fc.oneof(fc.integer({ min: 2, max: 30 }), fc.integer({ min: 31, max: 9_000 })),
  { minLength: 1, maxLength: 5 },
);

describe("lists", () => {
  test("any chunking gives the words that were sent", () => {
    const property = fc.property(fc.array(list, { maxLength: 5 }), sizes, (lists, cuts) => {
      const bytes = Buffer.concat(lists.map((words) => request(...words)));
      const { requests, fault } = parse(cut(bytes, cuts));
      expect(fault).toBeUndefined();
      expect(told(requests)).toBe(told(lists));
    });
    fc.assert(property, { numRuns: 200 });
  });

  test("byte by byte", () => {
    const bytes = Buffer.concat([request("SET", "key", "value"), request("GET", "key")]);
    expect(parse(cut(bytes, [1]))).toEqual({
      requests: [
        ["SET", "key", "value"],
        ["GET", "key"],
      ],
      fault: undefined,
    });
  });

  test("empty ones are nothing", () => {
    expect(parse([Buffer.from("*0\r\n*-1\r\n*-10\r\nPING\r\n")]).requests).toEqual([["PING"]]);
  });

  test("arguments are text where they are UTF-8, and bytes where they are not", () => {
    const { requests } = parse([request("a", "é€😀", new Uint8Array([0xff, 0]), "\ufffd")]);
    expect(requests).toEqual([["a", "é€😀", Buffer.from([0xff, 0]), "\ufffd"]]);
  });

  test("what is put together is let go", () => {
    const parser = new RequestParser(limits);
    parse(cut(request("SET", "k", Buffer.alloc(1_000_000, "v")), [65_536]), parser);
    expect(parser.pendingBytes).toBe(0);
  });
});

describe("lines", () => {
  const cases: [line: string, words: string[]][] = [
    ["PING\r\n", ["PING"]],
    ["PING\n", ["PING"]],
    ["  set\ta  b \r\n", ["set", "a", "b"]],
    ["\"a b\" 'c d'\r\n", ["a b", "c d"]],
    ['"\\x41\\n\\r\\t\\b\\a\\q\\"" \r\n', ['A\n\r\t\b\x07q"']],
    ["'a\\'b\\n'\r\n", ["a'b\\n"]],
    ['a"b c"\r\n', ["ab c"]],
    ['""\r\n', [""]],
    ['"\\x4" b\r\n', ["x4", "b"]],
    ["a\0b c\r\n", ["a"]],
  ];
  test.each(cases)("%j", (line, words) => {
    expect(parse([Buffer.from(line)])).toEqual({ requests: [words], fault: undefined });
  });

  test("any chunking gives the same", () => {
    const bytes = Buffer.from(cases.map(([line]) => line).join(""));
    const whole = parse([bytes]);
    for (const size of [1, 2, 3, 7]) expect(parse(cut(bytes, [size]))).toEqual(whole);
  });
});

describe("faults", () => {
  const faults: [bytes: string, fault: string][] = [
    ["*x\r\n", "invalid multibulk length"],
    ["*\r\n", "invalid multibulk length"],
    ["*01\r\n", "invalid multibulk length"],
    ["*+1\r\n", "invalid multibulk length"],
    ["*1048577\r\n", "invalid multibulk length"],
    ["*99999999999999999999\r\n", "invalid multibulk length"],
    ["*1\r\n+PING\r\n", "expected '$', got '+'"],
    ["*1\r\n$-1\r\n", "invalid bulk length"],
    ["*1\r\n$x\r\n", "invalid bulk length"],
    ["*1\r\n$04\r\nPING\r\n", "invalid bulk length"],
    ["*1\r\n$67108865\r\n", "invalid bulk length"],
    ['set "a\r\n', "unbalanced quotes in request"],
    ["set 'b'c\r\n", "unbalanced quotes in request"],
    [`${"x".repeat(65_537)}`, "too big inline request"],
    [`*${"1".repeat(65_537)}`, "too big mbulk count string"],
    [`*1\r\n$${"1".repeat(65_537)}`, "too big bulk count string"],
  ];
  test.each(faults.map(([bytes, fault]) => ({ bytes, fault, start: bytes.slice(0, 20) })))(
    "$start: $fault",
    ({ bytes, fault }) => {
      expect(parse([Buffer.from(bytes)]).fault).toBe(fault);
      expect(parse(cut(Buffer.from(bytes), [1_000])).fault).toBe(fault);
    },
  );

  test("all arguments together have a limit", () => {
    const parser = new RequestParser({ ...limits, requestBytesMax: 10 });
    expect(parse([request("SET", "k", "1234567")], parser).fault).toBe("too big request");
    const other = new RequestParser({ ...limits, requestBytesMax: 10 });
    expect(
      parse([request("SET", "k", "123456"), request("SET", "k", "123456")], other),
    ).toMatchObject({
      fault: undefined,
    });
  });

  test("strangers may send little", () => {
    const stranger = (): RequestParser => {
      const parser = new RequestParser(limits);
      parser.isStranger = true;
      return parser;
    };
    const tooMany = parse([Buffer.from("*11\r\n")], stranger());
    expect(tooMany.fault).toBe("unauthenticated multibulk length");
    const tooLong = parse([Buffer.from("*1\r\n$16385\r\n")], stranger());
    expect(tooLong.fault).toBe("unauthenticated bulk length");
    const enough = parse([Buffer.from("*10\r\n$16384\r\n")], stranger());
    expect(enough.fault).toBeUndefined();
  });
});

/** Requests with bytes changed, left out, doubled and mixed, and noise. */
function hostileBytes(random: { below(bound: number): number }): Buffer {
  const pieces: Buffer[] = [];
  for (let count = random.below(6); count >= 0; count--) {
    const words = Array.from({ length: random.below(4) + 1 }, () =>
      Buffer.from(Array.from({ length: random.below(12) }, () => random.below(256))),
    );
    pieces.push(random.below(4) === 0 ? (words[0] as Buffer) : request(...words));
  }
  const bytes = [...Buffer.concat(pieces)];
  for (let count = random.below(4); count > 0 && bytes.length > 0; count--) {
    const at = random.below(bytes.length);
    const change = random.below(4);
    if (change === 0) bytes[at] = random.below(256);
    else if (change === 1) bytes.splice(at, 1 + random.below(4));
    else if (change === 2) bytes.splice(at, 0, ...bytes.slice(at, at + random.below(20)));
    else
      bytes.splice(
        at,
        0,
        ...Buffer.from(["*", "$", "\r\n", "-1", "\0", '"'][random.below(6)] ?? ""),
      );
  }
  return Buffer.from(bytes);
}

const seed = Number(process.env.ANYKV_SEED ?? 1);
const inputs = Number(process.env.ANYKV_FUZZ_INPUTS ?? 20_000);

test(`hostile bytes are the same requests or the same fault in any pieces, seed ${seed}`, () => {
  const random = seededRandom(seed);
  for (let input = 0; input < inputs; input++) {
    const bytes = hostileBytes(random);
    const whole = parse([bytes]);
    const cuts = [1 + random.below(5), 1 + random.below(40)];
    const pieces = parse(cut(bytes, cuts));
    if (pieces.fault === whole.fault && told(pieces.requests) === told(whole.requests)) continue;
    expect(pieces, `input ${input}: ${bytes.toString("hex")}`).toEqual(whole);
  }
});
