// Errors name the key that they are about, wherever one is known: of many calls at once, or of a page
// of values, the message alone does not tell which one failed.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, KvError, openKv } from "anykv";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { OpenedEngine } from "./kv-over-engine.js";

const directory = mkdtempSync(join(tmpdir(), "anykv-keys-of-errors-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function errorOf(call: Promise<unknown>): Promise<KvError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof KvError) return error;
  throw new Error("the call was to reject with one of ours", { cause: error });
}

describe("a value of another serialization", () => {
  let kv: Kv;
  beforeEach(async () => {
    const opened = new OpenedEngine();
    const writer = opened.handle("string");
    await writer.set("text", "no JSON");
    await writer.append("array", "no JSON");
    kv = opened.handle("json");
    await kv.set("a", 1);
  });

  test.each<[name: string, key: string, call: (kv: Kv) => Promise<unknown>]>([
    ["get", "text", (kv) => kv.get("text")],
    ["find", "text", (kv) => kv.find("text")],
    ["getMany", "text", (kv) => kv.getMany(["a", "text"])],
    ["list", "text", (kv) => kv.list()],
    ["scan", "text", (kv) => kv.scan({ limit: 2 })],
    ["fetchRemove", "text", (kv) => kv.fetchRemove("text")],
    ["swap", "text", (kv) => kv.swap("text", 1)],
    ["getOrSet", "text", (kv) => kv.getOrSet("text", 1)],
    [
      "compareAndSwapDetailed",
      "text",
      (kv) => kv.compareAndSwapDetailed("text", 1, 2, { includeCurrentOnMismatch: true }),
    ],
    [
      "compareAndDeleteDetailed",
      "text",
      (kv) => kv.compareAndDeleteDetailed("text", 1, { includeCurrentOnMismatch: true }),
    ],
    ["claimKey", "text", (kv) => kv.claimKey("text")],
    ["claimKeys", "text", (kv) => kv.claimKeys(["a", "text"])],
    ["claimRandom", "text", (kv) => kv.claimRandom({ prefix: "t" })],
    ["claimRandomMany", "text", (kv) => kv.claimRandomMany({ count: 2 })],
    ["popRandom", "text", (kv) => kv.popRandom({ prefix: "t" })],
    ["popRandomMany", "text", (kv) => kv.popRandomMany({ count: 2 })],
    ["range", "array", (kv) => kv.range("array")],
    ["pop", "array", (kv) => kv.pop("array")],
    ["popFirst", "array", (kv) => kv.popFirst("array")],
    ["popFirstWait", "array", (kv) => kv.popFirstWait("array", { timeout: 10 })],
    ["exportJSONL", "text", (kv) => kv.exportJSONL({ fileName: join(directory, "out") })],
  ])("is named by %s", async (_, key, call) => {
    expect(await errorOf(call(kv))).toMatchObject({ name: "SerializerError", key });
    // What could not be read is where it was, and free.
    expect(await kv.exists(key)).toBe(true);
    expect((await kv.allocationStats()).claimable).toBe(2);
  });
});

describe("on the memory backend", () => {
  let kv: Kv;
  beforeEach(() => {
    kv = openKv({ backend: "memory", name: "keys of errors" });
  });
  afterEach(() => kv.close());

  const bad = { deep: [1n] } as unknown;
  test.each<[name: string, call: (kv: Kv) => Promise<unknown>]>([
    ["set", (kv) => kv.set("k", bad)],
    ["swap", (kv) => kv.swap("k", bad)],
    ["getOrSet", (kv) => kv.getOrSet("k", bad)],
    ["setIfAbsent", (kv) => kv.setIfAbsent("k", bad)],
    ["compareAndSwap", (kv) => kv.compareAndSwap("k", 1, bad)],
    ["compareAndSwap, of what is expected,", (kv) => kv.compareAndSwap("k", bad, 1)],
    ["compareAndDelete", (kv) => kv.compareAndDelete("k", bad)],
    ["append", (kv) => kv.append("k", bad)],
    ["prepend", (kv) => kv.prepend("k", bad)],
  ])("%s names the key of a value that cannot be stored", async (_, call) => {
    expect(await errorOf(call(kv))).toMatchObject({ name: "SerializerError", key: "k" });
  });

  test("counters name their key", async () => {
    await kv.set("word", "seven");
    await kv.set("large", Number.MAX_SAFE_INTEGER);
    await kv.incrementBy("large", 2 ** 62);
    const calls: [call: Promise<unknown>, name: string, key: string][] = [
      [kv.incrementBy("word", 1), "ValueParseError", "word"],
      [kv.incrementBy("large", 2 ** 62), "ValueParseError", "large"],
      [kv.incrementBy("half", 0.5), "ValueNumberRequiredError", "half"],
    ];
    for (const [call, name, key] of calls) expect(await errorOf(call)).toMatchObject({ name, key });
  });

  test("a key that is none is named where it is text", async () => {
    const long = "k".repeat(1_025);
    for (const key of [long, "\ud800"]) {
      expect((await errorOf(kv.get(key))).key).toBe(key);
      expect((await errorOf(kv.getMany(["a", key]))).key).toBe(key);
      expect((await errorOf(kv.length(key))).key).toBe(key);
    }
    expect("key" in (await errorOf(kv.get("")))).toBe(false);
    expect("key" in (await errorOf(kv.get(5 as never)))).toBe(false);
    expect("key" in (await errorOf(kv.filter("bucket").add("\ud800")))).toBe(false);
  });

  describe("imports", () => {
    const fileName = join(directory, "file");
    const options = { fileName, keyColumn: "id", batchSize: 2 };

    test("name place and key of a value where an array is", async () => {
      await kv.append("c", 1);
      writeFileSync(fileName, "id,x\na,1\nb,2\n\nd,4\nc,3\n");
      expect(await errorOf(kv.importCSV(options))).toMatchObject({
        name: "WrongTypeError",
        key: "c",
        message: expect.stringContaining('row 5, key "c": key holds an array'),
        hint: expect.stringContaining("append"),
      });
      writeFileSync(fileName, "1,a\n1,b\n1,d\n1,e\n1,c");
      const places = { ...options, hasHeader: false, keyColumn: "1" };
      expect(await errorOf(kv.importCSV(places))).toMatchObject({
        message: expect.stringContaining('row 5, key "c": key holds an array'),
      });
      const lines = ["a", "b", "c"].map((key) => `${JSON.stringify({ key, value: 1 })}\n`);
      writeFileSync(fileName, lines.join(""));
      expect(await errorOf(kv.importJSONL(options))).toMatchObject({
        name: "WrongTypeError",
        key: "c",
        message: expect.stringContaining('line 3, key "c": key holds an array'),
      });
    });

    test("name place and key of a key that is too long", async () => {
      const key = "k".repeat(2_000);
      writeFileSync(fileName, `id\na\n${key}\n`);
      expect(await errorOf(kv.importCSV(options))).toMatchObject({
        name: "ValueParseError",
        key,
        message: expect.stringContaining("row 3: "),
      });
      writeFileSync(fileName, `${JSON.stringify({ key, value: 1 })}\n`);
      expect(await errorOf(kv.importJSONL(options))).toMatchObject({
        name: "ValueParseError",
        key,
        message: expect.stringContaining("line 1: "),
      });
    });
  });
});
