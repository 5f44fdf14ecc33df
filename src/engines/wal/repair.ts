// Repair: from files that do not open to a store that does, with nothing thrown away.
//
//   salvage --> new state (.tmp) --> new, empty segment --> report --> [state gets its name]
//                                                                          --> old files aside
//
// Invariants
// 1. The state's name is the switch. Before it, the old files say what they said: they do not open,
//    with or without an empty segment behind them. After it, they are superseded, damaged or not.
// 2. Nothing is overwritten and nothing removed: new files take numbers that no file has, old ones
//    are moved by renaming. A repair that was cut short is simply repeated.
// 3. A healthy directory stays as it is.

import { randomBytes } from "node:crypto";
import { DiskStoreWriteError, InternalStoreError, isKvError } from "../../base/errors.js";
import type { Transaction } from "../../engine/engine.js";
import type { TableName } from "../../engine/tables.js";
import type { Env } from "../../env/env.js";
import { DirectoryLock } from "./directory-lock.js";
import { storeIdBytes } from "./file-header.js";
import { numberMax, segmentHeader, segmentName, stateName } from "./log-format.js";
import { openError } from "./open-errors.js";
import { Quarantine } from "./quarantine.js";
import { directoriesIn } from "./recovery.js";
import { type Salvage, salvage } from "./salvage.js";
import { writeState } from "./state-writer.js";
import { requireWalDirectory, type Survey, surveyFiles } from "./survey.js";
import { inspectFiles } from "./verify.js";
import type { Mending, Progress, RepairReport, WalReport } from "./wal-report.js";

/**
 * Makes the rows fit together again where some were lost; called with the salvaged rows as one
 * transaction. `generationOf` tells how many losses came before what is known of a row.
 */
export type Mend = (
  transaction: Transaction,
  generationOf: (table: TableName, key: string) => number,
) => readonly Mending[];

export interface RepairOptions {
  readonly mend: Mend;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Makes the store in a directory open again, with all that the checksums prove. Holds the lock.
 *
 * @throws DiskPathError when `path` is no such directory, DiskStoreOpenError when it is in use, has
 * files of another version of the format, or cannot be read; DiskStoreWriteError when the repaired
 * files cannot be written: then the old ones are still in force.
 */
export async function repairWal(
  env: Env,
  path: string,
  { mend, onProgress = () => {} }: RepairOptions,
): Promise<RepairReport> {
  await requireWalDirectory(env, path);
  const lock = await DirectoryLock.acquire(env, `${path}/LOCK`).catch((error: unknown) => {
    throw openError(path, error);
  });
  try {
    const verified = await inspectFiles(env, path, onProgress);
    if (verified.problems.length === 0) return untouched(verified);
    const survey = await surveyFiles(env, path);
    return verified.opens
      ? await setAside(env, verified)
      : await rebuild(env, survey, verified, mend, onProgress);
  } catch (error) {
    throw openError(path, error);
  } finally {
    await lock.release();
  }
}

function untouched({ path, problems, tornBytes }: WalReport): RepairReport {
  return {
    path,
    changed: false,
    quarantine: undefined,
    moved: [],
    rows: undefined,
    next: undefined,
    lossless: true,
    lostRecords: [],
    lostRows: [],
    olderRows: [],
    mended: [],
    problems,
    tornBytes,
  };
}

// What is damaged is superseded: opening does not read it.
async function setAside(env: Env, verified: WalReport): Promise<RepairReport> {
  const quarantine = await written(verified.path, () => Quarantine.create(env, verified.path));
  const report = { ...untouched(verified), changed: true, quarantine: quarantine.path };
  const damaged = [...new Set(verified.problems.map((problem) => problem.path))];
  return written(verified.path, async () => {
    await quarantine.write("report.json", reportText({ ...report, moved: damaged }));
    return { ...report, moved: await quarantine.take(damaged) };
  });
}

async function rebuild(
  env: Env,
  survey: Survey,
  verified: WalReport,
  mend: Mend,
  onProgress: (progress: Progress) => void,
): Promise<RepairReport> {
  const { path } = survey;
  const found = await salvage(env, survey, verified, onProgress);
  const lossless = found.lostRecords.length === 0;
  const olderRows = found.rows.olderRows();
  const mended = lossless ? [] : mendRows(found, mend);
  const number = freeNumber(survey, found.highest);
  const quarantine = await written(path, () => Quarantine.create(env, path));
  const old = [...survey.states, ...survey.segments].map((file) => file.path);
  const moved = [...old, ...survey.unfinished];
  const { lostRecords, lostRows, rows } = found;
  const report: RepairReport = {
    ...untouched(verified),
    ...{ changed: true, quarantine: quarantine.path, moved, rows: rows.count, next: number + 1 },
    ...{ lossless, lostRecords, lostRows, olderRows, mended },
  };
  await written(path, async () => {
    await replaceFiles(env, path, found, number, () =>
      quarantine.write("report.json", reportText(report)),
    );
    await quarantine.take(moved);
  });
  await check(env, path, onProgress);
  return report;
}

function mendRows(found: Salvage, mend: Mend): readonly Mending[] {
  const { memory } = found.rows;
  const generationOf: Parameters<Mend>[1] = (table, key) => found.rows.generationOf(table, key);
  let mended: readonly Mending[] = [];
  memory.write((transaction) => {
    mended = mend(transaction, generationOf);
  }, undefined);
  return mended;
}

/** The first number from `highest` on of which there is neither a state nor a segment behind it. */
function freeNumber({ states, segments, unfinished, foreign }: Survey, highest: number): number {
  const files = [...states, ...segments].map((file) => file.path);
  const taken = new Set(
    [...files, ...unfinished, ...foreign].map((path) => path.split("/").at(-1)),
  );
  const names = (number: number): string[] => [
    stateName(number),
    `${stateName(number)}.tmp`,
    segmentName(number + 1),
  ];
  let number = highest;
  while (names(number).some((name) => taken.has(name))) number++;
  if (number < numberMax) return number;
  throw new InternalStoreError(`the files are numbered up to ${highest}: no number is left`);
}

async function replaceFiles(
  env: Env,
  path: string,
  { rows, store = randomBytes(storeIdBytes) }: Salvage,
  number: number,
  writeReport: () => Promise<void>,
): Promise<void> {
  const { files } = env;
  const { log, states } = directoriesIn(path);
  for (const directory of [log, states]) await files.makeDirectory(directory);
  await files.syncDirectory(path);
  const state = `${states}/${stateName(number)}`;
  const finishLog = async (): Promise<number> => number;
  await writeState(env, rows.memory, { path: state, store, replay: number, finishLog });
  const segment = await files.open(`${log}/${segmentName(number + 1)}`, "create");
  try {
    await segment.write(segmentHeader.encode(number + 1, store));
    await segment.sync();
  } finally {
    await segment.close();
  }
  await files.syncDirectory(log);
  await writeReport();
  await files.rename(`${state}.tmp`, state);
  await files.syncDirectory(states);
}

async function check(
  env: Env,
  path: string,
  onProgress: (progress: Progress) => void,
): Promise<void> {
  const report = await inspectFiles(env, path, (progress) =>
    onProgress({ ...progress, step: "check" }),
  );
  if (report.opens && report.problems.length === 0) return;
  throw new InternalStoreError(
    `${path} was repaired and does not open: ${report.refusal?.message}`,
    {
      hint: "report this as a defect; all former files are in the quarantine directory",
    },
  );
}

function reportText(report: RepairReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

async function written<Result>(path: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (cause) {
    if (isKvError(cause)) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new DiskStoreWriteError(`the repaired files of ${path} cannot be written: ${message}`, {
      cause,
      hint: "make room or mend the disk, then repair again: nothing is lost by the interruption",
    });
  }
}
