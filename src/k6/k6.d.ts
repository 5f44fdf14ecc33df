// anykv for k6: types of `k6.js`.
//
//   import { openKv } from "./k6.js";
//   const kv = openKv({ url: "redis://127.0.0.1:6379" });

import type {
  AllocationStats,
  BackupOptions,
  BackupSummary,
  Batch,
  Claim,
  ClaimedKeys,
  ClaimPage,
  ClaimRef,
  CompleteOptions,
  CreateOptions,
  CsvValidation,
  DeleteByPrefixOptions,
  DeletedKeys,
  DeleteResult,
  Entry,
  ExportCsvOptions,
  ExportedFile,
  ExportJsonlOptions,
  GuardOptions,
  ImportCsvOptions,
  ImportedFile,
  ImportJsonlOptions,
  JsonlValidation,
  KeyPage,
  KvStats,
  LeaseOptions,
  ListOptions,
  MaybeEntry,
  MismatchOptions,
  OpenKvOptions,
  PrefixOptions,
  RestoreOptions,
  ScanOptions,
  ScanPage,
  SwapResult,
  ValidateCsvOptions,
  ValidateJsonlOptions,
  WaitOptions,
  WriteOptions,
} from "./k6-shapes.js";

export type * from "./k6-shapes.js";

/**
 * Opens the store of the test, or a further handle on it. Only in the init context, that is, at the
 * top of the script. Nothing is sent before the first operation.
 *
 * Throws InvalidOptionsError, InvalidBackendError, InvalidSerializationError, and
 * KVOptionsConflictError when the store was opened with other options before.
 */
export declare function openKv(options?: OpenKvOptions | null): KV;

/** A handle on the store. All methods but `filter` return promises, and reject with a `KvError`. */
export interface KV {
  /** Rejects with KeyNotFoundError when the key is missing; `find` resolves to undefined. */
  get<Value = unknown>(key: string): Promise<Value>;
  find<Value = unknown>(key: string): Promise<Value | undefined>;
  getMany<Value = unknown>(keys: readonly string[]): Promise<MaybeEntry<Value>[]>;
  /** Resolves to the value that was passed. */
  set<Value>(key: string, value: Value, options?: WriteOptions): Promise<Value>;
  /** All entries or none. */
  setMany(
    entries: Readonly<Record<string, unknown>>,
    options?: WriteOptions,
  ): Promise<{ written: number }>;
  delete(key: string, options?: GuardOptions): Promise<true>;
  deleteIfExists(key: string, options?: GuardOptions): Promise<boolean>;
  deleteMany(keys: readonly string[], options?: GuardOptions): Promise<DeletedKeys>;
  deleteByPrefix(options: DeleteByPrefixOptions): Promise<{ deleted: number; done: boolean }>;
  fetchRemove<Value = unknown>(key: string, options?: GuardOptions): Promise<Value | null>;
  exists(key: string): Promise<boolean>;
  clear(options?: GuardOptions): Promise<true>;
  size(): Promise<number>;
  count(options?: PrefixOptions): Promise<number>;

  /** Exact in 64 bits; resolves to the sum. */
  incrementBy(key: string, delta: number, options?: CreateOptions): Promise<number>;
  getOrSet<Value = unknown>(
    key: string,
    value: Value,
    options?: CreateOptions,
  ): Promise<{ value: Value; loaded: boolean }>;
  swap<Value = unknown>(
    key: string,
    value: Value,
    options?: WriteOptions,
  ): Promise<{ previous: Value | null; loaded: boolean }>;
  setIfAbsent(key: string, value: unknown, options?: CreateOptions): Promise<boolean>;
  /** null or undefined as the expected value: the key must be absent. */
  compareAndSwap(
    key: string,
    expected: unknown,
    value: unknown,
    options?: WriteOptions,
  ): Promise<boolean>;
  compareAndSwapDetailed(
    key: string,
    expected: unknown,
    value: unknown,
    options?: WriteOptions & MismatchOptions,
  ): Promise<SwapResult>;
  compareAndDelete(key: string, expected: unknown, options?: GuardOptions): Promise<boolean>;
  compareAndDeleteDetailed(
    key: string,
    expected: unknown,
    options?: GuardOptions & MismatchOptions,
  ): Promise<DeleteResult>;

  scan<Value = unknown>(options?: ScanOptions): Promise<ScanPage<Value>>;
  scanKeys(options?: ScanOptions): Promise<KeyPage>;
  list<Value = unknown>(options?: ListOptions): Promise<Entry<Value>[]>;
  listKeys(options?: ListOptions): Promise<string[]>;
  /** "" when there is none. */
  randomKey(options?: PrefixOptions): Promise<string>;
  randomKeys(
    options: PrefixOptions & { count: number; unique?: boolean | undefined },
  ): Promise<string[]>;

  claimRandom<Value = unknown>(
    options?: PrefixOptions & LeaseOptions,
  ): Promise<Claim<Value> | null>;
  claimRandomMany<Value = unknown>(
    options: PrefixOptions & LeaseOptions & { count: number },
  ): Promise<Claim<Value>[]>;
  claimKey<Value = unknown>(key: string, options?: LeaseOptions): Promise<Claim<Value> | null>;
  claimKeys<Value = unknown>(
    keys: readonly string[],
    options?: LeaseOptions & { allOrNothing?: boolean | undefined },
  ): Promise<ClaimedKeys<Value>>;
  /** Live claims by key, without their values. */
  listClaims(options?: ScanOptions): Promise<ClaimPage>;
  releaseClaim(claim: ClaimRef): Promise<boolean>;
  completeClaim(claim: ClaimRef, options?: CompleteOptions): Promise<boolean>;
  renewClaim(claim: ClaimRef, options: { ttl: number }): Promise<boolean>;
  releaseClaims(claims: readonly ClaimRef[]): Promise<Batch<"released">>;
  completeClaims(
    claims: readonly ClaimRef[],
    options?: CompleteOptions,
  ): Promise<Batch<"completed">>;
  renewClaims(claims: readonly ClaimRef[], options: { ttl: number }): Promise<Batch<"renewed">>;
  popRandom<Value = unknown>(options?: PrefixOptions & GuardOptions): Promise<Entry<Value> | null>;
  popRandomMany<Value = unknown>(
    options: PrefixOptions & GuardOptions & { count: number },
  ): Promise<Entry<Value>[]>;

  /** Arrays: queues and stacks beside the values. Both resolve to the new length. */
  append(key: string, value: unknown, options?: CreateOptions): Promise<number>;
  prepend(key: string, value: unknown, options?: CreateOptions): Promise<number>;
  /** The last element, or null. */
  pop<Value = unknown>(key: string, options?: GuardOptions): Promise<Value | null>;
  popFirst<Value = unknown>(key: string, options?: GuardOptions): Promise<Value | null>;
  /** Waits up to `timeout` milliseconds for an element; without one it waits without end. */
  popWait<Value = unknown>(key: string, options?: WaitOptions): Promise<Value | null>;
  popFirstWait<Value = unknown>(key: string, options?: WaitOptions): Promise<Value | null>;
  length(key: string): Promise<number>;
  range<Value = unknown>(key: string, start?: number, end?: number): Promise<Value[]>;
  deleteArray(key: string, options?: GuardOptions): Promise<boolean>;
  listArrays(options?: ListOptions): Promise<string[]>;

  expire(key: string, ttl: number, options?: GuardOptions): Promise<boolean>;
  /** Milliseconds left, null for ever, undefined when the key is missing. */
  ttl(key: string): Promise<number | null | undefined>;
  persist(key: string, options?: GuardOptions): Promise<boolean>;
  filter(bucket: string): Filter;

  rebuildKeyList(): Promise<true>;
  stats(): Promise<KvStats>;
  allocationStats(options?: PrefixOptions): Promise<AllocationStats>;
  /** Samples the gauges of the state: `xk6_kv_keys` and its siblings. */
  reportStats(): Promise<void>;

  /** Done by the server in its directory for files; a bare Valkey has none. So are the next seven. */
  backup(options?: BackupOptions): Promise<BackupSummary>;
  restore(options?: RestoreOptions): Promise<{ totalEntries: number }>;
  exportJSONL(options: ExportJsonlOptions): Promise<ExportedFile>;
  importJSONL(options: ImportJsonlOptions): Promise<ImportedFile>;
  validateJSONL(options: ValidateJsonlOptions): Promise<JsonlValidation>;
  exportCSV(options: ExportCsvOptions): Promise<ExportedFile>;
  importCSV(options: ImportCsvOptions): Promise<ImportedFile>;
  validateCSV(options: ValidateCsvOptions): Promise<CsvValidation>;

  /** This handle's operations reject with StoreClosedError from now on; others go on. */
  close(): Promise<void>;
}

/** A membership filter: an exact set of items. */
export interface Filter {
  contains(item: string): Promise<boolean>;
  add(item: string, options?: CreateOptions): Promise<boolean>;
  checkThenAdd(item: string, options?: CreateOptions): Promise<boolean>;
  delete(item: string, options?: GuardOptions): Promise<boolean>;
  size(): Promise<number>;
  clear(options?: GuardOptions): Promise<true>;
}
