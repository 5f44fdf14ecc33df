// Options and results of the methods in k6.d.ts, which the build puts into one file with them.

export interface OpenKvOptions {
  /**
   * Where the store lives: `redis://[user:password@]host[:port][/database]` (`rediss://` with TLS) for
   * Valkey, Redis from 7.0 on or `anykv serve`; `http://host:port` for the HTTP door
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

export interface DeletedKeys {
  deleted: number;
  missing: number;
}

export interface DeleteByPrefixOptions extends GuardOptions {
  prefix: string;
  limit: number;
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

/** A live claim as others see it. */
export interface ListedClaim extends ClaimRef {
  /** Unix milliseconds. */
  expiresAt: number;
  owner?: string;
}

export interface ClaimPage {
  claims: ListedClaim[];
  /** "" on the last page. */
  cursor: string;
  done: boolean;
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

export interface CompleteOptions {
  /** Default true. */
  deleteKey?: boolean | undefined;
}

/** How a batch of claims has gone. */
export type Batch<Done extends string> = { [Name in Done | "attempted"]: number } & {
  failed: FailedClaim[];
};

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

export interface WaitOptions extends GuardOptions {
  /** Milliseconds. */
  timeout?: number | undefined;
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

export interface IndexStats {
  enabled: true;
  keysList: number;
  keysMap: number;
  ost: number;
  consistent: boolean;
}

export interface KvStats {
  /** "valkey": what carries the store. */
  backend: string;
  serialization: string;
  trackKeys: boolean;
  count: number;
  claims: { live: number; expired: number };
  index: IndexStats | null;
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

export interface BackupOptions {
  fileName?: string | undefined;
  allowConcurrentWrites?: boolean | undefined;
}

export interface BackupSummary {
  totalEntries: number;
  bytesWritten: number;
  bestEffort: boolean;
  warning: string;
}

export interface RestoreOptions {
  fileName?: string | undefined;
  maxEntries?: number | undefined;
  maxBytes?: number | undefined;
}

/** A name in the server's directory for files. */
export interface FileOptions {
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

export interface Validation {
  valid: boolean;
  bytesRead: number;
  checkedAll: boolean;
}

export interface JsonlValidation extends Validation {
  records: number;
  firstError?: { line: number; name: string; message: string } | undefined;
}

export interface CsvValidation extends Validation {
  rows: number;
  firstError?: { row: number; name: string; message: string } | undefined;
}
