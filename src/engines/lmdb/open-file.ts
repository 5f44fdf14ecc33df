// Open files: one per path and thread, however many stores use it.
//
// Two environments of one file in one thread would wait for each other for ever: a write
// transaction of one needs the thread, which waits in the other. So stores of the same path share
// an open file, and the last one to leave closes it.

import { DiskStoreOpenError, isKvError } from "../../base/errors.js";
import type { Env } from "../../env/env.js";
import { OutdatedState, requireCurrentReads } from "./current-state.js";
import { guardExit } from "./exit-guard.js";
import { FileAccess } from "./file-access.js";
import {
  deadLocksCode,
  lockedOut,
  openFailure,
  openLockedOut,
  replaced,
  stillWaiting,
  writeFailure,
} from "./file-errors.js";
import { FileTables } from "./file-tables.js";
import { FirstTurn } from "./first-turn.js";
import { Journal } from "./journal.js";
import { byteKeys } from "./key-format.js";
import { LastCommit } from "./last-commit.js";
import { databasesMax } from "./layout.js";
import { type LmdbModule, loadLmdb, mannerOf, type NativeRoot, openNative } from "./lmdb-module.js";
import { type LeaveLock, readersMax } from "./lock-file.js";
import { namedFile } from "./lock-token.js";
import { openLayout } from "./open-layout.js";
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

interface OpenTables {
  readonly journal: Journal;
  readonly access: FileAccess;
  readonly tables: FileTables;
}

interface OpenFileParts {
  readonly env: Env;
  readonly root: NativeRoot;
  readonly lastCommit: LastCommit;
  readonly opened: OpenTables;
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

  constructor({ env, root, lastCommit, opened, options, release, leaveLock }: OpenFileParts) {
    const { path, timeoutMs } = options;
    const { journal, access, tables } = opened;
    this.release = release;
    this.#leaveLock = leaveLock;
    this.#lastCommit = lastCommit;
    this.root = root;
    this.access = access;
    this.tables = tables;
    this.writes = new WriteQueue({
      root,
      lastCommit,
      access,
      tables,
      journal,
      env,
      timeoutMs,
      failure: (cause) => writeFailure(path, cause),
      lockedOut: () => lockedOut(path, timeoutMs),
      replaced: () => replaced(path),
    });
    this.#endGuard = guardExit(this.writes);
  }

  /** How many transactions have been committed to the file, by whomever. */
  commits(): number {
    return this.#lastCommit.read();
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
  /** Nobody has it (any more), but a transaction of it still waits for another process. */
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
      const isOurs = entry.options === options || entry.isStuck;
      if (isKvError(error) && !isOurs && !(await hasOpened(entry))) continue;
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
  const stayStuck = (ended: Promise<void>): void => keepStuck(key, entry, ended);
  const opening = openFile(env, options, { release, stayStuck });
  const entry: Entry = { options, opening, users: 0, closing: undefined, isStuck: false };
  openFiles.set(key, entry);
  return entry;
}

function keepStuck(key: string, entry: Entry, ended: Promise<void>): void {
  const forget = (): boolean => openFiles.delete(key);
  entry.isStuck = true;
  ended.then(forget, forget);
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
  entry.closing = entry.opening.then(
    async (file) => {
      const { ended } = await file.close();
      if (ended !== undefined) keepStuck(key, entry, ended);
    },
    () => {},
  );
  try {
    await entry.closing;
  } finally {
    if (!entry.isStuck) openFiles.delete(key);
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

interface EntryCalls {
  readonly release: () => Promise<void>;
  /** The opening has been given up; `ended`: when the file has been closed all the same. */
  readonly stayStuck: (ended: Promise<void>) => void;
}

async function openFile(
  env: Env,
  options: OpenFileOptions,
  { release, stayStuck }: EntryCalls,
): Promise<OpenFile> {
  const lmdb = await loadLmdb();
  try {
    const leaveLock = await preparePath(env, options);
    let stuck: Promise<void> | undefined;
    const openOnce = async (): Promise<OpenFile> => {
      const { root, lastCommit } = await openRoot(lmdb, options);
      const close = async (): Promise<void> => {
        lastCommit.close();
        await root.close();
      };
      const turn = firstTurn(env, { root, lastCommit }, options);
      try {
        refuseDifferent(mannerOf(lmdb, root), options);
        const opened = await openTables(env, { root, lastCommit }, options, turn);
        return new OpenFile({ env, root, lastCommit, opened, options, release, leaveLock });
      } catch (error) {
        stuck = turn.stuck?.then(close);
        if (stuck === undefined) await close();
        throw error;
      }
    };
    try {
      return await repeatWhilePassing(env, openOnce);
    } catch (error) {
      if (stuck === undefined) await leaveLock();
      else stayStuck(stuck.then(leaveLock));
      throw error;
    }
  } catch (cause) {
    throw openFailure(options.path, cause);
  }
}

interface OpenRoot {
  readonly root: NativeRoot;
  readonly lastCommit: LastCommit;
}

async function openRoot(lmdb: LmdbModule, options: OpenFileOptions): Promise<OpenRoot> {
  const before = await namedFile(options.path);
  const root = await openNative(lmdb, nativeOptions(options));
  let lastCommit: LastCommit | undefined;
  try {
    lastCommit = new LastCommit(options.path);
    // Whoever has read is among the users of the file (lock-users.ts): nobody replaces it from here
    // on, however long opening may take.
    root.getStats();
    // A backup may have taken the place of the file that has just been opened.
    const after = await namedFile(options.path);
    if (before?.ino !== after?.ino) throw new OutdatedState("another file has taken its place");
    return { root, lastCommit };
  } catch (error) {
    lastCommit?.close();
    await root.close();
    throw error;
  }
}

function firstTurn(env: Env, open: OpenRoot, { path, timeoutMs }: OpenFileOptions): FirstTurn {
  const lockedOut = () => openLockedOut(path, timeoutMs);
  return new FirstTurn({ env, ...open, timeoutMs, lockedOut });
}

// Whoever closes a file as its last user destroys the locks in the lock file, and who opens it at
// that very moment may get hold of them still (ITS#10095 of LMDB): then every transaction fails with
// EINVAL, the one in which the root is opened first of all. Locks are made anew by the first to open a
// file that nobody else has open.
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

async function openTables(
  env: Env,
  { root, lastCommit }: OpenRoot,
  { path, readOnly }: OpenFileOptions,
  turn: FirstTurn,
): Promise<OpenTables> {
  const open = (): OpenTables => {
    const meta = openLayout(root, path, readOnly);
    const journal = new Journal();
    const access = new FileAccess(root, env.clock);
    return { journal, access, tables: new FileTables(root, meta, access, journal, env) };
  };
  // In one transaction: of several who open a new file at once, none leaves half of it.
  if (!readOnly) return turn.run(open);
  requireCurrentReads(root, lastCommit);
  return open();
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
