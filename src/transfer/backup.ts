// Backup: the rows of one instant into a file that opens as a store, while writers go on.
//
//   snapshot -> rows into a store beside the target -> closed -> read back and compared -> synced ->
//   renamed over the target
//
// The target is either what it was before or the whole backup. Two backups onto one target would
// only undo each other's work, so the second one is refused.

import {
  BackupInProgressError,
  isKvError,
  type KvError,
  SnapshotExportError,
  SnapshotPermissionError,
} from "../base/errors.js";
import type { Engine, Transaction } from "../engine/engine.js";
import type { SnapshotRow } from "../engine/snapshot.js";
import type { Env } from "../env/env.js";
import type { Files } from "../env/files.js";
import type { Store, StoreSnapshot } from "../store/store.js";
import { CarriedRows, carriedTables, RowTally } from "./carried-rows.js";
import { type Attention, Pace } from "./pace.js";
import { replaceFile } from "./replace-file.js";
import type { SnapshotFiles } from "./snapshot-files.js";
import { refuseControlFile } from "./store-files.js";
import { checkCanceled, messageOf } from "./transfer.js";

/** Rows of the store, of which each value, element and item is one. */
export interface CopyProgress {
  phase: "copy" | "verify";
  rows: number;
  /** An upper bound until the phase has ended; equal to `rows` then. */
  totalRows: number;
}

/** What a backup or a restore works with; it outlives no call. */
export interface Copying extends Attention<CopyProgress> {
  readonly env: Env;
  readonly store: Store;
  readonly files: SnapshotFiles;
}

export interface BackupRequest {
  /** Absolute. */
  readonly target: string;
  readonly bestEffort: boolean;
}

export interface BackupSummary {
  totalEntries: number;
  bytesWritten: number;
  bestEffort: boolean;
  warning: string;
}

const bestEffortWarning =
  "the backup is not of one instant: values that were written meanwhile may be in it, and values that were deleted meanwhile may be missing";

/** Rows in one transaction, and in one piece of reading. */
export const stepRows = 512;

/** The targets of the backups that are under way, by their file system. */
const targetsOf = new WeakMap<Files, Set<string>>();

/**
 * @throws BackupInProgressError, OperationCanceledError, SnapshotPermissionError,
 * SnapshotExportError, BackendUnavailableError; the target is then as it was before.
 */
export async function backup(copying: Copying, request: BackupRequest): Promise<BackupSummary> {
  const { target, bestEffort } = request;
  checkCanceled(copying);
  const { files } = copying.env;
  const targets = targetsOf.get(files) ?? new Set<string>();
  targetsOf.set(files, targets);
  if (targets.has(target)) {
    throw new BackupInProgressError(`a backup is being written to ${target}`, {
      hint: "wait for it, or choose another `fileName`",
    });
  }
  // Nothing is awaited before this: the instant is that of the call.
  const taking = copying.store.snapshot({ tables: carriedTables, bestEffort });
  targets.add(target);
  let snapshot: StoreSnapshot | undefined;
  try {
    snapshot = await taking;
    const taken = snapshot;
    const written = await replaceFile(copying.env, {
      target,
      fill: (temporary) => fill(copying, taken, temporary),
      refuse: (path) => refuseKept(copying, path),
      beforeRename: () => checkCanceled(copying),
    });
    // What lies beside the target stays: somebody may be opening the new file by now.
    return { ...written, bestEffort: !snapshot.isExact, warning: warningOf(snapshot) };
  } catch (cause) {
    throw backupError(target, cause);
  } finally {
    targets.delete(target);
    snapshot?.close();
  }
}

function warningOf({ isExact, tornArrays = 0 }: StoreSnapshot): string {
  if (isExact) return "";
  if (tornArrays === 0) return bestEffortWarning;
  const arrays = tornArrays === 1 ? "an array" : `${tornArrays} arrays`;
  return `${bestEffortWarning}; ${arrays} changed all the while, and elements of what was written then may be missing or there twice`;
}

async function fill(
  copying: Copying,
  snapshot: StoreSnapshot,
  path: string,
): Promise<{ totalEntries: number; bytesWritten: number }> {
  const { env, files } = copying;
  try {
    const engine = await files.create(env, path);
    const tally = await closing(engine, () => copyRows(copying, snapshot, engine));
    const written = await files.open(env, path);
    await closing(written, () => verify(copying, written, tally));
    const bytesWritten = (await env.files.stat(path))?.sizeBytes ?? 0;
    return { totalEntries: tally.entries, bytesWritten };
  } finally {
    await removeBesides(copying, path);
  }
}

/** A store that nobody has open may be replaced by another one: that is what backups are. */
async function refuseKept({ env, files }: Copying, target: string): Promise<void> {
  await refuseControlFile(env, target);
  if (!(await files.isInUse(env, target))) return;
  throw new SnapshotExportError(`${target} is the file of a store that is open`, {
    hint: "close that store first, or choose another `fileName`",
  });
}

async function removeBesides({ env, files }: Copying, path: string): Promise<void> {
  for (const beside of files.besides(path)) await env.files.remove(beside).catch(() => {});
}

/** Closes the engine whatever happens; what went wrong first is what is told. */
export async function closing<Result>(
  engine: Engine,
  work: () => Promise<Result>,
): Promise<Result> {
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    await engine.close().catch(() => {});
    throw error;
  }
  await engine.close();
  return result;
}

async function copyRows(
  copying: Copying,
  snapshot: StoreSnapshot,
  engine: Engine,
): Promise<RowTally> {
  const tally = new RowTally();
  const pace = new Pace(copying.env, copying);
  const carried = new CarriedRows(snapshot.takenAt);
  const totalRows = snapshot.rows;
  while (true) {
    const given = await snapshot.next(stepRows);
    if (given === undefined) break;
    const rows = carried.of(given);
    if (rows.length > 0) for (const row of await engine.write(putRows, rows)) tally.add(row);
    await pace.step({ phase: "copy", rows: Math.min(tally.rows, totalRows), totalRows });
  }
  pace.tell({ phase: "copy", rows: tally.rows, totalRows: tally.rows });
  return tally;
}

/** The rows that were not there yet. */
function putRows(transaction: Transaction, rows: readonly SnapshotRow[]): readonly SnapshotRow[] {
  const added = rows.filter(({ again, table, key }) => !(again && transaction[table].has(key)));
  for (const { table, key, value, deadline } of added) transaction[table].put(key, value, deadline);
  return added;
}

async function verify(copying: Copying, engine: Engine, expected: RowTally): Promise<void> {
  const found = new RowTally();
  const pace = new Pace(copying.env, copying);
  const totalRows = expected.rows;
  const snapshot = engine.snapshot({ tables: carriedTables, bestEffort: false });
  try {
    for (let rows = snapshot.next(stepRows); rows !== undefined; rows = snapshot.next(stepRows)) {
      for (const row of rows) found.add(row);
      await pace.step({ phase: "verify", rows: Math.min(found.rows, totalRows), totalRows });
    }
  } finally {
    snapshot.close();
  }
  if (!found.equals(expected)) {
    throw new SnapshotExportError(
      `the backup does not hold what was written to it: ${found.rows} rows of ${totalRows} read back`,
      { hint: "look at the disk: it does not keep what it is given" },
    );
  }
  pace.tell({ phase: "verify", rows: totalRows, totalRows });
}

const passedOn: ReadonlySet<string> = new Set([
  "BackendUnavailableError",
  "OperationCanceledError",
  "SnapshotExportError",
  "UnknownError",
]);
const permissionCodes: ReadonlySet<unknown> = new Set(["EACCES", "EPERM", "EROFS"]);

function backupError(target: string, cause: unknown): KvError {
  if (isKvError(cause) && passedOn.has(cause.name)) return cause;
  const origin = isKvError(cause) ? cause.cause : cause;
  const message = messageOf(cause);
  if (permissionCodes.has((origin as NodeJS.ErrnoException | undefined)?.code)) {
    return new SnapshotPermissionError(`${target} may not be written: ${message}`, { cause });
  }
  return new SnapshotExportError(`the backup cannot be written to ${target}: ${message}`, {
    cause,
    hint: "the file that was there before is untouched, unless only its name could not be synced",
  });
}
