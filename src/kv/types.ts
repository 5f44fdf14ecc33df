// The public shapes of arguments and results. Field names are the seeds' and are part of the API.

import type { LogReport as LogStats } from "../engine/engine.js";
import type { LogEvent, RecoveryProgress } from "../engine/log-events.js";
import type { ClaimRef } from "../operations/requests.js";

export type { ClaimRef, LogEvent, LogStats, RecoveryProgress };

/** Any operation that writes or deletes may be guarded by a claim. */
export interface GuardOptions {
  /**
   * Refuse with `StaleClaimError`, changing nothing, unless this claim is live. Left out it guards
   * nothing; null or undefined, what an empty pool gives, is refused.
   */
  claim?: ClaimRef;
}

export interface CompressOptions {
  /**
   * Keep the value compressed, in memory and in files, if that makes it smaller. It is read as any
   * other; writing takes about 10 ms per megabyte and reading 2. Default false.
   */
  compress?: boolean | undefined;
}

/** Replacing a value also replaces its expiry; without `ttl` the new value never expires. */
export interface WriteOptions extends GuardOptions, CompressOptions {
  /** Milliseconds until the key vanishes; an integer of at least 1. */
  ttl?: number | undefined;
  /** Keep the expiry that the key already has. Not together with `ttl`. */
  keepTtl?: boolean | undefined;
}

/** Changing a key in place keeps its expiry; `ttl` applies when the operation creates the key. */
export interface CounterOptions extends GuardOptions {
  /** Milliseconds until a key created by this operation vanishes. */
  ttl?: number | undefined;
}

/** As `CounterOptions`, for operations that write the caller's value. */
export interface CreateOptions extends CounterOptions, CompressOptions {}

export interface CompareOptions {
  /** Add `current` to a mismatch on an existing key. Default false. */
  includeCurrentOnMismatch?: boolean | undefined;
}

export interface Entry<Value = unknown, Key extends string = string> {
  key: Key;
  value: Value;
}

export interface MaybeEntry<Value = unknown> {
  key: string;
  exists: boolean;
  /** null when the key is missing, and when its value is null. */
  value: Value | null;
}

export interface PrefixOptions {
  /** Only keys that begin with it; "" or absent means all. */
  prefix?: string | undefined;
}

export interface ListOptions extends PrefixOptions {
  /** At most so many, up to 250,000; 0, negative or absent means all. */
  limit?: number | undefined;
}

export interface ScanOptions extends PrefixOptions {
  /** At most so many per page, up to 100,000; 0, negative or absent means all. */
  limit?: number | undefined;
  /** The cursor of the page before; "" or absent starts over. */
  cursor?: string | undefined;
}

export interface ScanPage<Value = unknown, Key extends string = string> {
  entries: Entry<Value, Key>[];
  /** Opaque, valid as long as the store; "" on the last page. */
  cursor: string;
  done: boolean;
}

export interface KeyPage<Key extends string = string> {
  keys: Key[];
  /** Opaque, valid as long as the store; "" on the last page. */
  cursor: string;
  done: boolean;
}

export interface DeleteByPrefixOptions extends GuardOptions {
  /** Not empty. */
  prefix: string;
  /** 1 to 100,000. */
  limit: number;
}

export interface RandomKeysOptions extends PrefixOptions {
  /** 1 to 1,000,000. */
  count: number;
  /** Default true: no key twice. */
  unique?: boolean | undefined;
}

export interface CountedOptions extends PrefixOptions {
  /** 1 to 1,000,000. */
  count: number;
}

export interface LeaseOptions {
  /** A note for people, at most 256 bytes of UTF-8. */
  owner?: string | undefined;
  /** Length of the lease in milliseconds, 1 to 86,400,000; default 30,000. */
  ttl?: number | undefined;
}

export interface ClaimRandomOptions extends LeaseOptions, PrefixOptions {}

export interface ClaimRandomManyOptions extends LeaseOptions, CountedOptions {}

export interface ClaimKeysOptions extends LeaseOptions {
  /** Claim all keys or none. Default false. */
  allOrNothing?: boolean | undefined;
}

export interface CompleteOptions {
  /** Delete the key as well. Default true. */
  deleteKey?: boolean | undefined;
}

export interface RenewOptions {
  /** New length of the lease from now, in milliseconds, 1 to 86,400,000. */
  ttl: number;
}

/** An exclusive lease on a key. It can be passed wherever a `ClaimRef` is asked for. */
export interface Claim<Value = unknown, Key extends string = string> extends ClaimRef {
  id: string;
  key: Key;
  /** Rises with every claim of the store and never repeats: a fencing token. */
  token: number;
  /** Unix milliseconds; from then on the claim is void. */
  expiresAt: number;
  /** The entry as it was when it was claimed. */
  entry: Entry<Value, Key>;
  owner?: string;
}

export interface ClaimedKeys<Value = unknown, Key extends string = string> {
  claimed: Claim<Value, Key>[];
  busy: Key[];
  missing: Key[];
}

/** A live claim as others see it. It can be passed wherever a `ClaimRef` is asked for. */
export interface ListedClaim<Key extends string = string> extends ClaimRef {
  id: string;
  key: Key;
  token: number;
  /** Unix milliseconds. */
  expiresAt: number;
  owner?: string;
}

export interface ClaimPage<Key extends string = string> {
  claims: ListedClaim<Key>[];
  /** Opaque, valid as long as the store; "" on the last page. */
  cursor: string;
  done: boolean;
}

export interface FailedClaim {
  /** Position in the input. */
  index: number;
  id: string;
  key: string;
  name: "ClaimNotUpdated";
  message: string;
}

export interface ReleasedClaims {
  attempted: number;
  released: number;
  failed: FailedClaim[];
}

export interface CompletedClaims {
  attempted: number;
  completed: number;
  failed: FailedClaim[];
}

export interface RenewedClaims {
  attempted: number;
  renewed: number;
  failed: FailedClaim[];
}

export type SwapResult<Value = unknown> =
  | { swapped: true; reason: "swapped" }
  | { swapped: false; reason: "mismatch"; existed: boolean; current?: Value };

export type DeleteResult<Value = unknown> =
  | { deleted: true; reason: "deleted" }
  | { deleted: false; reason: "mismatch"; existed: boolean; current?: Value };

export interface WaitOptions extends GuardOptions {
  /** Milliseconds to wait at most; 0 does not wait, absent waits without end. */
  timeout?: number | undefined;
  /** Gives up with `OperationCanceledError`. */
  signal?: AbortSignal | undefined;
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

export interface IndexStats {
  enabled: true;
  keysList: number;
  keysMap: number;
  ost: number;
  consistent: boolean;
}

export interface DiskStats {
  path: string;
  sizeBytes: number;
  readOnly: boolean;
  /** Only of the wal backend. */
  log?: LogStats;
}

export interface KvStats {
  backend: string;
  serialization: "json" | "string" | "bytes";
  trackKeys: boolean;
  count: number;
  claims: { live: number; expired: number };
  /** null unless keys are tracked. */
  index: IndexStats | null;
  /** null unless the backend keeps files. */
  disk: DiskStats | null;
}
