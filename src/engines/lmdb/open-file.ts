// Open files: one per path and thread, however many stores use it.
//
// Two environments of one file in one thread would wait for each other for ever: a write
// transaction of one needs the thread, which waits in the other. So stores of the same path share
// an open file, and the last one to leave closes it.

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
import { guardExit } from "./exit-guard.js";
import { FileAccess } from "./file-access.js";
import { FileTables, MissingTable, openMeta } from "./file-tables.js";
import { Journal } from "./journal.js";
import { byteKeys } from "./key-format.js";
import { LastCommit } from "./last-commit.js";
import { databasesMax, layoutKey, layoutText } from "./layout.js";
import {
  type LmdbModule,
  loadLmdb,
  mannerOf,
  type NativeRoot,
  type NativeTable,
  openNative,
} from "./lmdb-module.js";
import { type LeaveLock, readersMax } from "./lock-file.js";
import { namedFile } from "./lock-token.js";
import { preparePath } from "./prepare-path.js";
import { realPathOf } from "./real-path.js";
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

interface OpenFileParts {
  readonly env: Env;
  readonly root: NativeRoot;
  readonly lastCommit: LastCommit;
  readonly meta: NativeTable;
  readonly options: OpenFileOptions;
  readonly release: () => Promise<void>;
  readonly leaveLock: LeaveLock;
}

export class OpenFile {
  readonly root: NativeRoot;
  readonly access: FileAccess;
  readonly tables: FileTables;
  readonly writes: WriteQueue;
  readonly release: () => Promise<void>;
  readonly #endGuard: () => void;
  readonly #leaveLock: LeaveLock;
  readonly #lastCommit: LastCommit;

  constructor({ env, root, lastCommit, meta, options, release, leaveLock }: OpenFileParts) {
    const { path, timeoutMs } = options;
    const journal = new Journal();
    this.release = release;
    this.#leaveLock = leaveLock;
    this.#lastCommit = lastCommit;
    this.root = root;
    this.access = new FileAccess(root, env.clock);
    this.tables = new FileTables(root, meta, this.access, journal, env);
    this.writes = new WriteQueue({
      root,
      lastCommit,
      access: this.access,
      tables: this.tables,
      journal,
      env,
      timeoutMs,
      failure: (cause) => writeFailure(path, cause),
      lockedOut: () => lockedOut(path, timeoutMs),
    });
    this.#endGuard = guardExit(this.writes);
  }

  /** Whether closing has come to its end; otherwise it waits for another writer of the file. */
  async close(): Promise<{ readonly ended: Promise<void> | undefined }> {
    if (await this.writes.drained()) {
      await this.#release();
      return { ended: undefined };
    }
    return { ended: this.writes.ended().then(() => this.#release()) };
  }

  async #release(): Promise<void> {
    this.#endGuard();
    this.access.dropSnapshot();
    await this.root.close();
    this.#lastCommit.close();
    await this.#leaveLock();
  }
}

interface Entry {
  /** Those of whoever was the first to ask for it. */
  readonly options: OpenFileOptions;
  readonly opening: Promise<OpenFile>;
  /** Those who have it, or wait for its opening. */
  users: number;
  closing: Promise<void> | undefined;
  /** Nobody has it any more, but a transaction of it still waits for another process. */
  isStuck: boolean;
}

// By the real path (see real-path.ts).
const openFiles = new Map<string, Entry>();

/** Whether a store of this thread has the file open. */
export async function isOpen(path: string): Promise<boolean> {
  return openFiles.has(await realPathOf(path));
}

/** The open file of a path, for one more user. */
export async function acquireFile(env: Env, asked: OpenFileOptions): Promise<OpenFile> {
  const key = await realPathOf(asked.path);
  const options = { ...asked, path: key };
  for (;;) {
    const entry = openFiles.get(key) ?? enterFile(key, env, options);
    if (entry.isStuck) throw stillWaiting(key);
    if (entry.closing !== undefined) {
      await entry.closing;
      continue;
    }
    // From here on nobody closes it, whoever else leaves meanwhile.
    entry.users++;
    try {
      const file = await entry.opening;
      refuseDifferent(entry.options, options);
      return file;
    } catch (error) {
      await leave(key, entry);
      // What could not be opened as another one wanted it may still be opened as this one does.
      if (isKvError(error) && entry.options !== options && !(await hasOpened(entry))) continue;
      throw error;
    }
  }
}

/** Gives a file back for one user; the last one closes it. */
export function releaseFile(file: OpenFile): Promise<void> {
  return file.release();
}

function enterFile(key: string, env: Env, options: OpenFileOptions): Entry {
  const release = (): Promise<void> => leave(key, entry);
  const opening = openFile(env, options, release);
  const entry: Entry = { options, opening, users: 0, closing: undefined, isStuck: false };
  openFiles.set(key, entry);
  return entry;
}

function hasOpened({ opening }: Entry): Promise<boolean> {
  return opening.then(
    () => true,
    () => false,
  );
}

/** The last user closes the file; whoever asks for it meanwhile waits, and then opens it anew. */
async function leave(key: string, entry: Entry): Promise<void> {
  if (--entry.users > 0) return;
  const forget = (): boolean => openFiles.delete(key);
  entry.closing = entry.opening.then(
    async (file) => {
      const { ended } = await file.close();
      if (ended === undefined) return;
      entry.isStuck = true;
      ended.then(forget, forget);
    },
    () => {},
  );
  try {
    await entry.closing;
  } finally {
    if (!entry.isStuck) forget();
  }
}

type Manner = Pick<OpenFileOptions, "readOnly" | "noSync">;

// All threads of a process share what LMDB has open; the first one decides how.
function refuseDifferent(open: Manner, asked: OpenFileOptions): void {
  if (asked.readOnly || (!open.readOnly && open.noSync === asked.noSync)) return;
  throw new DiskStoreOpenError(
    `${asked.path} is open in this process with other options: ` +
      `readOnly=${open.readOnly}, noSync=${open.noSync}`,
    { hint: "open it with the same options, or close the other store first" },
  );
}

async function openFile(
  env: Env,
  options: OpenFileOptions,
  release: () => Promise<void>,
): Promise<OpenFile> {
  const lmdb = await loadLmdb();
  try {
    const leaveLock = await preparePath(env, options);
    const openOnce = async (): Promise<OpenFile> => {
      const before = await namedFile(options.path);
      const root = await openNative(lmdb, nativeOptions(options));
      let lastCommit: LastCommit | undefined;
      try {
        lastCommit = new LastCommit(options.path);
        // A backup may have taken the place of the file that has just been opened.
        const after = await namedFile(options.path);
        if (before?.ino !== after?.ino) throw new OutdatedState("another file has taken its place");
        return openTables({ env, root, lastCommit, options, release, leaveLock }, lmdb);
      } catch (error) {
        lastCommit?.close();
        await root.close();
        throw error;
      }
    };
    try {
      return await repeatWhilePassing(env, openOnce);
    } catch (error) {
      await leaveLock();
      throw error;
    }
  } catch (cause) {
    throw openFailure(options.path, cause);
  }
}

// Whoever closes a file as its last user destroys the locks in the lock file, and who opens it at
// that very moment may get hold of them still (ITS#10095 of LMDB): then every transaction fails with
// EINVAL. Locks are made anew by the first to open a file that nobody else has open. The same error
// comes, and stays, where another thread of the process has opened the file for reading only.
const deadLocksCode = 22;
const attemptsMax = 50;
const pauseTurnsMax = 500;

async function repeatWhilePassing(env: Env, openOnce: () => Promise<OpenFile>): Promise<OpenFile> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await openOnce();
    } catch (error) {
      const { code } = error as { code?: unknown };
      const isPassing = code === deadLocksCode || error instanceof OutdatedState;
      if (!isPassing || attempt === attemptsMax) throw error;
    }
    // Not at the same pace as others who are after the same file. What is waited for is work of
    // other processes: turns of the event loop pass with it, the clock of a test does not.
    for (let turns = env.random.below(pauseTurnsMax); turns >= 0; turns--) {
      await env.timers.breathe();
    }
  }
}

function openTables(parts: Omit<OpenFileParts, "meta">, lmdb: LmdbModule): OpenFile {
  const { root, lastCommit, options } = parts;
  const { path, readOnly } = options;
  refuseDifferent(mannerOf(lmdb, root), options);
  const open = (): OpenFile => {
    const meta = readOnly ? openMeta(root) : foundLayout(root, path);
    checkLayout(meta, path);
    return new OpenFile({ ...parts, meta });
  };
  if (readOnly) {
    requireCurrentReads(root, lastCommit);
    return open();
  }
  // In one transaction: of several who open a new file at once, none leaves half of it.
  return root.transactionSync(() => {
    if (!buildsOnLastCommit(root.getWriteTxnId(), lastCommit)) throw new OutdatedState();
    return open();
  });
}

function nativeOptions({ path, readOnly, noSync, mapBytes }: OpenFileOptions) {
  return {
    path,
    noSubdir: true,
    readOnly,
    noSync,
    // A commit is on the disk when it is told: what lmdb calls flushed.
    overlappingSync: false,
    // Calls are grouped by the write queue. Groups of lmdb's own have a promise that nobody sees,
    // and that ends the process when it is rejected because the disk is full.
    eventTurnBatching: false,
    // What is queued behind a transaction comes behind it: see invariant 6 of the write queue.
    strictAsyncOrder: true,
    // New files belong to their owner alone.
    permissionsMode: 0o600,
    maxDbs: databasesMax,
    maxReaders: readersMax,
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

/** ENOSPC, as lmdb tells it. */
const noSpaceCode = 28;
const pathCodes: ReadonlySet<unknown> = new Set(["ELOOP", "ENOTDIR", "ENAMETOOLONG", "EISDIR"]);

export function openFailure(path: string, cause: unknown): KvError {
  if (isKvError(cause)) return cause;
  if ((cause as { code?: unknown } | null)?.code === deadLocksCode) {
    return new DiskStoreOpenError(`${path} cannot be opened for writing: ${messageOf(cause)}`, {
      cause,
      hint: "if another thread of this process has it open with readOnly, close it there first",
    });
  }
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
  const isFull = (cause as { code?: unknown } | null)?.code === noSpaceCode;
  return new DiskStoreWriteError(`writing to ${path} has failed: ${messageOf(cause)}`, {
    cause,
    hint: `reads go on; ${isFull ? "make room on the disk" : "look at the disk"}, then open the store again`,
  });
}

// A second environment of this thread would wait for the first, and the first for this thread.
function stillWaiting(path: string): KvError {
  return new DiskStoreOpenError(
    `${path} was closed here while another process was writing to it, and still is`,
    { hint: "look for a process that is stopped" },
  );
}

function lockedOut(path: string, timeoutMs: number): KvError {
  return new DiskStoreWriteError(
    `another process has been writing to ${path} for more than ${timeoutMs} ms`,
    { hint: "look for a process that is stopped, or raise `disk.timeout`; nothing was changed" },
  );
}
