// Bad input: every method, every argument and every option, with whatever may arrive.
//
// Each call has to reject, not throw, with the typed error of the contract, and leave every row of
// the store as it was. A list of arguments per method stands for what is good; one argument at a
// time is then replaced by each of its bad values.

import { isKvError, type Kv } from "anykv";
import { describe, expect, test } from "vitest";
import { ttlMsMax } from "../../src/base/limits.js";
import { filterOperationNames, operationNames } from "../../src/kv/operation-names.js";
import { OpenedEngine } from "./kv-over-engine.js";

/** One bad value; the error is `InvalidOptionsError` unless another one is named. */
interface Bad {
  readonly value: unknown;
  readonly error?: string;
}

interface Argument {
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

const notText = [5, 0, true, {}, ["a"], new String("a"), ...oddities];
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

const held = { id: "claim-1", key: "claimed", token: 1 };
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
const claim = bads(badRefs);

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

/** An options argument with fields that have to be there. */
const needed = (good: object, fields: Fields): Argument => {
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

const methods: Record<keyof typeof operationNames, readonly Argument[]> = {
  get: [key("a")],
  find: [key("a")],
  getMany: [keyLists(["a", ""], true)],
  set: [key("a"), value, options(write)],
  setMany: [entries, options(write)],
  delete: [key("a"), options(guard)],
  deleteIfExists: [key("a"), options(guard)],
  deleteMany: [keyLists(["a"]), options(guard)],
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
  fetchRemove: [key("a"), options(guard)],
  exists: [key("a")],
  clear: [],

  incrementBy: [key("counter"), delta, options(create)],
  getOrSet: [key("a"), value, options(create)],
  swap: [key("a"), value, options(write)],
  compareAndSwap: [key("a"), value, value, options(write)],
  compareAndSwapDetailed: [
    key("a"),
    value,
    value,
    options({ ...write, includeCurrentOnMismatch: flag }),
  ],
  setIfAbsent: [key("a"), value, options(create)],
  compareAndDelete: [key("a"), value, options(guard)],
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
  popRandom: [options({ prefix })],
  popRandomMany: [needed({ count: 1 }, many)],
  releaseClaim: [ref],
  completeClaim: [ref, options({ deleteKey: flag })],
  renewClaim: [ref, needed({ ttl: 5_000 }, { ttl: required(lease) })],
  releaseClaims: [refs],
  completeClaims: [refs, options({ deleteKey: flag })],
  renewClaims: [refs, needed({ ttl: 5_000 }, { ttl: required(lease) })],

  append: [key("q"), value, options(create)],
  prepend: [key("q"), value, options(create)],
  pop: [key("q"), options(guard)],
  popFirst: [key("q"), options(guard)],
  popWait: [key("q"), options(wait, { timeout: 0 })],
  popFirstWait: [key("q"), options(wait, { timeout: 0 })],
  length: [key("q")],
  range: [key("q"), position, position],
  deleteArray: [key("q"), options(guard)],
  listArrays: [options({ prefix, limit: limitUpTo(250_000) })],

  expire: [key("a"), positiveTtl, options(guard)],
  ttl: [key("a")],
  persist: [key("a"), options(guard)],
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

const filterMethods: Record<keyof typeof filterOperationNames, readonly Argument[]> = {
  contains: [item],
  add: [item, options(create)],
  checkThenAdd: [item, options(create)],
  delete: [item, options(guard)],
  size: [],
  clear: [],
};

/** Something of everything; "claimed" has the first claim. */
async function prepared(): Promise<{ opened: OpenedEngine; kv: Kv }> {
  const opened = new OpenedEngine();
  const kv = opened.handle();
  await kv.setMany({ a: { a: 1 }, b: "text", claimed: 1, counter: 5 });
  await kv.set("mortal", null, { ttl: 60_000 });
  await kv.append("q", 1);
  await kv.append("q", 2, { ttl: 1_000 });
  await kv.filter("bucket").add("item", { ttl: 60_000 });
  expect(await kv.claimKey("claimed", { owner: "me" })).toMatchObject(held);
  return { opened, kv };
}

type Target = (kv: Kv) => object;
const targets: readonly [string, Target, Readonly<Record<string, readonly Argument[]>>][] = [
  ["kv", (kv) => kv, methods],
  ["filter", (kv) => kv.filter("bucket"), filterMethods],
];

function call(target: object, method: string, args: readonly unknown[]): Promise<unknown> {
  const result: unknown = (target as Record<string, (...args: unknown[]) => unknown>)[method]?.(
    ...args,
  );
  if (result instanceof Promise) return result;
  throw new Error(`${method} did not return a promise`);
}

function show(argument: unknown): string {
  if (typeof argument === "string") return JSON.stringify(argument.slice(0, 30));
  if (typeof argument !== "object" || argument === null) return String(argument);
  const fields = Object.entries(argument).map(([name, field]) => `${name}: ${String(field)}`);
  return `${argument.constructor?.name} {${fields.join(", ").slice(0, 100)}}`;
}

test("the tables name every operation", () => {
  expect(Object.keys(methods).sort()).toEqual(Object.keys(operationNames).sort());
  expect(Object.keys(filterMethods).sort()).toEqual(Object.keys(filterOperationNames).sort());
});

for (const [name, targetOf, table] of targets) {
  describe.each(Object.entries(table))(`${name}.%s`, (method, args) => {
    const goods = args.map(({ good }) => good);

    test("accepts the good arguments, nothing after them, and more than there are", async () => {
      for (const given of [goods, [...goods, 5, "ignored"]]) {
        const { kv } = await prepared();
        await call(targetOf(kv), method, given);
      }
    });

    test.each(args.map(({ bad }, index) => [index + 1, bad] as const))(
      "refuses every bad argument %i and changes nothing",
      async (place, badValues) => {
        const { opened, kv } = await prepared();
        const before = opened.dump();
        const target = targetOf(kv);
        for (const { value: bad, error = "InvalidOptionsError" } of badValues) {
          const given = goods.with(place - 1, bad);
          const thrown: unknown = await call(target, method, given).then(
            () => `${method} resolved`,
            (reason: unknown) => reason,
          );
          const named = isKvError(thrown) ? thrown.name : thrown;
          expect(named, `${method}(${given.map(show).join(", ")})`).toBe(error);
          expect(thrown).toBeInstanceOf(Error);
        }
        expect(opened.dump()).toStrictEqual(before);
      },
    );
  });
}

describe("what is unusual but good", () => {
  const withoutPrototype = Object.assign(Object.create(null) as object, { ttl: 50 });

  test("absent, null and undefined options and fields stand for the defaults", async () => {
    for (const absent of [undefined, null]) {
      const { kv } = await prepared();
      const none = absent as undefined;
      await kv.set("x", 1, none);
      await kv.set("x", 1, { ttl: none, keepTtl: none, claim: none });
      expect(await kv.ttl("x")).toBeNull();
      expect(await kv.listKeys(none)).toEqual(await kv.listKeys({ prefix: none, limit: none }));
      expect(await kv.randomKeys({ count: 9, unique: none, prefix: none })).toHaveLength(6);
      expect((await kv.claimKey("x", { owner: none, ttl: none }))?.key).toBe("x");
      expect(await kv.popWait("q", { timeout: 0, signal: none })).toBe(2);
    }
  });

  test("unknown fields are ignored, and objects without a prototype are options", async () => {
    const { kv } = await prepared();
    await kv.set("x", 1, withoutPrototype);
    expect(await kv.ttl("x")).toBe(50);
    await kv.scan({ prefix: "x", colour: "red" } as object);
    await kv.set("y", 1, JSON.parse('{"__proto__":{"ttl":5}}'));
    expect(await kv.ttl("y")).toBeNull();
  });

  // What the methods answer must not depend on what a key is called.
  async function answers(name: string): Promise<string> {
    const kv = new OpenedEngine().handle();
    const short = Buffer.byteLength(name) > 256 ? "plain" : name;
    const results: unknown[] = [
      await kv.find(name),
      await kv.exists(name),
      await kv.set(name, { x: 1 }),
      await kv.get(name),
      await kv.setMany({ other: 1, [name]: { y: 1 } }),
      await kv.getMany([name, "other"]),
      await kv.swap(name, 5),
      await kv.incrementBy(name, 1),
      await kv.compareAndSwap(name, 6, 7),
      await kv.list({ prefix: name }),
      await kv.scanKeys({ prefix: name, limit: 1 }),
      await kv.randomKeys({ prefix: name, count: 3 }),
    ];
    const granted = await kv.claimKey(name, { owner: short });
    results.push(granted, await kv.claimKeys([name, "other", "missing"]));
    results.push(granted && (await kv.completeClaim(granted)));
    results.push(await kv.append(name, 1), await kv.range(name), await kv.pop(name));
    const filter = kv.filter(short);
    results.push(await filter.checkThenAdd(name), await filter.contains(name), await filter.size());
    results.push(await kv.deleteMany([name, "other", name]), await kv.size());
    const text = JSON.stringify(results).replaceAll(JSON.stringify(name), '"NAME"');
    return text.replaceAll(JSON.stringify(short), '"NAME"');
  }

  test.each(["__proto__", "constructor", "prototype", "hasOwnProperty", "0", "then"])(
    "a key named %s is a key like any other",
    async (name) => {
      expect(await answers(name)).toBe(await answers("plain"));
      expect(({} as Record<string, unknown>).x).toBeUndefined();
    },
  );

  test("keys of 1,024 bytes are accepted by every operation by key", async () => {
    for (const longest of [
      "x".repeat(1024),
      "é".repeat(512),
      "世".repeat(341),
      "\u{1f642}".repeat(256),
    ]) {
      expect(await answers(longest)).toBe(await answers("plain"));
    }
  });
});

test("bad buckets of filters are refused at once", async () => {
  const { opened, kv } = await prepared();
  const before = opened.dump();
  const badBuckets = [undefined, null, "", ...notText, "x".repeat(257), "é".repeat(129), "\ud800"];
  for (const bucket of badBuckets as string[]) {
    expect(() => kv.filter(bucket), show(bucket)).toThrow(
      expect.objectContaining({ name: "InvalidOptionsError" }),
    );
  }
  expect(opened.dump()).toStrictEqual(before);
});
