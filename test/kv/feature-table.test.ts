// Feature table: every proof that the tables of features/ name is there. A title that no longer exists fails
// here, so a feature cannot lose its proof unnoticed.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { storeSuite } from "../../src/testing/suite/store-suite.js";
import { memoryFactory } from "../engines/memory/memory-factory.js";
import { jetKvFeatures } from "./features/jetkv.js";
import { k6Features } from "./features/k6.js";
import { parts } from "./features/proof.js";
import { simpleKvFeatures } from "./features/simple-kv.js";
import { traps } from "./features/traps.js";

function suiteTitles(): string[] {
  const titles: string[] = [];
  const recorder = {
    describe: (_: string, body: () => void) => body(),
    test: (title: string) => titles.push(title),
    expect: () => {
      throw new Error("no test was to run");
    },
  };
  storeSuite(recorder, memoryFactory);
  return titles;
}

const titles = suiteTitles();

function exists(title: string): boolean {
  const [file = "", ofFile] = title.split(" > ");
  if (ofFile === undefined) return titles.includes(title);
  const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
  return readFileSync(path, "utf8").includes(ofFile);
}

const tables = { k6Features, jetKvFeatures, simpleKvFeatures, traps };
const rows = Object.entries(tables).flatMap(([table, proofs]) =>
  Object.entries(proofs).map(([feature, proof]) => ({ table, feature, proof })),
);

test.each(rows)("$table: $feature", ({ proof }) => {
  const proven = "later" in proof ? (proof.now ?? []) : proof;
  expect(proven.filter((title) => !exists(title))).toEqual([]);
  if ("later" in proof) expect(parts).toContain(proof.later);
  else expect(proven).not.toEqual([]);
});

test("a title that does not exist is noticed", () => {
  expect(exists("set overwrites")).toBe(true);
  expect(exists("set does not overwrite")).toBe(false);
  expect(exists("test/kv/open-kv.test.ts > is not there")).toBe(false);
});

test("titles of the suite occur once for each way of tracking keys", () => {
  const tests = titles.filter((title) => !title.startsWith("gap: "));
  const counts = new Map<string, number>();
  for (const title of tests) counts.set(title, (counts.get(title) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count !== 2)).toEqual([]);
  expect(counts.size).toBeGreaterThan(400);
});

test("the table has every row of the contract", () => {
  const count = (prefix: string) =>
    Object.keys(k6Features).filter((feature) => feature.startsWith(prefix)).length;
  expect(["S0 ", "S1 ", "S2 ", "new "].map(count)).toEqual([7, 9, 26, 4]);
  expect(Object.keys(jetKvFeatures)).toHaveLength(18);
  expect(Object.keys(simpleKvFeatures)).toHaveLength(13);
});
