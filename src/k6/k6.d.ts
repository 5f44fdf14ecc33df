// anykv for k6: types of `k6.js`, complete in this file, so that both can be copied beside a script.
//
//   import { openKv } from "./k6.js";
//   const kv = openKv({ url: "redis://127.0.0.1:6379" });

/**
 * Opens the store of the test, or a further handle on it. Only in the init context, that is, at the
 * top of the script. Nothing is sent before the first operation.
 *
 * Throws InvalidOptionsError, InvalidBackendError, InvalidSerializationError, and
 * KVOptionsConflictError when the store was opened with other options before.
 */
export declare function openKv(options?: OpenKvOptions | null): KV;

export interface OpenKvOptions {
  /**
   * Where the store lives: `redis://[user:password@]host[:port][/database]` (`rediss://` with TLS,
   * `unix:///path`) for Valkey, Redis from 7.0 on or `anykv serve`; `http://host:port` for the HTTP door
   * of `anykv serve`. Default: `ANYKV_URL` of the environment.
   */
  url?: string | undefined;
  /** The URL decides; given, it has to agree. */
  transport?: "redis" | "http" | undefined;
  /** Bearer token of the HTTP door. Default: `ANYKV_TOKEN` of the environment. */
  token?: string | undefined;
  /** A store of its own on the server, with options of its own. */
  name?: string | undefined;
  /** How the keys of all stores on the server begin; default "anykv". */
  prefix?: string | undefined;
  /** Over how many slots the store is spread; default 1. Fixed by whoever creates the store. */
  partitions?: number | undefined;
  /** How long an answer may take: ms or text like "500ms"; 0: without end; default 10 s. */
  commandTimeout?: number | string | undefined;
  /** What the metrics are tagged with; the store is the server's in any case. Default "disk". */
  backend?: "memory" | "disk" | "wal" | "shared" | "valkey" | undefined;
  /** Checked and compared; there is no file. */
  path?: string | undefined;
  /** Default "json". */
  serialization?: "json" | "string" | undefined;
  /** Whether `stats()` tells of the key index, which the server keeps in any case. */
  trackKeys?: boolean | undefined;
  /** Checked and compared, without effect. */
  memory?: { shardCount?: number | undefined } | undefined;
  disk?: DiskOptions | undefined;
  metrics?: MetricsOptions | undefined;
}

/** Checked and compared, without effect; only `readOnly` holds. */
export interface DiskOptions {
  timeout?: number | string | undefined;
  noSync?: boolean | undefined;
  noGrowSync?: boolean | undefined;
  noFreelistSync?: boolean | undefined;
  preLoadFreelist?: boolean | undefined;
  freelistType?: "" | "array" | "map" | undefined;
  /** Operations that write reject with StoreReadOnlyError. */
  readOnly?: boolean | undefined;
  initialMmapSize?: number | string | undefined;
  mlock?: boolean | undefined;
}

export interface MetricsOptions {
  /** Sample every operation as `xk6_kv_operations_total` and its siblings. Default false. */
  operations?: boolean | undefined;
}

/** What operations reject with: dispatch by `name`. */
export interface KvError extends Error {
  readonly name: string;
  readonly code: string;
  readonly key?: string;
  readonly hint?: string;
  /** Of `setMany`: what is wrong with which entry. */
  readonly errors?: readonly {
    readonly key?: string;
    readonly name: string;
    readonly message: string;
  }[];
}

export interface Entry<Value = unknown> {
  key: string;
  value: Value;
}

export interface MaybeEntry<Value = unknown> {
  key: string;
  exists: boolean;
  /** null when the key is missing. */
  value: Value | null;
}

export interface PrefixOptions {
  prefix?: string | undefined;
}

export interface ListOptions extends PrefixOptions {
  /** 0, negative or absent: all. */
  limit?: number | undefined;
}

export interface ScanOptions extends ListOptions {
  /** Of the page before; "" or absent: from the start. */
  cursor?: string | undefined;
}

export interface ScanPage<Value = unknown> {
  entries: Entry<Value>[];
  /** "" on the last page. */
  cursor: string;
  done: boolean;
}

export interface KeyPage {
  keys: string[];
  /** "" on the last page. */
  cursor: string;
  done: boolean;
}

export interface ClaimRef {
  id: string;
  key: string;
  token: number;
}

export interface Claim<Value = unknown> extends ClaimRef {
  /** Unix milliseconds. */
  expiresAt: number;
  entry: Entry<Value>;
  owner?: string;
}

export interface ClaimedKeys<Value = unknown> {
  claimed: Claim<Value>[];
  busy: string[];
  missing: string[];
}

export interface LeaseOptions {
  /** At most 256 bytes of UTF-8. */
  owner?: string | undefined;
  /** Milliseconds, up to 86,400,000; default 30,000. */
  ttl?: number | undefined;
}

export interface FailedClaim {
  index: number;
  id: string;
  key: string;
  name: "ClaimNotUpdated";
  message: string;
}

/** The write is carried out only while the claim is held, else it rejects with StaleClaimError. */
export interface GuardOptions {
  claim?: ClaimRef | undefined;
}

export interface CreateOptions extends GuardOptions {
  /** Milliseconds until the key vanishes. */
  ttl?: number | undefined;
}

export interface WriteOptions extends CreateOptions {
  /** Leave the expiry of the key as it is. */
  keepTtl?: boolean | undefined;
}

export interface MismatchOptions {
  includeCurrentOnMismatch?: boolean | undefined;
}

export type SwapResult<Value = unknown> =
  | { swapped: true; reason: "swapped" }
  | { swapped: false; reason: "mismatch"; existed: boolean; current?: Value };

export type DeleteResult<Value = unknown> =
  | { deleted: true; reason: "deleted" }
  | { deleted: false; reason: "mismatch"; existed: boolean; current?: Value };

export interface KvStats {
  /** "valkey": what carries the store. */
  backend: string;
  serialization: string;
  trackKeys: boolean;
  count: number;
  claims: { live: number; expired: number };
  index: {
    enabled: true;
    keysList: number;
    keysMap: number;
    ost: number;
    consistent: boolean;
  } | null;
  disk: { path: string; sizeBytes: number; readOnly: boolean } | null;
}

export interface AllocationStats {
  prefix: string;
  total: number;
  claimable: number;
  claimedLive: number;
  claimedExpired: number;
  backend: string;
  trackKeys: boolean;
}

/** A name in the server's directory for files. */
interface FileOptions {
  fileName: string;
  limit?: number | undefined;
}

export interface ExportJsonlOptions extends FileOptions, PrefixOptions {}

export interface ValidateJsonlOptions extends FileOptions {
  keyPrefix?: string | undefined;
}

export interface ImportJsonlOptions extends ValidateJsonlOptions {
  batchSize?: number | undefined;
}

export interface ExportCsvOptions extends FileOptions, PrefixOptions {
  columns: readonly string[];
  delimiter?: string | undefined;
  includeKey?: boolean | undefined;
}

export interface ValidateCsvOptions extends FileOptions {
  keyColumn?: string | undefined;
  delimiter?: string | undefined;
  hasHeader?: boolean | undefined;
  keyPrefix?: string | undefined;
}

export interface ImportCsvOptions extends ValidateCsvOptions {
  keyColumn: string;
  batchSize?: number | undefined;
}

export interface ExportedFile {
  exported: number;
  fileName: string;
  bytesWritten: number;
}

export interface ImportedFile {
  imported: number;
  fileName: string;
  bytesRead: number;
}

interface Validation {
  valid: boolean;
  bytesRead: number;
  checkedAll: boolean;
}

export interface JsonlValidation extends Validation {
  records: number;
  firstError?: { line: number; name: string; message: string };
}

export interface CsvValidation extends Validation {
  rows: number;
  firstError?: { row: number; name: string; message: string };
}

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
  deleteMany(
    keys: readonly string[],
    options?: GuardOptions,
  ): Promise<{ deleted: number; missing: number }>;
  deleteByPrefix(
    options: { prefix: string; limit: number } & GuardOptions,
  ): Promise<{ deleted: number; done: boolean }>;
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
  compareAndSwapDetailed<Value = unknown>(
    key: string,
    expected: unknown,
    value: unknown,
    options?: WriteOptions & MismatchOptions,
  ): Promise<SwapResult<Value>>;
  compareAndDelete(key: string, expected: unknown, options?: GuardOptions): Promise<boolean>;
  compareAndDeleteDetailed<Value = unknown>(
    key: string,
    expected: unknown,
    options?: GuardOptions & MismatchOptions,
  ): Promise<DeleteResult<Value>>;

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
  releaseClaim(claim: ClaimRef): Promise<boolean>;
  completeClaim(claim: ClaimRef, options?: { deleteKey?: boolean | undefined }): Promise<boolean>;
  renewClaim(claim: ClaimRef, options: { ttl: number }): Promise<boolean>;
  releaseClaims(
    claims: readonly ClaimRef[],
  ): Promise<{ attempted: number; released: number; failed: FailedClaim[] }>;
  completeClaims(
    claims: readonly ClaimRef[],
    options?: { deleteKey?: boolean | undefined },
  ): Promise<{ attempted: number; completed: number; failed: FailedClaim[] }>;
  renewClaims(
    claims: readonly ClaimRef[],
    options: { ttl: number },
  ): Promise<{ attempted: number; renewed: number; failed: FailedClaim[] }>;
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
  popWait<Value = unknown>(
    key: string,
    options?: GuardOptions & { timeout?: number | undefined },
  ): Promise<Value | null>;
  popFirstWait<Value = unknown>(
    key: string,
    options?: GuardOptions & { timeout?: number | undefined },
  ): Promise<Value | null>;
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
  backup(options?: {
    fileName?: string | undefined;
    allowConcurrentWrites?: boolean | undefined;
  }): Promise<{ totalEntries: number; bytesWritten: number; bestEffort: boolean; warning: string }>;
  restore(options?: {
    fileName?: string | undefined;
    maxEntries?: number | undefined;
    maxBytes?: number | undefined;
  }): Promise<{ totalEntries: number }>;
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
