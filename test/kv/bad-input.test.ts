// Bad input: every method, every argument and every option, with whatever may arrive.
//
// Each call has to reject, not throw, with the typed error of the contract, and leave every row of
// the store as it was. A list of arguments per method stands for what is good; one argument at a
// time is then replaced by each of its bad values.

import { isKvError, type Kv } from "anykv";
import { describe, expect, test } from "vitest";
import { filterOperationNames, operationNames } from "../../src/kv/operation-names.js";
import { type Argument, filterMethods, held, methods, notText } from "./bad-arguments.js";
import { OpenedEngine } from "./kv-over-engine.js";

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
      await kv.set("x", 1, { ttl: none, keepTtl: none });
      expect(await kv.ttl("x")).toBeNull();
      expect(await kv.listKeys(none)).toEqual(await kv.listKeys({ prefix: none, limit: none }));
      expect(await kv.randomKeys({ count: 9, unique: none, prefix: none })).toHaveLength(6);
      expect((await kv.claimKey("x", { owner: none, ttl: none }))?.key).toBe("x");
      expect(await kv.popWait("q", { timeout: 0, signal: none })).toBe(2);
    }
  });

  test("objects without a prototype are options", async () => {
    const { kv } = await prepared();
    await kv.set("x", 1, withoutPrototype);
    expect(await kv.ttl("x")).toBe(50);
  });

  test("unknown fields are ignored where the options are the seeds'", async () => {
    const { kv } = await prepared();
    await kv.scan({ prefix: "x", colour: "red" } as object);
    await kv.compareAndSwapDetailed("x", 1, 2, { colour: "red" } as object);
    await kv.popRandom({ prefix: "none", colour: "red" } as object);
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
