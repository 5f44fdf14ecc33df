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
import { checkFile } from "./check-file.js";
import { FileAccess } from "./file-access.js";
import { FileTables, MissingTable, openMeta } from "./file-tables.js";
import { Journal } from "./journal.js";
import { byteKeys } from "./key-format.js";
import { databasesMax, layoutKey, layoutText } from "./layout.js";
import { type LmdbModule, loadLmdb, type NativeRoot, type NativeTable } from "./lmdb-module.js";
import { LockWait } from "./lock-wait.js";
import { TransactionCounter } from "./transaction-counter.js";
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
      counter: new TransactionCounter(env, root, lockPathOf(path)),
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

/** Whether a store of this thread has the file open. */
export function isOpen(path: string): boolean {
  return openFiles.has(path);
}

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
    const root = openRoot(lmdb, options);
    try {
      return await openTables(env, root, options);
    } catch (error) {
      // It waits for a transaction that may be waiting itself.
      root.close().catch(() => {});
      throw error;
    }
  } catch (cause) {
    throw openFailure(options.path, cause);
  }
}

async function openTables(env: Env, root: NativeRoot, options: OpenFileOptions): Promise<OpenFile> {
  const { path, readOnly } = options;
  if (readOnly) {
    const meta = openMeta(root);
    checkLayout(meta, path);
    return new OpenFile(env, root, meta, options);
  }
  // All in one transaction: of several processes that come at once, one makes the tables and the
  // others find them.
  return inTransaction(env, root, options, () => {
    const meta = foundLayout(root, path);
    return new OpenFile(env, root, meta, options);
  });
}

async function inTransaction<Result>(
  env: Env,
  root: NativeRoot,
  { path, timeoutMs }: OpenFileOptions,
  body: () => Result,
): Promise<Result> {
  const counter = new TransactionCounter(env, root, lockPathOf(path));
  for (;;) {
    const done = await new Promise<{ result: Result } | undefined>((resolve, reject) => {
      const wait = new LockWait({ env, root, timeoutMs }, 0, () => reject(stuck(path, timeoutMs)));
      let inside: { result: Result } | undefined;
      const committed: unknown = root.childTransaction(() => {
        if (wait.begin() && !counter.isBehind()) inside = { result: body() };
      });
      Promise.resolve(committed).then(() => resolve(inside), reject);
    });
    if (done !== undefined) return done.result;
    await counter.mend();
  }
}

/** Looks at what stands under the path, and creates what is missing. */
async function preparePath(env: Env, { path, readOnly }: OpenFileOptions): Promise<void> {
  const stat = await env.files.stat(path);
  if (stat !== undefined && stat.kind !== "file") {
    throw new DiskPathError(`${path} is not a file, so it cannot hold a store`, {
      hint: "choose another `path`; the directory of a `wal` store is opened with that backend",
    });
  }
  // Where there is something else, LMDB ends the process. Nobody opens it here: closing it again
  // would take away what the other threads of this process have locked in it.
  const lock = await env.files.stat(lockPathOf(path));
  if (lock !== undefined && lock.kind !== "file") {
    throw new DiskPathError(`${lockPathOf(path)} is not a file, and is needed beside the store`, {
      hint: "remove it, or choose another `path`",
    });
  }
  if (stat !== undefined && stat.sizeBytes > 0) return checkFile(env, path);
  if (readOnly) {
    throw new DiskStoreOpenError(`there is no store at ${path} to be read`, {
      hint: "check `path`, or open the store once for writing so that it is created",
    });
  }
  await makeParent(env, path);
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

function openRoot(lmdb: LmdbModule, options: OpenFileOptions): NativeRoot {
  const { path, readOnly, noSync, mapBytes } = options;
  return lmdb.open(path, {
    noSubdir: true,
    readOnly,
    noSync,
    // A commit is on the disk when it is told: what lmdb calls flushed.
    overlappingSync: false,
    // Calls are grouped by the write queue. Groups of lmdb's own have a promise that nobody sees,
    // and that ends the process when it is rejected because the disk is full.
    eventTurnBatching: false,
    // New files belong to their owner alone.
    permissionsMode: 0o600,
    maxDbs: databasesMax,
    maxReaders: readersMax,
    encoding: "string",
    keyEncoder: byteKeys,
    ...(mapBytes === 0 ? {} : { mapSize: mapBytes }),
  });
}

/** The database `meta` of a file that may be new; a file of something else stays as it is. */
function foundLayout(root: NativeRoot, path: string): NativeTable {
  const names = Array.from(root.getKeys({ start: undefined }), String);
  if (names.length > 0 && !names.some((name) => name.includes("meta"))) throw foreignFile(path);
  const meta = openMeta(root);
  if (names.length === 0) meta.putSync(layoutKey, layoutText);
  checkLayout(meta, path);
  return meta;
}

export function foreignFile(path: string): DiskStoreOpenError {
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

export function openFailure(path: string, cause: unknown): KvError {
  if (isKvError(cause)) return cause;
  if (cause instanceof MissingTable) {
    return new BucketNotFoundError(`${path} has no data of a store: ${cause.message}`, {
      cause,
      hint: "check `path`, or open the store once for writing so that its tables are made",
    });
  }
  if (pathCodes.has((cause as NodeJS.ErrnoException | null)?.code)) {
    return new DiskPathError(`${path} cannot be used: ${messageOf(cause)}`, {
      cause,
      hint: "choose another `path`, or correct the links and names on the way to it",
    });
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

function stuck(path: string, timeoutMs: number): KvError {
  return new DiskStoreOpenError(
    `another process has been writing to ${path} for more than ${timeoutMs} ms`,
    { hint: "look for a process that is stopped, or raise `disk.timeout`; nothing was changed" },
  );
}

function lockedOut(path: string, timeoutMs: number): KvError {
  return new DiskStoreWriteError(
    `another process has been writing to ${path} for more than ${timeoutMs} ms`,
    { hint: "look for a process that is stopped, or raise `disk.timeout`; nothing was changed" },
  );
}
