// Salvage: the rows that can be reached in a file with damaged pages, in a new file in its place.
// See repair.ts for the order of the steps.

import { dirname } from "node:path";
import { DiskStoreOpenError, DiskStoreWriteError, isKvError } from "../../base/errors.js";
import type { KeyedRow } from "../../engine/row-reader.js";
import { type TableName, tableNames } from "../../engine/tables.js";
import type { Env } from "../../env/env.js";
import { notAStore, readHeader } from "./file-header.js";
import type { FileMending, FileProgress, FileReport } from "./file-report.js";
import type { FileTables } from "./file-tables.js";
import { lmdbDefaults } from "./lmdb-defaults.js";
import { lockPathOf } from "./lock-file.js";
import { acquireFile, type OpenFile, releaseFile } from "./open-file.js";
import { walkPages } from "./page-walker.js";
import { decodeRaw } from "./snapshot-rows.js";

const batchRows = 1_000;
const copyBytes = 1_048_576;

export interface SalvageOptions {
  readonly found: FileReport;
  readonly onProgress: (progress: FileProgress) => void;
  readonly mend: (
    path: string,
  ) => Promise<{ unreadableRows: number; mended: readonly FileMending[] }>;
}

export interface Salvaged {
  readonly kept: string;
  readonly unreadableRows: number;
  readonly mended: readonly FileMending[];
}

/** @throws DiskStoreWriteError when a file cannot be written: the old one is still in its place */
export async function replaceBySalvage(
  env: Env,
  path: string,
  { onProgress, mend }: SalvageOptions,
): Promise<Salvaged> {
  const fresh = `${path}.repaired`;
  const kept = `${path}.damaged-${timeText(env.clock.now())}`;
  try {
    // What an interrupted repair has left.
    await removeStore(env, fresh);
    onProgress({ step: "salvage", what: "pages" });
    const unreadable = await salvageRows(env, path, fresh);
    const { unreadableRows, mended } = await mend(fresh);
    onProgress({ step: "salvage", what: "copy" });
    await copyFile(env, path, kept);
    await syncFile(env, fresh);
    await env.files.rename(fresh, path);
    await env.files.syncDirectory(dirname(path));
    await removeStore(env, fresh);
    return { kept, unreadableRows: unreadable + unreadableRows, mended };
  } catch (cause) {
    await removeStore(env, fresh).catch(() => {});
    if (isKvError(cause)) throw cause;
    throw new DiskStoreWriteError(`the repaired file of ${path} cannot be written: ${cause}`, {
      cause,
      hint: "make room or mend the disk, then repair again: the damaged file is as it was",
    });
  }
}

function timeText(now: number): string {
  return new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

async function removeStore(env: Env, path: string): Promise<void> {
  for (const name of [path, lockPathOf(path)]) {
    if ((await env.files.stat(name)) !== undefined) await env.files.remove(name);
  }
}

interface TableRow extends KeyedRow {
  readonly table: TableName;
}

/** @returns how many rows were reached and could not be read */
async function salvageRows(env: Env, path: string, fresh: string): Promise<number> {
  const source = await env.files.open(path, "read");
  try {
    const header = await readHeader(source);
    if (header === undefined) throw notAStore(path);
    const target = await acquireFile(env, {
      ...lmdbDefaults,
      path: fresh,
      noSync: true,
      timeoutMs: 0,
    });
    try {
      const batch = new Batch(target);
      const { trees } = await walkPages(source, header, await source.size(), {
        visit: (table, key, value) => batch.add(table, key, value),
        breathe: () => env.timers.breathe(),
      });
      if (!trees.some(({ name }) => isTable(name))) throw nothingLeft(path);
      await batch.flush();
      return batch.unreadable;
    } finally {
      await releaseFile(target);
    }
  } finally {
    await source.close();
  }
}

function nothingLeft(path: string): DiskStoreOpenError {
  return new DiskStoreOpenError(`no table of a store can be found in ${path}`, {
    hint: "restore it from a backup; nothing in the file has been changed",
  });
}

class Batch {
  readonly #target: OpenFile;
  #rows: TableRow[] = [];
  unreadable = 0;

  constructor(target: OpenFile) {
    this.#target = target;
  }

  /** Key and value are the walker's: they are read here and now. */
  add(table: string, key: Buffer, value: Buffer): Promise<void> | undefined {
    if (!isTable(table)) return undefined;
    const row = decodeRaw(key, value);
    if (row === undefined) {
      this.unreadable++;
      return undefined;
    }
    const owned = typeof row.value === "string" ? row.value : Uint8Array.from(row.value);
    this.#rows.push({ ...row, table, value: owned });
    return this.#rows.length < batchRows ? undefined : this.flush();
  }

  async flush(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    await this.#target.writes.add((tables: FileTables) => {
      for (const { table, key, value, deadline } of rows) tables[table].put(key, value, deadline);
    }, undefined);
  }
}

function isTable(name: string): name is TableName {
  return (tableNames as readonly string[]).includes(name);
}

async function copyFile(env: Env, from: string, to: string): Promise<void> {
  const source = await env.files.open(from, "read");
  try {
    const target = await env.files.open(to, "create");
    try {
      const buffer = Buffer.alloc(copyBytes);
      for (let at = 0; ; ) {
        const length = await source.read(buffer, 0, buffer.length, at);
        if (length === 0) break;
        await target.write(buffer.subarray(0, length), at);
        at += length;
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function syncFile(env: Env, path: string): Promise<void> {
  const file = await env.files.open(path, "write");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
