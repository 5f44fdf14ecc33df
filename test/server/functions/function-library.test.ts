// What the functions of a served store do beside the operations that every suite knows.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Row } from "../../../src/engine/engine.js";
import { checkRows } from "../../../src/operations/check.js";
import { replaceElement } from "../../../src/operations/list-edits.js";
import { LibraryError } from "../../../src/remote/connection.js";
import { operations, operationTable } from "../../../src/remote/operation-table.js";
import { RemoteStore } from "../../../src/remote/remote-store.js";
import { natureOf } from "../../../src/server/functions/function-library.js";
import { seededRandom } from "../../../src/testing/seeded-random.js";
import { CallDraws } from "./call-draws.js";
import { FunctionConnection } from "./function-connection.js";
import { rowsOf } from "./function-factory.js";
import { servedMemory, type Told, type Word } from "./served.js";

test("every operation is answered, as what it is", () => {
  for (const [operation, kind] of operations) {
    const isRead = kind === "read" || kind === "reap";
    expect([operation, natureOf(operation)]).toStrictEqual([operation, isRead ? "read" : "write"]);
  }
  expect(natureOf("none")).toBe("unknown");
  expect(natureOf("once_more")).toBe("unknown");
  expect(natureOf("constructor")).toBe("unknown");
});

describe("kinds of values", () => {
  const refused = (serialization: string) => `ANYKV_SERIALIZATION ${serialization}`;
  // 0x80 is no text.
  const bytes = Buffer.from([..."b"].map((kind) => kind.charCodeAt(0)).concat(0x80, 0));

  test("a store keeps those that all clients of its serialization can read", async () => {
    const kept: Readonly<Record<"json" | "string" | "bytes", Word[]>> = {
      json: ["j1", 'j"text"', "j"],
      string: ["j1", "jtext", "ttext", "t"],
      bytes: ["jtext", "ttext", "btext", "b", bytes],
    };
    for (const [serialization, values] of Object.entries(kept)) {
      const { call } = servedMemory({ serialization: serialization as "json" });
      for (const value of values) expect(await call("set", "a", value)).toBe(1);
    }
  });

  test("others are refused, and nothing is changed", async () => {
    const others: Readonly<Record<"json" | "string", Word[]>> = {
      json: ["t1", "jtext", "b1", bytes, "j{"],
      string: ["btext", bytes],
    };
    for (const [serialization, values] of Object.entries(others)) {
      const { call } = servedMemory({ serialization: serialization as "json" });
      const first = serialization === "json" ? "j1" : "t1";
      await call("set", "a", first);
      for (const value of values) {
        const writes: [string, ...Word[]][] = [
          ["set", "a", value],
          ["set_many", "", "", "a", first, "b", value],
          ["get_or_set", "b", value],
          ["swap", "a", value, "jtb"],
          ["compare_swap", "a", first, value],
          ["push", "q", "last", value],
        ];
        for (const [operation, ...args] of writes) {
          await expect(call(operation, ...args)).rejects.toThrow(refused(serialization));
        }
      }
      expect(await call("get_many", "a", "b")).toStrictEqual([first, ""]);
      expect(await call("length", "q")).toBe(0);
    }
  });

  test("bytes come back as they were, also those that are text", async () => {
    const { call } = servedMemory({ serialization: "bytes" });
    for (const value of [bytes, Buffer.from("btext"), Buffer.from("b")]) {
      await call("set", "a", value);
      expect(await call("get", "a")).toBe(value.toString("latin1"));
      expect(await call("fetch_remove", "a", "jtb")).toBe(value.toString("latin1"));
    }
  });

  test("what a copy has brought is looked at before it is handed out for the last time", async () => {
    const { call } = servedMemory();
    await call("open", 1, 1, 0);
    await call("put_values", "a", "tno JSON", "", "b", "t[1]", "");
    expect(await call("get", "a")).toBe("jno JSON");
    expect(await call("fetch_remove", "a", "j")).toStrictEqual(["check", "a", "tno JSON"]);
    expect(await call("claim_keys", 1, 100, "", "j", 0, "a", "b")).toContain("check");
    expect(await call("pop_random", "", "j", "", 0, 1)).toContain("check");
    expect(await call("count", "")).toBe(2);
    const digest = createHash("sha1").update("tno JSON").digest("hex");
    const other = createHash("sha1").update("jno JSON").digest("hex");
    expect(await call("fetch_remove", "a", `j ${other}`)).toContain("check");
    expect(await call("fetch_remove", "a", `j ${other} ${digest}`)).toBe("tno JSON");
    expect(await call("fetch_remove", "b", "j")).toBe("j[1]");
  });

  test("a client of another serialization is told which one it is", async () => {
    const { env, library } = servedMemory();
    const name = { prefix: "anykv", store: "" };
    const remote = await RemoteStore.open(new FunctionConnection(library, name, env), env, {
      serialization: "string",
      trackKeys: false,
    });
    await expect(remote.set({ key: "a", value: "text" })).rejects.toMatchObject({
      name: "InvalidOptionsError",
      key: "a",
      hint: 'open it with `serialization: "json"`',
    });
    await remote.close();
  });
});

describe("claims", () => {
  test("tokens are above the clock, and go on from there", async () => {
    let clock = 1_000_000;
    const { call } = servedMemory({ tokenBound: () => clock });
    await call("set_many", "", "", "a", "j1", "b", "j1", "c", "j1", "d", "j1");
    const claim = async (...keys: string[]) =>
      (await call("claim_keys", 1, 100, "", "j", 0, ...keys)) as string[];
    expect(await claim("a", "b")).toMatchObject({ 3: "1000001", 6: "1000002" });
    clock = 999_999;
    expect(await claim("c")).toMatchObject({ 3: "1000003" });
    clock = 2_000_000;
    expect(await claim("a", "none")).toMatchObject({ 2: "busy", 5: "missing" });
    expect(await call("dump_token")).toBe("1000003");
    expect(await call("claim_random", "d", 1, 100, "", "j", 0)).toMatchObject({ 3: "2000001" });
  });

  test("the partition is always there, and the only one", async () => {
    const { call } = servedMemory();
    expect(await call("inspect")).toStrictEqual(["1", "1"]);
    expect(await call("set", "a", "j1")).toBe(1);
    expect(await call("open", 1, 1, 0)).toBe(1);
    await expect(call("open", 2, 1, 0)).rejects.toThrow("ANYKV_LAYOUT 1");
    await expect(call("open", 1, 3, 0)).rejects.toThrow("ANYKV_PARTITIONS 1");
    await expect(call("open", 1, 1, 1)).rejects.toThrow("ANYKV_PARTITIONS 1");
    const others: [string, ...Word[]][] = [
      ["claim_keys", 3, 100, "", "j", 0, "a"],
      ["claim_random", "", 3, 100, "", "j", 0],
    ];
    for (const [operation, ...args] of others) {
      await expect(call(operation, ...args)).rejects.toThrow("ANYKV_NOT_OPEN");
    }
    expect(await call("count_free", "")).toBe(1);
  });

  test("several random ones are different, and each is granted once", async () => {
    const { call } = servedMemory();
    await call("open", 1, 1, 0);
    const values = Array.from({ length: 20 }, (_, index) => [`k${index}`, "j0"]).flat();
    await call("set_many", "", "", ...values);
    const numbers = Array.from({ length: 15 }, (_, index) => index * 2 ** 49);
    const first = (await call("claim_random", "k", 1, 100, "", "j", ...numbers)) as string[];
    const second = (await call("claim_random", "k", 1, 100, "", "j", ...numbers)) as string[];
    const keys = [...first.slice(2), ...second.slice(2)].filter((_, index) => index % 3 === 0);
    expect(first.length).toBe(2 + 3 * 15);
    expect(new Set(keys).size).toBe(20);
  });
});

test("elements that a call adds go to those who wait, in the same transaction", async () => {
  const { call, store } = servedMemory();
  const wait = {
    key: "q",
    end: "first",
    check: () => {},
    timeoutMs: undefined,
    signals: [],
  } as const;
  const waiting = [store.popWait(wait), store.popWait(wait), store.popWait(wait)];
  expect(await call("push", "q", "last", "j1")).toBe(1);
  expect(await call("length", "q")).toBe(0);
  expect(await call("put_elements", "q", "", 0, "j2", "j3", "j4")).toBe(1);
  expect(await Promise.all(waiting)).toStrictEqual(["1", "2", "3"]);
  expect(((await call("range", "q", 0, 10, 0, 10)) as Told[]).slice(1)).toStrictEqual([1, "j4"]);
});

test("a call is bounded, whatever it asks for", async () => {
  const { call } = servedMemory();
  const many = Array.from({ length: 100_001 }, () => "a");
  await expect(call("get_many", ...many)).rejects.toThrow("at most 100000 arguments");
  await expect(call("scan", "", "", 100_001)).rejects.toThrow("at most 100000 rows");
  const half = ["a", 0, 60_000];
  await expect(call("find_arrays", ...half, ...half)).rejects.toThrow("at most 100000 elements");
  await expect(call("get", "x".repeat(1_025))).rejects.toThrow("at most 1024 bytes");
  // A page of large values ends early, and says so.
  const large = `j"${"x".repeat(600_000)}"`;
  await call("set_many", "", "", "a", large, "b", large, "c", large);
  expect(((await call("scan", "", "", 10)) as string[]).length).toBe(1 + 2 * 2);
  expect(((await call("piece_values", "", 10)) as string[]).length).toBe(2 + 3 * 2);
  expect(((await call("piece_values", "b", 10)) as string[])[0]).toBe(1);
  expect(((await call("get_many", "a", "none", "b", "c")) as string[]).length).toBe(3);
  expect(((await call("find_values", "a", "none", "b", "c")) as string[]).length).toBe(1 + 2 * 3);
  for (let index = 0; index < 5; index++) await call("push", "q", "last", large);
  expect(((await call("range", "q", 0, 10, 0, 10)) as string[]).length).toBe(2 + 2);
  expect(((await call("dump_elements", "q", 1, 10)) as string[]).length).toBe(2 + 2);
  const [, found, ...more] = (await call("find_arrays", "q", 0, 5, "q", 0, 5)) as Told[][];
  expect([found?.[3], more]).toStrictEqual([[large, large], []]);
});

test("a choice of large values is cut short, and goes on with the next call", async () => {
  const { call } = servedMemory();
  const large = `j"${"x".repeat(600_000)}"`;
  for (const key of ["a", "b", "c"]) await call("set", key, large);
  const first = (await call("claim_random", "", 1, 100, "", "j", 0, 0, 0)) as string[];
  expect([first[0], first.length]).toStrictEqual(["more", 2 + 3 * 2]);
  const second = (await call("claim_random", "", 1, 100, "", "j", 0, 0, 0)) as string[];
  expect([second[0], second.length]).toStrictEqual(["ok", 2 + 3]);
  await call("drop_claims", 10);
  const some = (await call("claim_keys", 1, 100, "", "j", 0, "a", "b", "c")) as string[];
  expect(some.length).toBe(2 + 3 * 2);
  await call("drop_claims", 10);
  const all = (await call("claim_keys", 1, 100, "", "j", 1, "a", "b", "c")) as string[];
  expect(all.length).toBe(2 + 3 * 3);
  await call("drop_claims", 10);
  expect(await call("pop_random", "", "j", "", 0, 0, 0)).toMatchObject(["more", "a", {}, "b", {}]);
  expect(await call("pop_random", "", "j", "", 0, 0)).toMatchObject(["ok", "c", {}]);
});

test("keys are told by their ranks", async () => {
  const { call } = servedMemory();
  await call("set_many", "", "", "a", "j1", "k1", "j1", "k2", "j1");
  expect(await call("select_keys", "k", 1, 0, 2, 1)).toStrictEqual(["k2", "k1", "k2"]);
  expect(await call("select_keys", "")).toStrictEqual([]);
});

test("a sign is there until it is taken away", async () => {
  const { call } = servedMemory();
  expect(await call("marked")).toBe("");
  await call("mark", "sign");
  expect(await call("marked")).toBe("sign");
  await call("mark", "");
  expect(await call("marked")).toBe("");
});

describe("the state of an array", () => {
  const changes: Readonly<Record<string, readonly [string, ...Word[]][]>> = {
    "an element goes and another one comes": [
      ["pop", "q", "last", "j", ""],
      ["push", "q", "last", "j9"],
    ],
    "one comes in front": [["push", "q", "first", "j9"]],
    "a copy writes it": [["put_elements", "q", "", 1, "j9", "j9"]],
    "the array is another one": [
      ["delete_array", "q"],
      ["push", "q", "last", "j1"],
    ],
  };
  const begun = async () => {
    const served = servedMemory();
    for (let index = 0; index < 3; index++) await served.call("push", "q", "last", `j${index}`);
    const state = async () => ((await served.call("range", "q", 0, 10, 0, 1)) as string[])[0] ?? "";
    return { ...served, state };
  };

  test.each(Object.keys(changes))("is another one when %s", async (name) => {
    const { call, state } = await begun();
    const before = await state();
    for (const [operation, ...args] of changes[name] ?? []) await call(operation, ...args);
    expect(await state()).not.toBe(before);
    expect((await call("range", "q", 0, 10, 0, 10, before)) as Told[]).toHaveLength(2);
    expect((await call("dump_elements", "q", 0, 10, before)) as Told[]).toHaveLength(2);
  });

  test("is the same while others are written, and their pages belong together", async () => {
    const { call, state, store } = await begun();
    const before = await state();
    await call("push", "other", "last", "j1");
    await call("set", "a", "j1");
    await store.set({ key: "b", value: "1" });
    expect(await state()).toBe(before);
    expect(await call("range", "q", 0, 10, 1, 1, before)).toStrictEqual([before, 3, "j1"]);
    expect(await call("range", "q", -2, 10, 0, 1, "")).toStrictEqual([before, 2, "j1"]);
    expect(await call("dump_elements", "q", 2, 9, before)).toStrictEqual([before, 3, "j2"]);
    expect(await call("dump_elements", "none", 0, 9)).toStrictEqual(["", 0]);
  });

  test("is another one when an element in the middle is replaced", async () => {
    const { state, store } = await begun();
    const before = await state();
    await store.direct.write((transaction) => {
      replaceElement(transaction, transaction.lists.get("q") as Row, 1, "9");
    }, undefined);
    expect(await state()).not.toBe(before);
  });

  test("is another one after a restore, and when the store itself has changed it", async () => {
    const { call, state, store } = await begun();
    const before = await state();
    await store.pop({ key: "q", end: "last", check: () => {} });
    await store.push({ key: "q", end: "last", value: "9" });
    const after = await state();
    expect(after).not.toBe(before);
    await call("load_begin", "L");
    await call("load_commit", "L", 0);
    expect(await call("range", "q", 0, 10, 0, 1)).toStrictEqual(["", 0]);
  });
});

describe("dumps", () => {
  test("pages give every row once, also behind what is gone", async () => {
    const { call, library } = servedMemory();
    const names = Array.from({ length: 25 }, (_, index) => `bucket ${index}`);
    for (const name of names) {
      await call("put_members", name, "ti1", "inf", name, "ti2", "inf");
    }
    const pages = async (limit: number): Promise<string[]> => {
      const found: string[] = [];
      for (let done = 0; done === 0; ) {
        const page = (await call("dump_buckets", found.at(-1) ?? "", limit)) as [
          number,
          ...string[],
        ];
        const [end, ...buckets] = page;
        done = end;
        found.push(...buckets);
      }
      return found;
    };
    for (const limit of [1, 7, 25, 100]) {
      expect((await pages(limit)).sort()).toStrictEqual([...names].sort());
    }
    const [first = "", second = "", third = ""] = await pages(100);
    expect(await call("measure", "buckets", second, 100)).toMatchObject([1, {}, 46, 23]);
    expect(await call("measure", "buckets", "", 2)).toStrictEqual([0, second, 4, 2]);
    await call("clear_members", second, "");
    expect(await call("dump_buckets", second, 1)).toStrictEqual([0, third]);
    expect(await call("dump_members", first, 1)).toStrictEqual(["ti1", "inf"]);
    expect(await call("dump_members", first, 9, "inf", "ti1")).toStrictEqual(["ti2", "inf"]);
    await call("delete_member", first, "ti1");
    expect(await call("dump_members", first, 9, "5", "ti1")).toStrictEqual(["ti2", "inf"]);
    expect(await call("dump_members", first, 9, "5", "ti2")).toStrictEqual([]);
    expect(await call("piece_members", 1, first, "inf", "ti1")).toMatchObject({
      2: first,
      3: "ti2",
    });
    library.close();
  });

  test("changes rise whoever writes", async () => {
    const { call, store } = servedMemory();
    const changes = async () => Number(((await call("report")) as number[])[2]);
    const before = await changes();
    expect(await changes()).toBe(before);
    await store.set({ key: "a", value: "1" });
    const after = await changes();
    expect(after).toBeGreaterThan(before);
    await call("set", "b", "j1");
    expect(await changes()).toBeGreaterThan(after);
  });
});

describe("loads", () => {
  test("a load takes the place of everything at once, in the order in which it was built", async () => {
    const { call } = servedMemory();
    await call("open", 1, 1, 0);
    await call("set_many", "", "", "a", "j1", "b", "j2");
    await call("push", "old", "last", "j1");
    await call("claim_keys", 1, 1_000, "", "j", 0, "a");
    await call("load_begin", "L");
    await call("load_values", "L", "c", "j3", "");
    await call("load_arrays", "L", "q", 7, "", "empty", 8, "");
    await call("load_elements", "L", 7, 1, "j1", 7, -1, "j-1", 7, 0, "j0");
    expect(await call("load_build", "L", 7, -1, 0)).toBe(2);
    expect(await call("load_build", "L", 7, 1)).toBe(1);
    expect(await call("load_values", "L")).toBe(1);
    await call("load_members", "L", "bucket", "ti", "");
    expect(await call("count", "")).toBe(2);
    expect(await call("load_commit", "L", 5)).toBe(1);
    expect(await call("scan", "", "", 10)).toStrictEqual([1, "c", "j3"]);
    expect(await call("list_arrays", "", "", 10)).toStrictEqual([1, "q"]);
    const range = async () => ((await call("range", "q", 0, 10, 0, 10)) as Told[]).slice(1);
    expect(await range()).toStrictEqual([3, "j-1", "j0", "j1"]);
    expect(await call("contains_member", "bucket", "ti")).toBe(1);
    expect(await call("dump_token")).toBe("5");
    expect(await call("push", "r", "last", "j9")).toBe(1);
    expect(await range()).toStrictEqual([3, "j-1", "j0", "j1"]);
    await expect(call("load_values", "L", "d", "j4", "")).rejects.toThrow("ANYKV_LOAD_LOST");
  });

  test("a key that comes twice is what came last", async () => {
    const { call, store } = servedMemory();
    await call("load_begin", "L");
    await call("load_values", "L", "a", "j1", "", "b", "j1", "", "b", "j2", "");
    await call("load_arrays", "L", "a", 1, "", "c", 2, "", "d", 3, "");
    await call("load_elements", "L", 1, 0, "j0", 2, 0, "j0", 3, 0, "j0");
    for (const id of [1, 2, 3]) await call("load_build", "L", id, 0);
    await call("load_values", "L", "c", "j3", "");
    await call("load_commit", "L", 0);
    expect(await call("scan", "", "", 10)).toStrictEqual([1, "b", "j2", "c", "j3"]);
    expect(await call("list_arrays", "", "", 10)).toStrictEqual([1, "a", "d"]);
    const problems = await store.direct.read((view) => [...checkRows(rowsOf(view))], undefined);
    expect(problems).toStrictEqual([]);
  });

  test("one at a time, unless it has been silent for a minute", async () => {
    const { call, env } = servedMemory();
    await call("load_begin", "L");
    await env.advance(59_999);
    await expect(call("load_begin", "M")).rejects.toThrow("ANYKV_LOADING");
    await call("load_values", "L", "a", "j1", "");
    await env.advance(59_999);
    await expect(call("load_begin", "M")).rejects.toThrow("ANYKV_LOADING");
    await env.advance(1);
    await call("load_begin", "M");
    await expect(call("load_commit", "L", 0)).rejects.toThrow("ANYKV_LOAD_LOST");
    await call("load_abandon", "L");
    expect(await call("load_commit", "M", 0)).toBe(1);
    expect(await call("count", "")).toBe(0);
  });

  test("what nobody goes on with is let go, and no timer is left", async () => {
    const { call, env } = servedMemory();
    const timers = env.armedTimers;
    await call("load_begin", "L");
    await env.advance(30_000);
    await call("load_values", "L", "a", "j1", "");
    await env.advance(200_000);
    expect(env.armedTimers).toBe(timers);
    await expect(call("load_commit", "L", 0)).rejects.toThrow("ANYKV_LOAD_LOST");
  });

  test("it is bounded, and elements must belong to an array and come before they are built", async () => {
    const { call } = servedMemory({ loadBytesMax: 1_000 });
    await call("set", "a", "j1");
    await call("load_begin", "L");
    const elements = "ANYKV_REFUSED SnapshotReadError";
    await expect(call("load_elements", "L", 7, 0, "j1")).rejects.toThrow(elements);
    await call("load_arrays", "L", "q", 7, "");
    await expect(call("load_build", "L", 7, 0)).rejects.toThrow(elements);
    const large = `j"${"x".repeat(1_000)}"`;
    const bound = "ANYKV_REFUSED SnapshotBudgetExceededError";
    await expect(call("load_values", "L", "b", large, "")).rejects.toThrow(bound);
    await call("load_abandon", "L");
    expect(await call("scan", "", "", 10)).toStrictEqual([1, "a", "j1"]);
  });
});

test("words of any kind are carried out or refused, and leave the store in order", async () => {
  const random = seededRandom(1);
  const draws = new CallDraws(random);
  const garbage: Word[] = [
    ...[
      "",
      " ",
      "-1",
      "0",
      "1e9",
      "NaN",
      "999999999999999999999",
      "1.5",
      "\0",
      "j",
      "t",
      "b",
      "jx",
    ],
    ...[Buffer.from([0xff]), Buffer.from([0x62, 0xff]), Buffer.from([0x6a, 0xff, 0xfe])],
    ...["x".repeat(2_000), "first", "inf", "keep", "1 a", "constructor", "__proto__"],
  ];
  const { call, env, store } = servedMemory();
  await call("open", 1, 1, 0);
  const names = [...Object.keys(operationTable), "none"];
  let refusals = 0;
  for (let round = 0; round < 20_000; round++) {
    const drawn = draws.draw();
    const operation = draws.below(4) === 0 ? draws.one(names) : drawn.operation;
    const args: Word[] = [...drawn.args];
    for (let change = draws.below(3); change > 0; change--) {
      const place = draws.below(args.length + 2);
      if (draws.below(3) === 0) args.splice(place);
      else args[Math.min(place, args.length)] = draws.one(garbage);
    }
    try {
      await call(operation, ...args);
    } catch (error) {
      refusals++;
      const told = `${operation} ${JSON.stringify(args)}: ${String(error)}`;
      expect(error, told).toBeInstanceOf(LibraryError);
      // Nothing that an operation has not foreseen.
      expect(told).not.toMatch(/ANYKV_REFUSED (UnknownError|InternalStoreError)/);
    }
    if (draws.below(50) === 0) await env.advance(draws.one([1, 100, 70_000]));
  }
  expect(refusals).toBeGreaterThan(1_000);
  const problems = await store.direct.read((view) => [...checkRows(rowsOf(view))], undefined);
  expect(problems).toStrictEqual([]);
});
