// Remote store: the operations of a store as calls of the function library on a server.
//
// Each operation is one call where it concerns one partition and a bounded number of keys; the parts
// beside this file say what becomes of the others. What the server does in a call is atomic and uses
// the server's clock; docs/formats/valkey.md describes every call.

import type { Awaitable, Capabilities } from "../engine/engine.js";
import type { SnapshotOptions } from "../engine/snapshot.js";
import type { Stored } from "../engine/stored.js";
import type { Env } from "../env/env.js";
import type { Comparison } from "../operations/atomics.js";
import type { Claim } from "../operations/claim-rows.js";
import type { Allocation, ClaimedKeys, ClaimPage } from "../operations/claims.js";
import type { EntryPage, KeyPage } from "../operations/query.js";
import type * as Request from "../operations/requests.js";
import type { Content } from "../store/content.js";
import type {
  CountedSource,
  Store,
  StoreReport,
  StoreSnapshot,
  WaitRequest,
} from "../store/store.js";
import { refuseAborted } from "../store/waiters.js";
import { Calls, type Serialization, settleAll } from "./calls.js";
import type { Connection } from "./connection.js";
import * as arrays from "./remote-arrays.js";
import { remoteCapabilities } from "./remote-capabilities.js";
import * as claims from "./remote-claims.js";
import { remoteContent } from "./remote-content.js";
import { mayPass } from "./remote-errors.js";
import { measure, reports } from "./remote-measures.js";
import { inspectPartitions, openPartitions } from "./remote-opening.js";
import * as queries from "./remote-queries.js";
import { range } from "./remote-range.js";
import { RemoteReaper } from "./remote-reaper.js";
import { replace } from "./remote-replace.js";
import { randomKeys } from "./remote-samples.js";
import { takeSnapshot } from "./remote-snapshot.js";
import * as values from "./remote-values.js";
import { RemoteWaiters } from "./remote-waiters.js";
import { flagIn, numberIn } from "./replies.js";

export interface RemoteOptions {
  readonly serialization: Serialization;
  /** Whether reports tell of the index, which the server keeps in any case. */
  readonly trackKeys: boolean;
  /** Whether the store is made where it is not there; default true. */
  readonly creates?: boolean;
  /** How seldom arrays are looked at that somebody waits for; default a quarter of a second. */
  readonly pollMsMax?: number;
  /** How seldom the server is asked to remove what has expired; default a second; 0: never. */
  readonly reapMsMax?: number;
}

export class RemoteStore implements Store {
  readonly backend = "valkey";
  readonly capabilities: Capabilities;
  readonly content: Content;
  readonly #calls: Calls;
  readonly #reaper: RemoteReaper;
  readonly #waiters: RemoteWaiters;
  readonly #trackKeys: boolean;
  readonly #reaps: boolean;
  #closing: Promise<void> | undefined;

  /** Behind a connection that sees to the opening of the partitions itself; others use `open`. */
  constructor(connection: Connection, env: Env, options: RemoteOptions) {
    const { serialization, trackKeys, pollMsMax = 250, reapMsMax = 1_000 } = options;
    this.capabilities = remoteCapabilities(connection.partitions);
    this.#calls = new Calls(connection, env, serialization);
    this.#calls.reopen = () => openPartitions(this.#calls);
    this.#reaper = new RemoteReaper(this.#calls, reapMsMax);
    this.#reaps = reapMsMax > 0;
    this.#trackKeys = trackKeys;
    this.content = remoteContent(this.#calls, (ttlMs) => this.#expect(ttlMs));
    const waiterCalls = {
      pop: (request: Request.PopRequest) => arrays.pop(this.#calls, request),
      lengths: async (keys: readonly string[]) => {
        const found = await arrays.lengths(this.#calls, keys);
        // Where nothing can be called any more, a pop tells those who wait.
        return connection.hasEnded ? keys.map(() => 1) : found;
      },
      mayPass: (error: unknown) => mayPass(error) && !connection.hasEnded,
    };
    this.#waiters = new RemoteWaiters(env, waiterCalls, pollMsMax);
    connection.onReconnect(() => this.#waiters.wakeAll());
  }

  /**
   * The store behind a connection that stands. It closes the connection, also when this fails.
   *
   * @throws ServerUnsuitableError for another layout, InvalidOptionsError for another number of
   * partitions, ServerAccessError for a user who may not do enough, and what the connection throws.
   */
  static async open(
    connection: Connection,
    env: Env,
    options: RemoteOptions,
  ): Promise<RemoteStore> {
    const store = new RemoteStore(connection, env, options);
    try {
      await store.#open(connection, options.creates ?? true);
    } catch (error) {
      // A server that does not answer does not hang up either: nobody waits for that.
      connection.close().catch(() => {});
      throw error;
    }
    return store;
  }

  async #open(connection: Connection, creates: boolean): Promise<void> {
    await (creates ? openPartitions(this.#calls) : inspectPartitions(this.#calls));
    await connection.opened();
    // It may have much to do, and nothing depends on it.
    if (this.#reaps) void this.#reaper.run();
  }

  /** What is to be removed one day. */
  #mortal(options: { readonly ttl?: number | undefined } | undefined): void {
    if (options?.ttl !== undefined) this.#expect(options.ttl);
  }

  #expect(ms: number): void {
    if (this.#reaps) this.#reaper.expect(ms);
  }

  get(key: string): Promise<Stored | undefined> {
    return values.get(this.#calls, key);
  }

  getMany(keys: readonly string[]): Promise<(Stored | undefined)[]> {
    return values.getMany(this.#calls, keys);
  }

  async exists(key: string): Promise<boolean> {
    return flagIn(await this.#calls.call("exists", this.#calls.partitionOf(key), [key]));
  }

  set(request: Request.ValueRequest): Promise<void> {
    this.#mortal(request.options);
    return values.set(this.#calls, request);
  }

  setMany(request: Request.EntriesRequest): Promise<void> {
    this.#mortal(request.options);
    return values.setMany(this.#calls, request);
  }

  delete(request: Request.KeyRequest): Promise<boolean> {
    return values.byKey(this.#calls, "delete", request);
  }

  deleteMany(request: Request.KeysRequest): Promise<number> {
    return values.deleteMany(this.#calls, request);
  }

  deleteByPrefix(
    request: Request.PrefixDeleteRequest,
  ): Promise<{ deleted: number; done: boolean }> {
    return this.#calls.attend(queries.deleteByPrefix(this.#calls, request));
  }

  fetchRemove(request: Request.TakeRequest): Promise<Stored | undefined> {
    return values.fetchRemove(this.#calls, request);
  }

  async clear(options: Request.Guard | undefined): Promise<void> {
    const claim = this.#calls.guardAll(options);
    const subject = { claim: options?.claim };
    const parts = Array.from({ length: this.#calls.partitions }, (_, partition) =>
      this.#calls.call("clear", partition, [claim], subject),
    );
    await settleAll(parts);
    this.#expect(0);
  }

  incrementBy(request: Request.IncrementRequest): Promise<number> {
    this.#mortal(request.options);
    return values.incrementBy(this.#calls, request);
  }

  getOrSet(request: Request.ValueRequest): Promise<{ value: Stored; loaded: boolean }> {
    this.#mortal(request.options);
    return values.getOrSet(this.#calls, request);
  }

  swap(request: Request.ReplaceRequest): Promise<Stored | undefined> {
    this.#mortal(request.options);
    return values.swap(this.#calls, request);
  }

  compareAndSwap(request: Request.CompareSwapRequest): Promise<Comparison> {
    this.#mortal(request.options);
    return values.compareAndSwap(this.#calls, request);
  }

  compareAndDelete(request: Request.CompareDeleteRequest): Promise<Comparison> {
    return values.compareAndDelete(this.#calls, request);
  }

  scan(request: Request.ScanRequest): Promise<EntryPage> {
    return this.#calls.attend(queries.scan(this.#calls, request));
  }

  scanKeys(request: Request.ScanRequest): Promise<KeyPage> {
    return this.#calls.attend(queries.scanKeys(this.#calls, request));
  }

  count(prefix: string): Promise<number> {
    return queries.count(this.#calls, prefix);
  }

  randomKeys(request: Request.SampleRequest): Promise<string[]> {
    return this.#calls.attend(randomKeys(this.#calls, request));
  }

  listClaims(request: Request.ScanRequest): Promise<ClaimPage> {
    return this.#calls.attend(claims.listClaims(this.#calls, request));
  }

  popRandom(request: Request.PopRandomRequest): Promise<Request.Entry[]> {
    return this.#calls.attend(claims.popRandom(this.#calls, request));
  }

  claimRandom(request: Request.ClaimRandomRequest): Promise<Claim[]> {
    this.#mortal(request.lease);
    return this.#calls.attend(claims.claimRandom(this.#calls, request));
  }

  claimKeys(request: Request.ClaimKeysRequest): Promise<ClaimedKeys> {
    this.#mortal(request.lease);
    return this.#calls.attend(claims.claimKeys(this.#calls, request));
  }

  releaseClaims(request: Request.ReleaseRequest): Promise<boolean[]> {
    return claims.releaseClaims(this.#calls, request);
  }

  completeClaims(request: Request.CompleteRequest): Promise<boolean[]> {
    return claims.completeClaims(this.#calls, request);
  }

  renewClaims(request: Request.RenewRequest): Promise<boolean[]> {
    this.#mortal(request);
    return claims.renewClaims(this.#calls, request);
  }

  push(request: Request.PushRequest): Promise<number> {
    this.#mortal(request.options);
    const length = arrays.push(this.#calls, request);
    this.#waiters.wake(request.key);
    return length;
  }

  pop(request: Request.PopRequest): Promise<Stored | undefined> {
    return arrays.pop(this.#calls, request);
  }

  async popWait(request: WaitRequest): Promise<Stored | undefined> {
    refuseAborted(request.signals);
    if (request.timeoutMs === 0) return this.pop(request);
    if (request.options?.claim !== undefined) {
      // Behind others who wait, nobody would look at the claim before an element is added.
      await values.onlyGuard(this.#calls, request.options, this.#calls.partitionOf(request.key));
      refuseAborted(request.signals);
    }
    return this.#waiters.add(request);
  }

  length(key: string): Promise<number> {
    return arrays.length(this.#calls, key);
  }

  range(request: Request.RangeRequest): Promise<Stored[]> {
    return this.#calls.attend(range(this.#calls, request));
  }

  deleteArray(request: Request.KeyRequest): Promise<boolean> {
    return values.byKey(this.#calls, "delete_array", request);
  }

  listArrays(request: Request.ListKeysRequest): Promise<string[]> {
    return this.#calls.attend(queries.listArrays(this.#calls, request));
  }

  async expire(request: Request.ExpireRequest): Promise<boolean> {
    const { key, ttl, options } = request;
    this.#mortal(request);
    const partition = this.#calls.partitionOf(key);
    const args = [key, ttl, this.#calls.guard(options, partition)];
    return flagIn(
      await this.#calls.call("expire", partition, args, values.subjectOf(key, options)),
    );
  }

  persist(request: Request.KeyRequest): Promise<boolean> {
    return values.byKey(this.#calls, "persist", request);
  }

  async ttl(key: string): Promise<number | undefined> {
    const left = numberIn(await this.#calls.call("ttl", this.#calls.partitionOf(key), [key]));
    if (left === -2) return undefined;
    return left === -1 ? Infinity : left;
  }

  containsMember(request: Request.MemberRequest): Promise<boolean> {
    return arrays.containsMember(this.#calls, request);
  }

  addMember(request: Request.MemberRequest): Promise<boolean> {
    this.#mortal(request);
    return arrays.addMember(this.#calls, request);
  }

  checkThenAddMember(request: Request.MemberRequest): Promise<boolean> {
    this.#mortal(request);
    return arrays.checkThenAddMember(this.#calls, request);
  }

  deleteMember(request: Request.MemberRequest): Promise<boolean> {
    return arrays.deleteMember(this.#calls, request);
  }

  countMembers(request: Request.BucketRequest): Promise<number> {
    return arrays.countMembers(this.#calls, request);
  }

  clearMembers(request: Request.BucketRequest): Promise<void> {
    return arrays.clearMembers(this.#calls, request);
  }

  snapshot({ tables }: SnapshotOptions): Promise<StoreSnapshot> {
    return takeSnapshot(this.#calls, tables);
  }

  replace(source: CountedSource): Promise<void> {
    return this.#calls.attend(this.#replace(source));
  }

  async #replace(source: CountedSource): Promise<void> {
    await replace(this.#calls, source);
    this.#expect(0);
    this.#waiters.wakeAll();
  }

  async countEntries(): Promise<number> {
    const [count, { elements, members }] = await Promise.all([
      this.count(""),
      measure(this.#calls),
    ]);
    return count + elements + members;
  }

  dropClaims(): Promise<void> {
    return this.#calls.attend(claims.dropClaims(this.#calls));
  }

  allocation(prefix: string): Promise<Allocation> {
    return queries.allocation(this.#calls, prefix);
  }

  async report(): Promise<StoreReport> {
    const allocation = await this.allocation("");
    return { allocation, index: await this.#index(), disk: null };
  }

  async #index(): Promise<StoreReport["index"]> {
    if (!this.#trackKeys) return null;
    const found = await reports(this.#calls);
    return {
      ordered: found.reduce((sum, { ordered }) => sum + ordered, 0),
      table: found.reduce((sum, { table }) => sum + table, 0),
    };
  }

  /** The server changes its indexes in the same step as the values: there is nothing to rebuild. */
  rebuildIndexes(): Awaitable<void> {}

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#reaper.close();
    await this.#waiters.close();
    await this.#calls.close();
  }
}
