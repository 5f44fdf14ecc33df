// Check of a file before LMDB maps it: reading a mapped page that the file does not have ends the
// process.
//
// A file may be shorter than its header says, when its last pages are free and were never written.
// Then, and only then, every page that can be reached is looked at: O(pages in use), and rare.

import { DiskStoreOpenError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import type { FileHandle } from "../../env/files.js";
import { type FileHeader, notAStore, readHeader } from "./file-header.js";
import { type Walk, type WalkOptions, walkPages } from "./page-walker.js";

// Of a file to which others write so fast that no walk comes to its end in time.
const attemptsMax = 5;
// In which whoever makes a file has written its header: the first thing that is written.
const headerTurnsMax = 100;

export interface SettledWalk extends Walk {
  readonly header: FileHeader;
}

/**
 * Walks a file to which others may be writing. Pages of a state are not used anew before the second
 * state after it has been committed; if that happens during a walk, what it found means nothing.
 *
 * @returns undefined when every attempt was overtaken in this way
 * @throws DiskStoreOpenError when the file is not one of LMDB
 */
export async function walkWhileWritten(
  file: FileHandle,
  path: string,
  options: WalkOptions = {},
): Promise<SettledWalk | undefined> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const header = await readHeader(file);
    if (header === undefined) throw notAStore(path);
    const walk = await walkPages(file, header, await file.size(), options);
    const after = await readHeader(file);
    const isSettled = after !== undefined && after.transaction <= header.transaction + 1;
    if (walk.problems.length === 0 || isSettled) return { ...walk, header };
  }
  return undefined;
}

/**
 * Refuses a file that LMDB must not map.
 * @throws DiskStoreOpenError for a file of something else, and for one whose end is missing
 */
export async function checkFile(env: Env, path: string): Promise<void> {
  const file = await env.files.open(path, "read");
  try {
    const header = await settledHeader(env, file);
    if (header === undefined) throw notAStore(path);
    requireRoots(header, path);
    // Measured afterwards: others may be writing, and files only grow.
    const sizeBytes = await file.size();
    if (sizeBytes >= (header.lastPage + 1) * header.pageBytes) return;
    // Whoever writes that fast has every page of the file in use.
    const walk = await walkWhileWritten(file, path);
    if (walk !== undefined && walk.problems.length > 0) throw cutOff(path, sizeBytes, walk);
  } finally {
    await file.close();
  }
}

/** The header, also of a file that another process is just making. */
async function settledHeader(env: Env, file: FileHandle): Promise<FileHeader | undefined> {
  for (let turn = 0; turn < headerTurnsMax; turn++) {
    const header = await readHeader(file);
    if (header !== undefined) return header;
    await env.timers.breathe();
  }
  return undefined;
}

/**
 * Refuses a file with any damaged page: O(pages in use). For files that come from elsewhere, which
 * LMDB would have to believe.
 * @throws DiskStoreOpenError
 */
export async function checkEveryPage(env: Env, path: string): Promise<void> {
  const file = await env.files.open(path, "read");
  try {
    const walk = await walkWhileWritten(file, path);
    const [first] = walk?.problems ?? [];
    if (first === undefined) return;
    throw new DiskStoreOpenError(`${path} is damaged: ${first.what}`, { hint: adviceOn(path) });
  } finally {
    await file.close();
  }
}

function requireRoots({ free, main, lastPage }: FileHeader, path: string): void {
  for (const { root = lastPage } of [free, main]) {
    if (root <= lastPage) continue;
    throw new DiskStoreOpenError(`the header of ${path} is damaged`, { hint: adviceOn(path) });
  }
}

function cutOff(path: string, sizeBytes: number, { header, problems }: SettledWalk): Error {
  const expected = (header.lastPage + 1) * header.pageBytes;
  const [first] = problems;
  const message = `${path} has ${sizeBytes} bytes of ${expected}: ${first?.what}`;
  return new DiskStoreOpenError(message, { hint: adviceOn(path) });
}

function adviceOn(path: string): string {
  return `run \`anykv verify ${path}\` to see the damage, \`anykv repair ${path}\` to keep what can be read`;
}
