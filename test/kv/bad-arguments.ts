// Bad arguments: for every method its good arguments, and for each of them what it must refuse.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openKv } from "anykv";
import { afterAll } from "vitest";
import { ttlMsMax } from "../../src/base/limits.js";
import type { filterOperationNames, operationNames } from "../../src/kv/operation-names.js";

/** One bad value; the error is `InvalidOptionsError` unless another one is named. */
interface Bad {
  readonly value: unknown;
  readonly error?: string;
}

export interface Argument {
  readonly good: unknown;
  readonly bad: readonly Bad[];
}

const bads = (values: readonly unknown[], error?: string): Bad[] =>
  values.map((value) => (error === undefined ? { value } : { value, error }));

class Fancy {
  prefix = "";
  count = 1;
  ttl = 1;
}
const cyclic: Record<string, unknown> = {};
cyclic.self = [cyclic];
const oddities = [1n, Symbol("s"), () => 1, Number.NaN, new Date(0), new Map(), /x/];

export const notText = [5, 0, true, {}, ["a"], new String("a"), ...oddities];
const tooLong = [
  "x".repeat(1025),
  `é${"x".repeat(1023)}`,
  "世".repeat(342),
  "\u{1f642}".repeat(257),
];
const loneSurrogates = ["\ud800", "a\udc00", "\udc00\ud800", "\ud83d x"];
const badKeys = bads([undefined, null, "", ...notText, ...tooLong, ...loneSurrogates]);

const key = (good: string): Argument => ({ good, bad: badKeys });

const notArrays = [
  undefined,
  null,
  "ab",
  5,
  {},
  { 0: "a", length: 1 },
  new Set(["a"]),
  ...oddities,
];
// biome-ignore lint/suspicious/noSparseArray: holes are what may arrive.
const holes = [, "a"];
const keyLists = (good: readonly string[], admitEmpty = false): Argument => ({
  good,
  bad: bads([
    ...notArrays,
    new Uint8Array(1),
    holes,
    ...badKeys.flatMap(({ value }) => (admitEmpty && value === "" ? [] : [["a", value]])),
  ]),
});

// Option fields, each with the values that it must refuse.
const fractions = [0.5, 1.5, -1.5, Number.NaN, Infinity, -Infinity];
const notNumbers = ["5", "", true, {}, [5], 1n, Symbol("s"), () => 5, new Number(5)];
const huge = [2 ** 63, 1e20, -(2 ** 63) - 2048, Number.MAX_VALUE];
const prefix = bads([...notText, ...loneSurrogates]);
const limitUpTo = (max: number): Bad[] => bads([...fractions, ...notNumbers, ...huge, max + 1]);
const countUpTo = (max: number): Bad[] => [...limitUpTo(max), ...bads([0, -1, -5])];
const required = (field: readonly Bad[]): Bad[] => [...field, ...bads([undefined, null])];
const flag = bads(["true", "", 1, 0, Number.NaN, {}, [], 1n, Symbol("s"), () => true]);
const owner = bads([...notText, "x".repeat(257), "é".repeat(129), ...loneSurrogates]);
const lease = countUpTo(86_400_000);
const ttl = countUpTo(ttlMsMax);
const timeout = [...limitUpTo(ttlMsMax), ...bads([-1])];
const signal = bads([5, "x", {}, { aborted: true }, new AbortController(), () => 1, 1n]);
const malformedCursors = ["bad", "%%%not-base64-cursor%%%", "/w==", "YQ", "YQ= ", "é"];
const cursor = [...bads([...notText, "\ud800"]), ...bads(malformedCursors, "InvalidCursorError")];

export const held = { id: "claim-1", key: "claimed", token: 1 };
const badRefs = [
  ...[5, "claim", true, 1n, Symbol("s"), () => 1, {}, [], [held], new Date(0), new Map()],
  ...["", null, undefined, 5, {}].flatMap((text) => [
    { ...held, id: text },
    { ...held, key: text },
  ]),
  ...[...fractions, ...notNumbers, ...huge, 0, -1, null, undefined].map((token) => ({
    ...held,
    token,
  })),
];
// Also null and undefined: what an empty pool gives must not pass for "no guard".
const claim = bads([...badRefs, null, undefined]);

const notOptions = [
  "",
  "options",
  5,
  0,
  true,
  false,
  [],
  [{}],
  new Set(),
  new Fancy(),
  ...oddities,
];

const mistyped = bads([undefined, null, 5]);

type Fields = Readonly<Record<string, readonly Bad[]>>;

function replaced(good: object, fields: Fields): Bad[] {
  return Object.entries(fields).flatMap(([name, values]) =>
    values.map((bad) => ({ ...bad, value: { ...good, [name]: bad.value } })),
  );
}

/** An options argument that may be left out. */
const options = (fields: Fields, good: object = {}): Argument => ({
  good,
  bad: [...bads(notOptions), ...replaced(good, fields)],
});

/** An options argument of ours, whose names must all be known, whatever they hold. */
const ours = (fields: Fields, good: object = {}): Argument =>
  options({ ...fields, tll: mistyped, ["__proto__"]: mistyped }, good);

/** An options argument with fields that have to be there. */
const needed = (good: object, fields: Fields): { good: unknown; bad: Bad[] } => {
  const { bad } = options(fields, good);
  return { good, bad: [...bad, ...bads([undefined, null, {}])] };
};

const unkept = [Number.NaN, Infinity, -Infinity, 1n, Symbol("s"), () => 1, cyclic, new Map()];
const unkeptDeep = unkept.flatMap((part) => [[part], { a: { b: part } }, [[{ c: [part] }]]]);
const unkeptWhole = [
  ...unkept,
  new Set(),
  new Uint8Array(2),
  Promise.resolve(1),
  new ArrayBuffer(1),
];
const value: Argument = {
  good: { a: 1 },
  bad: bads([...unkeptWhole, ...unkeptDeep, { toJSON: () => 1n }], "SerializerError"),
};

const delta: Argument = {
  good: 1,
  bad: bads([...fractions, ...notNumbers, ...huge, null, undefined], "ValueNumberRequiredError"),
};
const positiveTtl: Argument = { good: 5_000, bad: [...ttl, ...bads([null, undefined])] };
const position: Argument = { good: 0, bad: bads([...fractions, ...notNumbers, ...huge]) };

const entries: Argument = {
  good: { a: 1, b: 2 },
  bad: bads([
    ...[undefined, null, "ab", 5, true, [], [["a", 1]], new Set(), new Fancy(), ...oddities],
    ...badKeys.flatMap(({ value: bad }) => (typeof bad === "string" ? [{ a: 1, [bad]: 2 }] : [])),
    ...unkept.map((bad) => ({ a: 1, b: bad })),
  ]),
};

const ref: Argument = { good: held, bad: bads([undefined, null, ...badRefs]) };
const refs: Argument = {
  good: [held],
  bad: bads([...notArrays, ...[undefined, null, ...badRefs].map((bad) => [held, bad])]),
};

const write = { ttl, keepTtl: flag, claim };
const create = { ttl, claim };
const guard = { claim };
const wait = { timeout, signal, claim };
const many = { prefix, count: required(countUpTo(1_000_000)) };

const directory = mkdtempSync(join(tmpdir(), "anykv-arguments-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const jsonlFile = join(directory, "one.jsonl");
const csvFile = join(directory, "one.csv");
writeFileSync(jsonlFile, '{"key":"a","value":1}\n');
writeFileSync(csvFile, "id,x\na,1\n");

const target = join(directory, "out");
const nothing = { fileName: target, prefix: "none" };
const fileName = required(bads([...notText, "", "   ", "\t\n", "a\0b", "\ud800"]));
const attended = { fileName, signal, onProgress: bads([5, "x", {}, [], true, 1n]) };
const fileRows = limitUpTo(1_000_000);
const batchSize = limitUpTo(10_000);
const transfer = { ...attended, limit: fileRows };
const delimiter = bads([
  ...notText,
  "",
  ";;",
  ", ",
  "\r",
  "\n",
  "\r\n",
  '"',
  "\0",
  "\ufffd",
  "\ud800",
]);
const blanks = ["", " ", "\t"];
const keyColumn = bads([...notText, ...blanks, "\ud800"]);
const keyPrefix = bads([...notText, ...loneSurrogates, "x".repeat(1024)]);
const dialect = { delimiter, hasHeader: flag };
const columns = required(
  bads([
    ...["x", 5, {}, true, [], [""], [" "], [5], [null], ["x", undefined], ["x", "x"], ["\ud800"]],
    ...[["key"], ["x", "key"], holes],
  ]),
);
const places = ["id", "-1", "1.5", "+1", " 1", "1e1", "0x1"].map((place) => ({
  value: { fileName: csvFile, keyColumn: place, hasHeader: false },
}));
const negatives = bads([-1, -5]);

const fileMethods = {
  exportJSONL: [needed(nothing, { ...transfer, prefix })],
  importJSONL: [needed({ fileName: jsonlFile }, { ...transfer, batchSize, keyPrefix })],
  validateJSONL: [needed({ fileName: jsonlFile }, { ...transfer, keyPrefix })],
  exportCSV: [
    needed(
      { ...nothing, columns: ["x"] },
      { ...transfer, prefix, columns, delimiter, includeKey: flag },
    ),
  ],
  importCSV: [
    {
      ...needed(
        { fileName: csvFile, keyColumn: "id" },
        {
          ...{ ...attended, ...dialect, keyPrefix },
          limit: [...fileRows, ...negatives],
          batchSize: [...batchSize, ...negatives],
          keyColumn: required(keyColumn),
        },
      ),
    },
  ],
  validateCSV: [needed({ fileName: csvFile }, { ...transfer, ...dialect, keyColumn, keyPrefix })],
};
for (const method of ["importCSV", "validateCSV"] as const) {
  fileMethods[method][0]?.bad.push(...places);
}

const oneBackup = join(directory, "one.kv");
const backedUp = openKv({ name: "bad arguments", backend: "memory" });
await backedUp.set("a", 1);
await backedUp.backup({ fileName: oneBackup });
await backedUp.close();

const copied = {
  fileName: bads([...notText, "a\0b", "\ud800"]),
  signal,
  onProgress: bads([5, "x", {}, [], true, 1n]),
};
const bound = bads([...fractions, ...notNumbers, ...huge]);

export const methods: Record<keyof typeof operationNames, readonly Argument[]> = {
  get: [key("a")],
  find: [key("a")],
  getMany: [keyLists(["a", ""], true)],
  set: [key("a"), value, ours(write)],
  setMany: [entries, ours(write)],
  delete: [key("a"), ours(guard)],
  deleteIfExists: [key("a"), ours(guard)],
  deleteMany: [keyLists(["a"]), ours(guard)],
  deleteByPrefix: [
    needed(
      { prefix: "b", limit: 1 },
      {
        prefix: required([...prefix, ...bads([""])]),
        limit: required(countUpTo(100_000)),
        claim,
      },
    ),
  ],
  fetchRemove: [key("a"), ours(guard)],
  exists: [key("a")],
  clear: [ours(guard)],

  incrementBy: [key("counter"), delta, ours({ ...create, compress: mistyped })],
  getOrSet: [key("a"), value, ours(create)],
  swap: [key("a"), value, ours(write)],
  compareAndSwap: [key("a"), value, value, ours(write)],
  compareAndSwapDetailed: [
    key("a"),
    value,
    value,
    options({ ...write, includeCurrentOnMismatch: flag }),
  ],
  setIfAbsent: [key("a"), value, ours({ ...create, keepTtl: mistyped })],
  compareAndDelete: [key("a"), value, ours(guard)],
  compareAndDeleteDetailed: [
    key("a"),
    value,
    options({ ...guard, includeCurrentOnMismatch: flag }),
  ],

  scan: [options({ prefix, limit: limitUpTo(100_000), cursor })],
  scanKeys: [options({ prefix, limit: limitUpTo(100_000), cursor })],
  list: [options({ prefix, limit: limitUpTo(250_000) })],
  listKeys: [options({ prefix, limit: limitUpTo(250_000) })],
  size: [],
  count: [options({ prefix })],
  randomKey: [options({ prefix })],
  randomKeys: [needed({ count: 1 }, { ...many, unique: flag })],

  claimRandom: [options({ prefix, owner, ttl: lease })],
  claimRandomMany: [needed({ count: 1 }, { ...many, owner, ttl: lease })],
  claimKey: [key("a"), options({ owner, ttl: lease })],
  claimKeys: [
    {
      ...keyLists(["a", "b"]),
      bad: [...keyLists([]).bad, ...bads([["a", "b", "a"]])],
    },
    options({ owner, ttl: lease, allOrNothing: flag }),
  ],
  popRandom: [options({ prefix, ...guard })],
  popRandomMany: [needed({ count: 1 }, many)],
  releaseClaim: [ref],
  completeClaim: [ref, options({ deleteKey: flag })],
  renewClaim: [ref, needed({ ttl: 5_000 }, { ttl: required(lease) })],
  releaseClaims: [refs],
  completeClaims: [refs, options({ deleteKey: flag })],
  renewClaims: [refs, needed({ ttl: 5_000 }, { ttl: required(lease) })],
  listClaims: [options({ prefix, limit: limitUpTo(100_000), cursor })],

  append: [key("q"), value, ours(create)],
  prepend: [key("q"), value, ours(create)],
  pop: [key("q"), ours(guard)],
  popFirst: [key("q"), ours(guard)],
  popWait: [key("q"), ours(wait, { timeout: 0 })],
  popFirstWait: [key("q"), ours(wait, { timeout: 0 })],
  length: [key("q")],
  range: [key("q"), position, position],
  deleteArray: [key("q"), ours(guard)],
  listArrays: [ours({ prefix, limit: limitUpTo(250_000) })],

  expire: [key("a"), positiveTtl, ours(guard)],
  ttl: [key("a")],
  persist: [key("a"), ours(guard)],
  ...fileMethods,
  backup: [
    options({ ...copied, allowConcurrentWrites: flag }, { fileName: join(directory, "out.kv") }),
  ],
  restore: [options({ ...copied, maxEntries: bound, maxBytes: bound }, { fileName: oneBackup })],
  stats: [],
  allocationStats: [options({ prefix })],
  reportStats: [],
  rebuildKeyList: [],
};

const badItems = [undefined, null, "", ...notText, ...tooLong, ...loneSurrogates];
const badBytes = [
  new Uint8Array(0),
  new Uint8Array(1025).fill(0x78),
  new Uint8Array(1024).fill(0xff),
];
const item: Argument = { good: "item", bad: bads([...badItems, ...badBytes, new Uint16Array(4)]) };

export const filterMethods: Record<keyof typeof filterOperationNames, readonly Argument[]> = {
  contains: [item],
  add: [item, ours({ ...create, compress: mistyped })],
  checkThenAdd: [item, ours({ ...create, compress: mistyped })],
  delete: [item, ours(guard)],
  size: [],
  clear: [ours(guard)],
};
