// Repair: from a damaged file to a store in order.
//
// What is computed from rows, and rows that do not fit together, are put in order in the file itself,
// in one transaction. If pages are damaged, nothing of the file is trusted: the rows that the page
// walker can reach are written to a new file,
//
//   salvage --> <path>.repaired --> copy of the old file: <path>.damaged-<time> --> rename
//
// Invariants
// 1. The rename is the switch: before it the old file is in its place, after it the new one. A
//    repair that was cut short is simply repeated.
// 2. The old file is not changed, and a copy of it stays. A healthy file stays as it is.

import { InternalStoreError } from "../../base/errors.js";
import type { Transaction } from "../../engine/engine.js";
import type { CheckRows } from "../../engine/row-reader.js";
import { type TableName, tableNames } from "../../engine/tables.js";
import type { Env } from "../../env/env.js";
import { openFailure } from "./file-errors.js";
import type { FileMending, FileProgress, FileRepairReport, FileReport } from "./file-report.js";
import { type FileTables, openTable } from "./file-tables.js";
import { byteKeys } from "./key-format.js";
import { lmdbDefaults } from "./lmdb-defaults.js";
import type { NativeTable } from "./lmdb-module.js";
import { requireUnused } from "./lock-users.js";
import { acquireFile, releaseFile } from "./open-file.js";
import { realPathOf } from "./real-path.js";
import { replaceBySalvage } from "./salvage.js";
import { verifyLmdb } from "./verify.js";

/** Makes the rows fit together again; `generationOf` is for stores that know how old a row is. */
export type MendRows = (
  transaction: Transaction,
  generationOf: (table: TableName, key: string) => number,
) => readonly FileMending[];

export interface RepairOptions {
  readonly check: CheckRows;
  readonly mend: MendRows;
  readonly onProgress?: ((progress: FileProgress) => void) | undefined;
}

interface Repaired {
  readonly kept: string | undefined;
  readonly unreadableRows: number;
  readonly mended: readonly FileMending[];
}

/**
 * Puts the file of a store in order, with everything in it that can be read.
 *
 * @throws what `verifyLmdb` throws; DiskStoreOpenError when pages are damaged and another process
 * has the store open; DiskStoreWriteError when the repaired file cannot be written: then the old
 * one is still in its place.
 */
export async function repairLmdb(
  env: Env,
  name: string,
  { check, mend, onProgress = () => {} }: RepairOptions,
): Promise<FileRepairReport> {
  const path = await realPathOf(name);
  const found = await verifyLmdb(env, path, { check, onProgress });
  const { problems } = found;
  if (problems.length === 0) return reportOf(found, found, nothing);
  const hasPages = problems.some(({ part }) => part === "pages");
  try {
    if (hasPages) await requireUnused(env, path);
    const repaired = hasPages
      ? await replaceBySalvage(env, path, { found, onProgress, mend: mendFile(env, mend) })
      : { kept: undefined, ...(await mendFile(env, isLossless(found) ? noMending : mend)(path)) };
    const after = await verifyLmdb(env, path, {
      check,
      onProgress: (progress) => onProgress({ ...progress, step: "check" }),
    });
    requireOrder(after);
    return reportOf(found, after, repaired);
  } catch (error) {
    throw openFailure(path, error);
  }
}

const noMending: MendRows = () => [];
const nothing: Repaired = { kept: undefined, unreadableRows: 0, mended: [] };

/** Rows are as they should be, so that nothing about them has to be mended, counters included. */
function isLossless({ problems }: FileReport): boolean {
  return problems.every(({ part }) => part === "indexes");
}

function reportOf(found: FileReport, after: FileReport, done: Repaired): FileRepairReport {
  const { path, problems } = found;
  const rows = after.tables.reduce((sum, table) => sum + table.rows, 0);
  const changed = problems.length > 0;
  return { path, changed, rows, lossless: isLossless(found), problems, ...done };
}

function requireOrder({ path, problems }: FileReport): void {
  const [first] = problems;
  if (first === undefined) return;
  throw new InternalStoreError(`${path} was repaired and is not in order: ${first.what}`, {
    hint: "report this as a defect",
  });
}

/** Puts rows and indexes in order, in one transaction of a file whose pages are. */
function mendFile(env: Env, mend: MendRows): (path: string) => Promise<Omit<Repaired, "kept">> {
  return async (path) => {
    const file = await acquireFile(env, { ...lmdbDefaults, path, timeoutMs: 0 });
    try {
      const options = { encoding: "binary", keyEncoder: byteKeys };
      const raw = new Map(
        tableNames.map((name) => [name, openTable<Uint8Array>(file.root, name, options)]),
      );
      return await file.writes.add((tables: FileTables) => {
        const unreadableRows = tables.mend((name) => raw.get(name) as NativeTable<Uint8Array>);
        return { unreadableRows, mended: mend(tables, () => 0) };
      }, undefined);
    } finally {
      await releaseFile(file);
    }
  };
}
