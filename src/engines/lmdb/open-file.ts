// Open files: one per path and thread, however many stores use it.
//
// Two environments of one file in one thread would wait for each other for ever: a write
// transaction of one needs the thread, which waits in the other. So stores of the same path share
// an open file, and the last one to leave closes it.

import { dirname } from "node:path";
import {
  BucketNotFoundError,
  DiskPathError,
  DiskStoreOpenError,
  DiskStoreWriteError,
  isKvError,
  type KvError,
} from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import { buildsOnLastCommit, OutdatedState, requireCurrentReads } from "./current-state.js";
import { FileAccess } from "./file-access.js";
import { checkHeader } from "./file-header.js";
import { FileTables, MissingTable, openMeta } from "./file-tables.js";
import { Journal } from "./journal.js";
import { byteKeys } from "./key-format.js";
import { databasesMax, layoutKey, layoutText } from "./layout.js";
import {
  type LmdbModule,
  loadLmdb,
  type NativeRoot,
  type NativeTable,
  openNative,
} from "./lmdb-module.js";
import { WriteQueue } from "./write-queue.js";

export interface OpenFileOptions {
  readonly path: string;
  readonly readOnly: boolean;
  /** Writes are told before they are on the disk. */
  readonly noSync: boolean;
  /** How long to wait for other writers of the file; 0: without end. */
  readonly timeoutMs: number;
  /** Room that the file is given in the address space from the start; 0: as needed. */
  readonly mapBytes: number;
}

// Threads and processes that read at the same time; the first one to open a file decides.
const readersMax = 1_024;

export class OpenFile {
  readonly root: NativeRoot;
  readonly access: FileAccess;
  readonly tables: FileTables;
  readonly writes: WriteQueue;
  readonly options: OpenFileOptions;
  users = 0;

  constructor(env: Env, root: NativeRoot, meta: NativeTable, options: OpenFileOptions) {
    const { path, timeoutMs } = options;
    const journal = new Journal();
    this.options = options;
    this.root = root;
    this.access = new FileAccess(root);
    this.tables = new FileTables(root, meta, this.access, journal, env);
    this.writes = new WriteQueue({
      root,
      access: this.access,
      tables: this.tables,
      journal,
      env,
      timeoutMs,
      failure: (cause) => writeFailure(path, cause),
      lockedOut: () => lockedOut(path, timeoutMs),
    });
  }

  async close(): Promise<void> {
    await this.writes.drained();
    this.access.dropSnapshot();
    await this.root.close();
  }
}

const openFiles = new Map<string, Promise<OpenFile>>();

/** The open file of a path, for one more user. */
export async function acquireFile(env: Env, options: OpenFileOptions): Promise<OpenFile> {
  const { path } = options;
  let opening = openFiles.get(path);
  if (opening === undefined) {
    opening = openFile(env, options);
    openFiles.set(path, opening);
    opening.catch(() => openFiles.delete(path));
  }
  const file = await opening;
  refuseDifferent(file.options, options);
  file.users++;
  return file;
}

/** Leaves a file; the last user closes it. */
export async function releaseFile(file: OpenFile): Promise<void> {
  if (--file.users > 0) return;
  const { path } = file.options;
  const closing = file.close();
  // Whoever asks for the path meanwhile waits, and then opens it anew.
  const reopening = closing.then(() => Promise.reject(new Error("closed")));
  reopening.catch(() => {});
  openFiles.delete(path);
  await closing;
}

// A file that is only read cannot be written to by another store of the same thread.
function refuseDifferent(open: OpenFileOptions, asked: OpenFileOptions): void {
  if (asked.readOnly || (!open.readOnly && open.noSync === asked.noSync)) return;
  throw new DiskStoreOpenError(
    `${asked.path} is open in this thread with other options: ` +
      `readOnly=${open.readOnly}, noSync=${open.noSync}`,
    { hint: "open it with the same options, or close the other store first" },
  );
}

async function openFile(env: Env, options: OpenFileOptions): Promise<OpenFile> {
  const lmdb = await loadLmdb();
  try {
    await preparePath(env, options);
    return await openWhenPossible(env, lmdb, options);
  } catch (cause) {
    throw openFailure(options.path, cause);
  }
}

// Whoever closes a file as its last user destroys the locks in the lock file, and who opens it at
// that very moment may get hold of them still (ITS#10095 of LMDB): then every transaction fails with
// EINVAL. Locks are made anew by the first to open a file that nobody else has open.
const deadLocksCode = 22;
const attemptsMax = 200;
const pauseMsMax = 20;

async function openWhenPossible(
  env: Env,
  lmdb: LmdbModule,
  options: OpenFileOptions,
): Promise<OpenFile> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await openOnce(env, lmdb, options);
    } catch (error) {
      const { code } = error as { code?: unknown };
      const isPassing = code === deadLocksCode || error instanceof OutdatedState;
      if (!isPassing || attempt === attemptsMax) throw error;
    }
    // Not at the same pace as others who are after the same file.
    const pauseMs = env.random.below(pauseMsMax) + 1;
    await new Promise<void>((resolve) => env.timers.after(pauseMs, resolve, true));
  }
}

async function openOnce(env: Env, lmdb: LmdbModule, options: OpenFileOptions): Promise<OpenFile> {
  const { path, readOnly } = options;
  const root = await openNative(lmdb, nativeOptions(options));
  const openTables = (): OpenFile => {
    const meta = readOnly ? openMeta(root) : foundLayout(root, path);
    checkLayout(meta, path);
    return new OpenFile(env, root, meta, options);
  };
  try {
    if (!readOnly) return inFirstTransaction(root, openTables);
    requireCurrentReads(root);
    return openTables();
  } catch (error) {
    await root.close();
    throw error;
  }
}

/** Of several who open a new file at once, or are killed meanwhile, none leaves half of it. */
function inFirstTransaction(root: NativeRoot, openTables: () => OpenFile): OpenFile {
  return root.transactionSync(() => {
    if (!buildsOnLastCommit(root)) throw new OutdatedState();
    return openTables();
  });
}

/** Looks at what stands under the path, and creates what is missing. */
async function preparePath(env: Env, { path, readOnly }: OpenFileOptions): Promise<void> {
  const stat = await env.files.stat(path);
  if (stat !== undefined && stat.kind !== "file") {
    throw new DiskPathError(`${path} is not a file, so it cannot hold a store`, {
      hint: "choose another `path`; the directory of a `wal` store is opened with that backend",
    });
  }
  if (stat !== undefined && stat.sizeBytes > 0) return checkHeader(env, path);
  if (readOnly) {
    throw new DiskStoreOpenError(`there is no store at ${path} to be read`, {
      hint: "check `path`, or open the store once for writing so that it is created",
    });
  }
  await makeParent(env, path);
  // The lock file is made by LMDB. Nobody else may ever open it in this process: closing it again
  // would take away the locks that the process has on it.
  const handle = await env.files.open(path, "write");
  await handle.close();
  await env.files.syncDirectory(dirname(path));
}

async function makeParent(env: Env, path: string): Promise<void> {
  try {
    await env.files.makeDirectory(dirname(path));
  } catch (cause) {
    throw new DiskPathError(`the directory of ${path} cannot be created: ${messageOf(cause)}`, {
      cause,
      hint: "choose another `path`, or give the process the right to create and write it",
    });
  }
}

/** The file in which LMDB keeps who reads and who writes. */
export function lockPathOf(path: string): string {
  return `${path}-lock`;
}

function nativeOptions({ path, readOnly, noSync, mapBytes }: OpenFileOptions) {
  return {
    path,
    noSubdir: true,
    readOnly,
    noSync,
    // A commit is on the disk when it is told: what lmdb calls flushed.
    overlappingSync: false,
    maxDbs: databasesMax,
    maxReaders: readersMax,
    // Files belong to their owner alone.
    permissionsMode: 0o600,
    encoding: "string",
    keyEncoder: byteKeys,
    ...(mapBytes === 0 ? {} : { mapSize: mapBytes }),
  };
}

/** The database `meta` of a file that may be new; a file of something else stays as it is. */
function foundLayout(root: NativeRoot, path: string): NativeTable {
  const names = Array.from(root.getKeys({ start: undefined }), String);
  const isNew = names.length === 0;
  if (!isNew && !names.some((name) => name.includes("meta"))) throw foreignFile(path);
  const meta = openMeta(root);
  if (isNew) meta.putSync(layoutKey, layoutText);
  return meta;
}

function foreignFile(path: string): DiskStoreOpenError {
  return new DiskStoreOpenError(`${path} is an LMDB file of something else`, {
    hint: "choose another `path`; nothing in the file has been changed",
  });
}

function checkLayout(meta: NativeTable, path: string): void {
  const found = meta.getString(layoutKey);
  if (found === layoutText) return;
  if (found === undefined) throw foreignFile(path);
  throw new DiskStoreOpenError(`${path} has the layout "${found}", this is "${layoutText}"`, {
    hint: "open it with the version of anykv that wrote it",
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

const pathCodes: ReadonlySet<unknown> = new Set(["ELOOP", "ENOTDIR", "ENAMETOOLONG", "EISDIR"]);

function openFailure(path: string, cause: unknown): KvError {
  if (isKvError(cause)) return cause;
  if (cause instanceof MissingTable) {
    return new BucketNotFoundError(`${path} has no data of a store: ${cause.message}`, { cause });
  }
  if (pathCodes.has((cause as NodeJS.ErrnoException | null)?.code)) {
    return new DiskPathError(`${path} cannot be used: ${messageOf(cause)}`, { cause });
  }
  return new DiskStoreOpenError(`${path} cannot be opened: ${messageOf(cause)}`, {
    cause,
    hint: "check the rights of the file and its directory, and room on the disk",
  });
}

function writeFailure(path: string, cause: unknown): KvError {
  if (isKvError(cause)) return cause;
  return new DiskStoreWriteError(`writing to ${path} has failed: ${messageOf(cause)}`, {
    cause,
    hint: "reads go on; make room on the disk if it is full, then open the store again",
  });
}

function lockedOut(path: string, timeoutMs: number): KvError {
  return new DiskStoreWriteError(
    `another process has been writing to ${path} for more than ${timeoutMs} ms`,
    { hint: "look for a process that is stopped, or raise `disk.timeout`; nothing was changed" },
  );
}
