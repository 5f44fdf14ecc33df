// The package lmdb, as far as this engine uses it: loaded when a store asks for it.
//
// lmdb is an optional dependency: it brings binaries for the common platforms, and whoever uses
// only the other backends can leave it out.

import { BackendUnavailableError } from "../../base/errors.js";

/** A read transaction that stays on its snapshot until it is done. */
export interface NativeReader {
  done(): void;
}

export interface RangeOptions {
  /** Inclusive; undefined: from the first key. Left out, lmdb begins behind some keys. */
  readonly start: string | Uint8Array | undefined;
  /** Exclusive; undefined: to the last key. */
  readonly end?: string | Uint8Array | undefined;
  readonly limit?: number;
  /** `start` itself is left out. */
  readonly exclusiveStart?: boolean;
  readonly offset?: number;
  readonly transaction?: NativeReader;
}

/** Writes a key at a position of a buffer and returns the position behind it. */
export interface KeyEncoder {
  writeKey(key: string | Uint8Array, target: Buffer, position: number): number;
  readKey(source: Buffer, start: number, end: number): string | Uint8Array;
}

/** One named database of the file. `Value` is what its encoding gives. */
export interface NativeTable<Key extends string | Uint8Array = string, Value = string> {
  getString(key: Key): string | undefined;
  getBinary(key: Key, options?: { transaction: NativeReader }): Buffer | undefined;
  /** As `getBinary`, into a buffer that the next call overwrites. */
  getBinaryFast(key: Key): Buffer | undefined;
  putSync(key: Key, value: string | Uint8Array, options?: { append?: boolean }): boolean;
  removeSync(key: Key): boolean;
  clearSync(): void;
  getKeys(options: RangeOptions): Iterable<Key>;
  getKeysCount(options: RangeOptions): number;
  getStats(): { readonly entryCount: number };
  getRange(options: RangeOptions): Iterable<{ key: Key; value: Value }>;
  close(): Promise<void>;
}

export interface NativeRoot extends NativeTable {
  readonly env: { readonly address: number };
  openDB(name: string, options: object): NativeTable | undefined;
  /**
   * Runs `callback` in a write transaction: inside another one at once, otherwise when the file is
   * free, and then resolves when it has been committed. What it throws aborts the transaction.
   */
  childTransaction<Result>(callback: () => Result): Result;
  /** Outside write transactions: queued, and part of the next one. */
  remove(key: string | Uint8Array): Promise<boolean>;
  useReadTransaction(): NativeReader;
  /** The next read outside a transaction sees what has been committed by then. */
  resetReadTxn(): void;
  getWriteTxnId(): number;
  /** Lets go of the snapshots of processes that are dead. */
  readerCheck(): number;
  /** A line for each reader: its process, its thread, and the number of its snapshot. */
  readerList(): string;
  backup(path: string, compact: boolean): Promise<void>;
}

/** An open environment; with `new` its root, once. Its prototype is that of all its tables. */
export interface NativeEnvironment {
  new (name: null, options: object): NativeRoot;
  readonly prototype: NativeRoot;
}

/** What tables are opened with, by lmdb itself. */
interface NativeOpening {
  /** Unknown to a table that is being opened. */
  readonly env: object | undefined;
  /** Runs `callback` in a write transaction; blocks the thread while others write. */
  transactionSync<Result>(callback: () => Result, flags?: number): Result;
  resetReadTxn(): void;
  /** Sees to it that there is a transaction to read in, if none is under way that writes. */
  ensureReadTxn(): void;
}

export interface LmdbModule {
  readonly nativeAddon: { getEnvFlags(environment: number): number };
  /** Opens a file that nobody else opens or writes to meanwhile; see `openNative`. */
  open(path: string, options: object): NativeRoot;
  /** Opens the environment of a file alone. */
  openAsClass(options: { readonly path: string }): NativeEnvironment;
}

/**
 * Opens the file of an environment and its root.
 *
 * `open` of lmdb does both, and leaves the environment open for nobody when the second step fails:
 * until the thread ends, every further attempt of the process would meet what is left of it.
 */
export async function openNative(
  lmdb: LmdbModule,
  options: { readonly path: string },
): Promise<NativeRoot> {
  const Root = lmdb.openAsClass({ ...options });
  openWithoutWaiting(Root.prototype as unknown as NativeOpening);
  try {
    return new Root(null, { ...options, isRoot: true });
  } catch (error) {
    const half: NativeRoot = Object.create(Root.prototype, { isRoot: { value: true } });
    await half.close();
    throw error;
  }
}

/**
 * Whoever opens a table that is in the file already, the root above all, reads only: lmdb would wait
 * for its turn to write, and keep the thread waiting, for as long as another process is stopped.
 *
 * Tables that are not there, or that this process opens for the first time, are opened in a write
 * transaction (first-turn.ts): LMDB numbers them without a lock, so two threads that did it at once
 * while they only read could be given one number for two tables.
 */
function openWithoutWaiting(tables: NativeOpening): void {
  const { transactionSync } = tables;
  tables.transactionSync = function (this: NativeOpening, callback, flags) {
    if (this.env !== undefined) return transactionSync.call(this, callback, flags) as never;
    this.resetReadTxn();
    this.ensureReadTxn();
    return callback();
  };
}

/** @throws BackendUnavailableError when the package, or its binary for this platform, is not there. */
export async function loadLmdb(): Promise<LmdbModule> {
  try {
    return (await import("lmdb")) as unknown as LmdbModule;
  } catch (cause) {
    throw new BackendUnavailableError(
      "the backends disk and shared need the package lmdb, which could not be loaded",
      {
        cause,
        hint: 'install it with `npm install lmdb`, or open with `backend: "wal"`, which needs nothing',
      },
    );
  }
}

const noSyncFlag = 0x10000;
const readOnlyFlag = 0x20000;

/** How the environment was opened by the first thread of the process that did. */
export function mannerOf(
  { nativeAddon }: LmdbModule,
  { env }: NativeRoot,
): { readOnly: boolean; noSync: boolean } {
  const flags = nativeAddon.getEnvFlags(env.address);
  return { readOnly: (flags & readOnlyFlag) !== 0, noSync: (flags & noSyncFlag) !== 0 };
}
