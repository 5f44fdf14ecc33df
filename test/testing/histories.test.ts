// The histories themselves: they must notice a store that is wrong, say how to see it again, and
// reach every kind of answer that an operation can give.

import { checkHistories, type StoreFactory } from "anykv/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryFactory } from "../engines/memory/memory-factory.js";
import { sabotages, watchedMemory, wrongMemory } from "./wrong-stores.js";

async function failureOf(factory: StoreFactory, options: object = {}): Promise<string> {
  try {
    await checkHistories(fc, factory, { runs: 200, steps: 100, seed: 5, ...options });
  } catch (error) {
    return (error as Error).message;
  }
  return "no failure";
}

describe("a store is found out that", () => {
  for (const [what, wrong] of Object.entries(sabotages)) {
    test(what, async () => {
      expect(await failureOf(wrongMemory(wrong))).toContain("The shortest history found");
    });
  }
});

describe("the report of a failure", () => {
  const factory = wrongMemory(sabotages["keeps no items"] ?? {});

  test("shows a short history, what differed, and the command that repeats it", async () => {
    const report = await failureOf(factory, { command: "npm test" });
    expect(report.match(/^ {2}\d+\. /gm)?.length).toBeLessThanOrEqual(3);
    expect(report).toMatch(/ {2}1\. filter\.add\("/);
    expect(report).toContain("the store has");
    expect(report).toMatch(/ANYKV_SEED=5 ANYKV_PATH=[\d:]+ npm test$/);
  });

  test("leads to the same failure at once", async () => {
    const report = await failureOf(factory);
    const path = /ANYKV_PATH=(\S+)/.exec(report)?.[1];
    let histories = 0;
    const counting: StoreFactory = {
      ...factory,
      create(options) {
        histories++;
        return factory.create(options);
      },
    };
    const again = await failureOf(counting, { path });
    expect(again.split("ANYKV_PATH")[0]).toBe(report.split("ANYKV_PATH")[0]);
    expect(histories).toBeLessThan(20);
  });
});

test("the same seed gives the same answers", async () => {
  const answersOf = async (seed: number): Promise<string[]> => {
    const answers: string[] = [];
    const factory = watchedMemory((method, outcome) => {
      answers.push(`${method} ${JSON.stringify(outcome)}`);
    });
    await checkHistories(fc, factory, { runs: 3, steps: 100, seed });
    return answers;
  };
  expect(await answersOf(3)).toEqual(await answersOf(3));
  expect(await answersOf(3)).not.toEqual(await answersOf(4));
});

/** What an outcome is an example of. */
function kindOf(outcome: { value: unknown } | { error: string }): string {
  if ("error" in outcome) return outcome.error;
  const { value } = outcome;
  if (Array.isArray(value)) return value.length === 0 ? "[]" : "[...]";
  if (typeof value !== "object" || value === null) {
    return typeof value === "number" ? "number" : (JSON.stringify(value) ?? "undefined");
  }
  const fields = value as Record<string, unknown>;
  for (const name of ["loaded", "done", "swapped", "deleted"]) {
    if (typeof fields[name] === "boolean") return `${name} ${fields[name]}`;
  }
  if (Array.isArray(fields.failed))
    return batchKind(fields.failed.length, Number(fields.attempted));
  if (!Array.isArray(fields.claimed)) return "object";
  const parts = Object.keys(fields).filter((name) => (fields[name] as unknown[]).length > 0);
  return parts.sort().join("+") || "nothing";
}

function batchKind(failed: number, attempted: number): string {
  if (attempted === 0) return "nothing";
  return failed === 0 ? "all" : failed === attempted ? "none" : "some";
}

const guarded = ["StaleClaimError"];
const onValues = ["WrongTypeError"];
const write = [...guarded, ...onValues];
const wait = [...write, "null", "number", '"x"', "OperationCanceledError", "StoreClosedError"];
const batch = ["nothing", "all", "some", "none"];

/** Answers that histories would be blind without. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  get: ["KeyNotFoundError", ...onValues, "number", "null", "object"],
  find: ["undefined", ...onValues, "null"],
  getMany: ["[]", "[...]", ...onValues],
  set: [...write, "number"],
  setMany: [...write, "object"],
  delete: [...write, "true"],
  deleteIfExists: [...write, "true", "false"],
  deleteMany: [...write, "object"],
  deleteByPrefix: [...guarded, "done true", "done false"],
  fetchRemove: [...write, "null", "number"],
  exists: ["true", "false"],
  incrementBy: [...write, "number", "ValueParseError"],
  getOrSet: [...write, "loaded true", "loaded false"],
  swap: [...write, "loaded true", "loaded false"],
  compareAndSwap: [...write, "true", "false"],
  compareAndSwapDetailed: [...write, "swapped true", "swapped false"],
  setIfAbsent: [...write, "true", "false"],
  compareAndDelete: [...write, "true", "false"],
  compareAndDeleteDetailed: [...write, "deleted true", "deleted false"],
  scan: ["done true", "done false"],
  scanKeys: ["done true", "done false"],
  list: ["[]", "[...]"],
  listKeys: ["[]", "[...]"],
  randomKey: ['""', '"a"'],
  randomKeys: ["[]", "[...]"],
  claimRandom: ["null", "object"],
  claimRandomMany: ["[]", "[...]"],
  claimKey: ["null", "object"],
  claimKeys: ["nothing", "claimed", "busy", "missing", "busy+claimed+missing"],
  popRandom: ["null", "object"],
  popRandomMany: ["[]", "[...]"],
  releaseClaim: ["true", "false"],
  completeClaim: ["true", "false"],
  renewClaim: ["true", "false"],
  releaseClaims: batch,
  completeClaims: batch,
  renewClaims: batch,
  listClaims: ["done true", "done false"],
  append: [...write, "number"],
  prepend: [...write, "number"],
  pop: [...write, "null", "number"],
  popFirst: [...write, "null", "number"],
  popWait: wait,
  popFirstWait: wait,
  length: [...onValues, "number"],
  range: [...onValues, "[]", "[...]"],
  deleteArray: [...write, "true", "false"],
  listArrays: ["[]", "[...]"],
  expire: [...guarded, "true", "false"],
  ttl: ["undefined", "null", "number"],
  persist: [...guarded, "true", "false"],
  "filter.contains": ["true", "false"],
  "filter.add": [...guarded, "true", "false"],
  "filter.checkThenAdd": [...guarded, "true", "false"],
  "filter.delete": [...guarded, "true", "false"],
};

test("histories reach every kind of answer", async () => {
  const reached = new Set<string>();
  const factory = watchedMemory((method, outcome) => reached.add(`${method}: ${kindOf(outcome)}`));
  await checkHistories(fc, factory, { runs: 300, seed: 1 });
  const wanted = Object.entries(kinds).flatMap(([method, of]) =>
    of.map((kind) => `${method}: ${kind}`),
  );
  expect(wanted.filter((kind) => !reached.has(kind))).toEqual([]);
});

test("a right store passes", async () => {
  expect(await failureOf(memoryFactory, { runs: 20 })).toBe("no failure");
});
