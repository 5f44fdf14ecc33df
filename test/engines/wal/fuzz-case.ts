// Fuzz case: one damaged directory, opened, verified and repaired, and judged by a model.
//
// Whatever was done to the files:
// 1. Opening gives the state after a prefix of the transactions, or a typed error.
// 2. Verifying changes nothing and says whether the store opens.
// 3. Repairing ends in a store that opens. It holds exactly the transactions that are not reported
//    as lost; where a damaged state had to stand in for some, every row is one that was there once.
// 4. No file is lost: each is still there or in the quarantine. A second repair changes nothing.

import { isKvError, type KvError } from "anykv";
import { expect } from "vitest";
import { repairWal } from "../../../src/engines/wal/repair.js";
import { verifyWal } from "../../../src/engines/wal/verify.js";
import { walDefaults } from "../../../src/engines/wal/wal-defaults.js";
import { WalEngine } from "../../../src/engines/wal/wal-engine.js";
import type { RepairReport, WalReport } from "../../../src/engines/wal/wal-report.js";
import { mendRows } from "../../../src/operations/mend.js";
import type { SimulatedDisk } from "../../../src/testing/simulated-disk.js";
import type { Original } from "./fuzz-subject.js";
import { dumpOf, Model } from "./recorded-history.js";
import { diskWith, envOn, type FileSet, filesOn, storePath } from "./wal-files.js";

/** What was done with a case, for the statistics. */
export type Outcome =
  | "opens"
  | "opens, tail lost"
  | "repaired"
  | "repaired with losses"
  | "files of several stores";

const openErrors = new Set(["DiskStoreOpenError", "DiskPathError"]);

async function opened(disk: SimulatedDisk): Promise<string | KvError> {
  try {
    const options = { ...walDefaults, path: storePath, trackKeys: false };
    const engine = await WalEngine.open(envOn(disk), options);
    const dump = await engine.read(dumpOf, undefined);
    await engine.close();
    return dump;
  } catch (error) {
    if (isKvError(error) && openErrors.has(error.name)) return error;
    throw error;
  }
}

/** What is known of a case before it is judged. */
export interface Knowledge {
  /** The first transactions that no judgement may take away. */
  readonly survives: number;
  /** Whether it is beyond doubt that the directory belongs to the original store. */
  readonly isOurs: boolean;
  /** Whether bytes may be gone without any trace. */
  readonly isCut: boolean;
}

export async function runCase(
  files: FileSet,
  original: Original,
  { survives, isOurs, isCut }: Knowledge,
): Promise<Outcome> {
  const found = await opened(diskWith(files));
  const disk = diskWith(files);
  const verified = await verifyWal(envOn(disk), storePath);
  expectSame(filesOn(disk), files);
  expect(disk.entry(`${storePath}/LOCK`)).toBeUndefined();
  expect(verified.opens).toBe(typeof found === "string");
  if (typeof found !== "string") expect(verified.refusal?.message).toBe(found.message);
  const prefix = typeof found === "string" ? original.prefixOf(found) : undefined;
  if (isOurs && typeof found === "string" && (prefix === undefined || prefix < survives)) {
    throw new Error(`opened with ${prefix} of at least ${survives} transactions:\n${found}`);
  }
  // What was not cut off, and is not told as torn, is there.
  const isWhole = isOurs && !isCut && verified.tornBytes === 0;
  if (isWhole && prefix !== undefined) expect(prefix).toBe(original.records.length);
  const report = await repairWal(envOn(disk), storePath, { mend: mendRows }).catch((error) => {
    if (original.majorityIn(files) > 0 || error.name !== "DiskStoreOpenError") throw error;
  });
  if (report === undefined) {
    expectSame(filesOn(disk), files);
    return "files of several stores";
  }
  checkFiles(files, disk, report, verified);
  const repaired = await opened(disk.clone());
  if (typeof repaired !== "string") throw repaired;
  if (typeof found === "string") {
    expect(repaired).toBe(found);
    return prefix === original.records.length ? "opens" : "opens, tail lost";
  }
  if (isOurs && report.tornBytes === 0) checkNeedless(files, original, report);
  const least = isWhole && report.lossless ? original.records.length : survives;
  if (isOurs) checkRows(repaired, original, report, least);
  await checkSecond(disk);
  return report.lossless ? "repaired" : "repaired with losses";
}

/** As `toEqual`, which takes Buffers apart byte by byte. */
function expectSame(files: FileSet, expected: FileSet): void {
  expect([...files.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [path, bytes] of files) {
    if (!bytes.equals(expected.get(path) ?? Buffer.alloc(0))) throw new Error(`${path} is changed`);
  }
}

function checkFiles(
  files: FileSet,
  disk: SimulatedDisk,
  report: RepairReport,
  verified: WalReport,
): void {
  expect(report.changed).toBe(verified.problems.length > 0);
  if (!report.changed) {
    expectSame(filesOn(disk), files);
    return;
  }
  const texts = new Set([...filesOn(disk).values()].map((bytes) => bytes.toString("latin1")));
  for (const [path, bytes] of files) {
    if (!texts.has(bytes.toString("latin1"))) throw new Error(`${path} is gone`);
  }
}

async function checkSecond(disk: SimulatedDisk): Promise<void> {
  const before = filesOn(disk);
  const again = await repairWal(envOn(disk), storePath, { mend: mendRows });
  expect(again.changed).toBe(false);
  expectSame(filesOn(disk), before);
}

/** Nothing that is still there is given up. */
function checkNeedless(files: FileSet, original: Original, report: RepairReport): void {
  const untouched = original.untouchedIn(files);
  for (const { first, last = Math.max(first, original.records.length) } of report.lostRecords) {
    if (last < first) throw new Error("a loss that ends before it begins");
    for (let number = first; number <= last; number++) {
      if (untouched.has(number)) throw new Error(`transaction ${number} was there and is given up`);
    }
  }
}

function withoutCounters(dump: string): string {
  return dump
    .split("\n")
    .filter((line) => !line.startsWith("counters "))
    .join("\n");
}

function checkRows(dump: string, original: Original, report: RepairReport, survives: number): void {
  const { length } = original.records;
  if (report.lossless) {
    const prefix = original.prefixOf(dump);
    if (prefix === undefined || prefix < survives) {
      throw new Error(`repaired without loss to ${prefix} of ${survives} to ${length}:\n${dump}`);
    }
    return;
  }
  const rows = withoutCounters(dump);
  const isMixed = report.lostRecords.some(({ stateRead }) => stateRead !== undefined);
  if (report.mended.length > 0 || isMixed) {
    checkEachRow(rows, original, report);
    return;
  }
  const isLost = (number: number): boolean =>
    report.lostRecords.some(({ first, last }) => number >= first && number <= (last ?? length));
  // The end may have been cut off as torn on top of what is reported.
  for (let until = length; until >= survives; until--) {
    if (rows === withoutCounters(dumpAfter(original, until, isLost))) return;
  }
  throw new Error(`repaired to what no loss explains:\n${dump}\n${JSON.stringify(report)}`);
}

function dumpAfter(
  { records }: Original,
  until: number,
  isLost: (number: number) => boolean,
): string {
  const model = new Model();
  for (const [index, changes] of records.slice(0, until).entries()) {
    if (!isLost(index + 1)) model.apply(changes);
  }
  return model.dump;
}

// Arrays that were closed up have rows that never were; their elements have been there.
function checkEachRow(rows: string, original: Original, report: RepairReport): void {
  for (const row of rows.split("\n")) {
    const isMoved = report.mended.length > 0 && /^(lists|items) /.test(row);
    if (isMoved || row === "" || original.hadRow(row)) continue;
    throw new Error(`a row that never was: ${row}`);
  }
}
