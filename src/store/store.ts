// Store: the contract of everything that can carry out operations, here or elsewhere.
//
// One method per operation, at the level of keys and stored values: arguments are already valid,
// values already encoded. A local store runs the operation in a transaction of its engine; a remote
// one asks a server for the operation of the same name. What an operation means is written once,
// in `operations`; the conformance suite holds every store to it.
//
// A method throws or rejects with a `KvError`, and then nothing has changed.

import type { ContentSource } from "../engine/content-source.js";
import type { Awaitable, Capabilities, DiskReport, IndexReport } from "../engine/engine.js";
import type { Snapshot, SnapshotOptions, SnapshotRow } from "../engine/snapshot.js";
import type { Stored } from "../engine/stored.js";
import type { Comparison } from "../operations/atomics.js";
import type { Claim } from "../operations/claim-rows.js";
import type { Allocation, ClaimedKeys, ClaimPage } from "../operations/claims.js";
import type { EntryPage, KeyPage } from "../operations/query.js";
import type * as Request from "../operations/requests.js";
import type { Content } from "./content.js";
import type { DirectAccess } from "./direct.js";

export interface WaitRequest extends Request.PopRequest {
  /** undefined: wait without end. */
  readonly timeoutMs: number | undefined;
  /** Whichever is aborted first ends the wait. */
  readonly signals: readonly AbortSignal[];
}

export interface StoreReport {
  readonly allocation: Allocation;
  readonly index: IndexReport | null;
  readonly disk: DiskReport | null;
}

/** A whole new content, and the counters of the store that it comes from once all of it has come. */
export interface CountedSource extends ContentSource {
  readonly counters: readonly SnapshotRow[];
}

/** A snapshot whose rows may have to be fetched. `isExact` holds once all of them have been given. */
export interface StoreSnapshot extends Omit<Snapshot, "next"> {
  /** Arrays of which elements may be missing or there twice, because they never rested. */
  readonly tornArrays?: number;
  next(rowsMax: number): Awaitable<SnapshotRow[] | undefined>;
}

export interface Store {
  /** The backend's name, as in `openKv({ backend })`. */
  readonly backend: string;
  readonly capabilities: Capabilities;
  /** All that it holds, to be moved to another store. */
  readonly content: Content;
  /** Where operations are carried out here: a way in for further ones. */
  readonly direct?: DirectAccess;

  get(key: string): Awaitable<Stored | undefined>;
  getMany(keys: readonly string[]): Awaitable<(Stored | undefined)[]>;
  exists(key: string): Awaitable<boolean>;
  set(request: Request.ValueRequest): Awaitable<void>;
  setMany(request: Request.EntriesRequest): Awaitable<void>;
  /** Whether there was a value to delete. */
  delete(request: Request.KeyRequest): Awaitable<boolean>;
  /** How many were deleted. */
  deleteMany(request: Request.KeysRequest): Awaitable<number>;
  deleteByPrefix(
    request: Request.PrefixDeleteRequest,
  ): Awaitable<{ deleted: number; done: boolean }>;
  fetchRemove(request: Request.TakeRequest): Awaitable<Stored | undefined>;
  clear(options: Request.Guard | undefined): Awaitable<void>;

  incrementBy(request: Request.IncrementRequest): Awaitable<number>;
  getOrSet(request: Request.ValueRequest): Awaitable<{ value: Stored; loaded: boolean }>;
  swap(request: Request.ReplaceRequest): Awaitable<Stored | undefined>;
  compareAndSwap(request: Request.CompareSwapRequest): Awaitable<Comparison>;
  compareAndDelete(request: Request.CompareDeleteRequest): Awaitable<Comparison>;

  scan(request: Request.ScanRequest): Awaitable<EntryPage>;
  scanKeys(request: Request.ScanRequest): Awaitable<KeyPage>;
  count(prefix: string): Awaitable<number>;
  randomKeys(request: Request.SampleRequest): Awaitable<string[]>;

  popRandom(request: Request.PopRandomRequest): Awaitable<Request.Entry[]>;
  claimRandom(request: Request.ClaimRandomRequest): Awaitable<Claim[]>;
  claimKeys(request: Request.ClaimKeysRequest): Awaitable<ClaimedKeys>;
  /** One boolean per claim: whether it was live and has been changed. */
  releaseClaims(request: Request.ReleaseRequest): Awaitable<boolean[]>;
  completeClaims(request: Request.CompleteRequest): Awaitable<boolean[]>;
  renewClaims(request: Request.RenewRequest): Awaitable<boolean[]>;
  listClaims(request: Request.ScanRequest): Awaitable<ClaimPage>;

  /** The new length. */
  push(request: Request.PushRequest): Awaitable<number>;
  pop(request: Request.PopRequest): Awaitable<Stored | undefined>;
  /** As `pop`, but waits for an element; undefined when the time is up. Waiters are served in turn. */
  popWait(request: WaitRequest): Promise<Stored | undefined>;
  length(key: string): Awaitable<number>;
  range(request: Request.RangeRequest): Awaitable<Stored[]>;
  deleteArray(request: Request.KeyRequest): Awaitable<boolean>;
  listArrays(request: Request.ListKeysRequest): Awaitable<string[]>;

  expire(request: Request.ExpireRequest): Awaitable<boolean>;
  persist(request: Request.KeyRequest): Awaitable<boolean>;
  /** Milliseconds, `never`, or undefined for a missing key. */
  ttl(key: string): Awaitable<number | undefined>;

  containsMember(request: Request.MemberRequest): Awaitable<boolean>;
  addMember(request: Request.MemberRequest): Awaitable<boolean>;
  checkThenAddMember(request: Request.MemberRequest): Awaitable<boolean>;
  deleteMember(request: Request.MemberRequest): Awaitable<boolean>;
  countMembers(request: Request.BucketRequest): Awaitable<number>;
  clearMembers(request: Request.BucketRequest): Awaitable<void>;

  /** All rows of some tables as they are now, to be read while writers go on. */
  snapshot(options: SnapshotOptions): Awaitable<StoreSnapshot>;
  /**
   * Puts the rows of the source in the place of everything. Claims are gone afterwards, and no
   * counter is lower than before or than in the source. On some backends writes are refused meanwhile.
   */
  replace(source: CountedSource): Promise<void>;
  /** Values, elements of arrays and items of filters. */
  countEntries(): Awaitable<number>;
  /** Ends every claim, whoever holds it. */
  dropClaims(): Awaitable<void>;

  allocation(prefix: string): Awaitable<Allocation>;
  report(): Awaitable<StoreReport>;
  rebuildIndexes(): Awaitable<void>;
  /** Settles what is under way, rejects who waits, then closes the engine. Idempotent. */
  close(): Promise<void>;
}
