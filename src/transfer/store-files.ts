// Store files: what no export may replace, because a store would lose its data with it.
//
// A file is known by what it holds or by its place, so it does not matter whether its store is open,
// here, in another process, or not at all.

import { basename, dirname } from "node:path";
import { SnapshotExportError } from "../base/errors.js";
import { readHeader } from "../engines/lmdb/file-header.js";
import { fileHeaderBytes } from "../engines/wal/file-header.js";
import { numberInName, segmentHeader } from "../engines/wal/log-format.js";
import { stateHeader } from "../engines/wal/state-format.js";
import type { Env } from "../env/env.js";
import type { FileHandle, Files } from "../env/files.js";

const lockSuffix = "-lock";

/**
 * For targets that become text.
 * @throws SnapshotExportError when a store of whatever kind keeps something in the file.
 */
export async function refuseStoreFile(env: Env, target: string): Promise<void> {
  await refuseControlFile(env, target);
  if (await holds(env.files, target, isLmdb)) refuse(target, "the file of a disk store");
}

/**
 * For targets that become the file of a disk store: they may be one before.
 * @throws SnapshotExportError for files of wal stores, and for what lies beside that of a disk store.
 */
export async function refuseControlFile({ files }: Env, target: string): Promise<void> {
  if (await isPlacedInWal(files, target)) refuse(target, "a file of a wal store");
  if (await isLockOfDisk(files, target)) refuse(target, "the lock file of a disk store");
  if (await holds(files, target, isWal)) refuse(target, "a file of a wal store");
}

function refuse(target: string, what: string): never {
  throw new SnapshotExportError(`${target} is ${what}, which would lose its data`, {
    hint: "choose another `fileName`; remove the store first if it is not needed any more",
  });
}

/** Never opened: closing it again would take away what this process has locked in it. */
async function isLockOfDisk(files: Files, target: string): Promise<boolean> {
  if (!target.endsWith(lockSuffix)) return false;
  return holds(files, target.slice(0, -lockSuffix.length), isLmdb);
}

/** A damaged or empty file has no header, but still its place. */
async function isPlacedInWal(files: Files, target: string): Promise<boolean> {
  const [name, directory] = [basename(target), dirname(target)];
  if ((await files.stat(target)) === undefined) return false;
  if (name === "LOCK") return isDirectory(files, `${directory}/wal`);
  const above = basename(directory);
  const isLog = above === "wal" && numberInName(name, ".log") !== undefined;
  const state = name.endsWith(".tmp") ? name.slice(0, -".tmp".length) : name;
  const isState = above === "last_state" && numberInName(state, ".state") !== undefined;
  return isLog || isState;
}

async function isDirectory(files: Files, path: string): Promise<boolean> {
  return (await files.stat(path))?.kind === "directory";
}

async function holds(
  files: Files,
  path: string,
  isSo: (file: FileHandle) => Promise<boolean>,
): Promise<boolean> {
  const stat = await files.stat(path);
  if (stat?.kind !== "file" || stat.sizeBytes === 0) return false;
  const file = await files.open(path, "read");
  try {
    return await isSo(file);
  } finally {
    await file.close();
  }
}

async function isLmdb(file: FileHandle): Promise<boolean> {
  return (await readHeader(file)) !== undefined;
}

/** Also with a damaged header, and of any version. */
async function isWal(file: FileHandle): Promise<boolean> {
  const head = Buffer.alloc(fileHeaderBytes);
  const bytes = head.subarray(0, await file.read(head, 0, head.length, 0));
  return segmentHeader.begins(bytes) || stateHeader.begins(bytes);
}
