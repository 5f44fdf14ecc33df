// Verify: everything that is wrong with the file of a store. Nothing is changed, and others may go
// on using the store.
//
// The pages come first, read as plain bytes: only a file whose pages are in order is mapped, since
// following a wrong page number ends the process. Then the rows, in one state of the file.

import { DiskPathError } from "../../base/errors.js";
import type { CheckRows, RowReader } from "../../engine/row-reader.js";
import { copyNoteName } from "../../engine/tables.js";
import type { Env } from "../../env/env.js";
import type { FileHandle } from "../../env/files.js";
import { type SettledWalk, walkWhileWritten } from "./check-file.js";
import { foreignFile, openFailure } from "./file-errors.js";
import { type FileHeader, headerFault, notAStore, readHeader } from "./file-header.js";
import type { FileProblem, FileProgress, FileReport } from "./file-report.js";
import { TableInspection } from "./inspect-tables.js";
import { isMostOfAStore, layoutKey, layoutText, metaName, missingDatabases } from "./layout.js";
import { acquireFile, releaseFile } from "./open-file.js";
import { type Walk, walkPages } from "./page-walker.js";
import { SnapshotRows } from "./snapshot-rows.js";

export interface VerifyOptions {
  readonly check: CheckRows;
  readonly onProgress?: ((progress: FileProgress) => void) | undefined;
}

/**
 * Reads every page and every row of a store's file. O(bytes).
 *
 * @throws DiskPathError when `path` is no file, DiskStoreOpenError when it is not a store's, has
 * another version of the layout, or cannot be read; BucketNotFoundError when it has no data of ours.
 */
export async function verifyLmdb(
  env: Env,
  path: string,
  { check, onProgress = () => {} }: VerifyOptions,
): Promise<FileReport> {
  try {
    await requireFile(env, path);
    const file = await env.files.open(path, "read");
    try {
      onProgress({ step: "verify", what: "pages" });
      const breathe = (): Promise<void> => env.timers.breathe();
      const walk = await walkWhileWritten(file, path, { breathe });
      const base = await baseReport(file, path, walk);
      if (base.problems.length > 0) return base;
      return await withRows(env, base, check, (what) => onProgress({ step: "verify", what }));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw openFailure(path, error);
  }
}

async function requireFile(env: Env, path: string): Promise<void> {
  const stat = await env.files.stat(path);
  if (stat?.kind === "file") return;
  throw new DiskPathError(`${path} is not the file of a store`, {
    hint: "give the `path` with which the store was opened",
  });
}

/** What a file lacks whose pages are in order; that of something else is refused, and not damaged. */
async function lackingIn(
  file: FileHandle,
  path: string,
  walk: SettledWalk | undefined,
): Promise<readonly string[]> {
  if (walk === undefined || walk.problems.length > 0) return [];
  const missing = missingDatabases(walk.databases);
  const hasMeta = walk.databases.includes(metaName);
  if (walk.hasOthers || !(hasMeta || isMostOfAStore(missing))) throw foreignFile(path);
  if (missing.length === 0 || !hasMeta) return missing;
  // Other versions have other databases. Opening tells of those, and of files of something else.
  return (await hasLayout(file, walk.header)) ? missing : [];
}

async function hasLayout(file: FileHandle, header: FileHeader): Promise<boolean> {
  let found = false;
  await walkPages(file, header, await file.size(), {
    visit: (tree, key, value) => {
      found ||= tree === metaName && `${key}` === layoutKey && `${value}` === layoutText;
      return undefined;
    },
  });
  return found;
}

async function baseReport(
  file: FileHandle,
  path: string,
  walk: SettledWalk | undefined,
): Promise<FileReport> {
  const header = walk?.header ?? (await readHeader(file));
  if (header === undefined) throw notAStore(path);
  const found = [...(walk?.problems ?? [])];
  const what = await headerFault(file);
  if (what !== undefined) found.unshift({ offset: 0, bytes: 2 * header.pageBytes, what });
  for (const name of await lackingIn(file, path, walk)) {
    found.push({ offset: 0, bytes: 0, what: `there is no table ${name}` });
  }
  return {
    path,
    bytes: await file.size(),
    layout: undefined,
    transaction: header.transaction,
    pageBytes: header.pageBytes,
    pages: walk === undefined ? undefined : pagesOf(walk),
    tables: [],
    freeKeys: undefined,
    unfinishedCopy: undefined,
    problems: found.map((problem): FileProblem => ({ part: "pages", ...problem })),
  };
}

function pagesOf({ pagesUsed, pagesFree }: Walk): { used: number; free: number } {
  return { used: pagesUsed, free: pagesFree };
}

async function withRows(
  env: Env,
  base: FileReport,
  check: CheckRows,
  progress: (what: string) => void,
): Promise<FileReport> {
  const { path } = base;
  const open = await acquireFile(env, {
    path,
    readOnly: true,
    noSync: false,
    timeoutMs: 0,
    mapBytes: 0,
  });
  try {
    const rows = new SnapshotRows(open.root, open.access);
    try {
      const found = new TableInspection(rows);
      await found.run(check, (what) => {
        progress(what);
        return env.timers.breathe();
      });
      const { tables, freeKeys, problems } = found;
      const unfinishedCopy = copyNoteIn(rows);
      return { ...base, layout: layoutText, tables, freeKeys, unfinishedCopy, problems };
    } finally {
      rows.close();
    }
  } finally {
    await releaseFile(open);
  }
}

function copyNoteIn(rows: RowReader): string | undefined {
  for (const { key, value } of rows.each("counters", copyNoteName)) {
    if (key === copyNoteName && typeof value === "string") return value;
  }
  return undefined;
}
