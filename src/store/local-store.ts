// Local store: operations run as transactions of an engine in this process.
//
// Operations by key go straight to the engine. Operations that count by rank (queries, samples,
// random allocation) run on reaped tables: whatever is due is removed first, inline when it is
// little, in steps that let others run when it is much.

import type { Awaitable, Capabilities, Engine, Transaction, View } from "../engine/engine.js";
import type { Snapshot, SnapshotOptions } from "../engine/snapshot.js";
import type { Stored } from "../engine/stored.js";
import type { Env } from "../env/env.js";
import * as atomics from "../operations/atomics.js";
import type { Claim } from "../operations/claim-rows.js";
import * as claims from "../operations/claims.js";
import { raiseCounters } from "../operations/counters.js";
import * as entries from "../operations/entries.js";
import * as expiry from "../operations/expiry.js";
import * as lists from "../operations/lists.js";
import * as members from "../operations/members.js";
import * as query from "../operations/query.js";
import type * as Request from "../operations/requests.js";
import { type Content, localContent } from "./content.js";
import type { DirectAccess } from "./direct.js";
import { ElementWaits } from "./element-waits.js";
import { LiveView } from "./live-view.js";
import { Reaper } from "./reaper.js";
import type { CountedSource, Store, StoreReport, WaitRequest } from "./store.js";
import { refuseAborted } from "./waiters.js";

type ReadOperation<R, Result> = (view: View, request: R) => Result;
type WriteOperation<R, Result> = (transaction: Transaction, request: R) => Result;

// Rows removed at once where an operation cannot begin before all that is due has gone.
const reapedRowsMax = 1_000;
// Members removed per transaction when a whole bucket goes.
const clearedMembersMax = 1_000;

export class LocalStore implements Store {
  readonly backend: string;
  readonly capabilities: Capabilities;
  readonly content: Content;
  readonly direct: DirectAccess;
  readonly #engine: Engine;
  readonly #env: Env;
  readonly #reaper: Reaper;
  readonly #waiters: ElementWaits;
  // Whether other threads and processes work on the same tables.
  readonly #isShared: boolean;
  readonly #onDue = (): void => {
    this.#engine.refresh?.();
    this.#reaper.watch();
  };
  // Work in several transactions: closing waits for it.
  readonly #underway = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;
  // Writes that have been issued and that have settled.
  #changes = 0;

  constructor(engine: Engine, env: Env) {
    this.backend = engine.name;
    this.capabilities = engine.capabilities;
    this.#engine = engine;
    this.#env = env;
    this.#isShared = engine.capabilities.sharing === "machine";
    this.#reaper = new Reaper(engine, env);
    this.#waiters = new ElementWaits(engine, env, (step) => this.#write(step, undefined));
    this.direct = this.#directAccess();
    this.content = localContent({
      read: (operation, request) => engine.read(operation, request),
      write: (operation, request) => this.#write(operation, request),
    });
  }

  #directAccess(): DirectAccess {
    const store = this;
    return {
      get changes() {
        return store.#engine.commits?.() ?? store.#changes;
      },
      read: (operation, request) => this.#engine.read(operation, request),
      write: (operation, request) => this.#write(operation, request),
      query: (operation, request) => this.#query(operation, request),
      allocate: (operation, request) => this.#allocate(operation, request),
      isAwaited: (key) => this.#waiters.has(key),
      serve: (transaction, keys) => this.#waiters.serve(transaction, keys),
      wait: (request) => this.#waiters.wait(request),
    };
  }

  #write<R, Result>(operation: WriteOperation<R, Result>, request: R): Awaitable<Result> {
    this.#changes++;
    const result = this.#engine.write(operation, request);
    this.#reaper.watch();
    // What is due next may be known only when the write has been carried out.
    if (result instanceof Promise) result.then(this.#settled, this.#settled);
    return result;
  }

  readonly #settled = (): void => {
    this.#changes++;
    this.#reaper.watch();
  };

  /** A batch of nothing only looks at its guard, which a store that is only read can do, too. */
  #batch<R, Result>(
    operation: WriteOperation<R, Result>,
    request: R,
    size: number,
  ): Awaitable<Result> {
    if (size > 0) return this.#write(operation, request);
    return this.#engine.read(operation as unknown as ReadOperation<R, Result>, request);
  }

  /** Reads by rank: on reaped tables. */
  #query<R, Result>(operation: ReadOperation<R, Result>, request: R): Awaitable<Result> {
    const settling = this.#reaper.catchUp();
    if (settling === undefined) return this.#engine.read(this.#live(operation), request);
    return this.#attended(settling.then(() => this.#query(operation, request)));
  }

  /** What others write may be due by the time of the operation. */
  #live<R, Result>(operation: ReadOperation<R, Result>): ReadOperation<R, Result> {
    if (!this.#isShared) return operation;
    return (view, request) => {
      const live = new LiveView(view);
      const result = operation(live, request);
      // Not before its end: it might go on in another state of the file.
      if (live.hasMetDue) this.#onDue();
      return result;
    };
  }

  /** Writes by rank: on reaped tables. */
  #allocate<R, Result>(operation: WriteOperation<R, Result>, request: R): Awaitable<Result> {
    const settling = this.#reaper.catchUp();
    if (settling === undefined) return this.#write(this.#reaped(operation), request);
    return this.#attended(settling.then(() => this.#allocate(operation, request)));
  }

  #reaped<R, Result>(operation: WriteOperation<R, Result>): WriteOperation<R, Result> {
    if (!this.#isShared) return operation;
    return (transaction, request) => {
      while (expiry.reapDue(transaction, reapedRowsMax)) {}
      return operation(transaction, request);
    };
  }

  get(key: string): Awaitable<Stored | undefined> {
    return this.#engine.read(entries.getValue, key);
  }

  getMany(keys: readonly string[]): Awaitable<(Stored | undefined)[]> {
    return this.#engine.read(entries.getValues, keys);
  }

  exists(key: string): Awaitable<boolean> {
    return this.#engine.read(entries.hasKey, key);
  }

  set(request: Request.ValueRequest): Awaitable<void> {
    return this.#write(entries.setValue, request);
  }

  setMany(request: Request.EntriesRequest): Awaitable<void> {
    return this.#batch(entries.setValues, request, request.entries.length);
  }

  delete(request: Request.KeyRequest): Awaitable<boolean> {
    return this.#write(entries.deleteValue, request);
  }

  deleteMany(request: Request.KeysRequest): Awaitable<number> {
    return this.#batch(entries.deleteValues, request, request.keys.length);
  }

  deleteByPrefix(
    request: Request.PrefixDeleteRequest,
  ): Awaitable<{ deleted: number; done: boolean }> {
    return this.#allocate(entries.deletePrefix, request);
  }

  fetchRemove(request: Request.TakeRequest): Awaitable<Stored | undefined> {
    return this.#write(entries.fetchRemove, request);
  }

  clear(options: Request.Guard | undefined): Awaitable<void> {
    return this.#write(entries.clear, options);
  }

  incrementBy(request: Request.IncrementRequest): Awaitable<number> {
    return this.#write(atomics.increment, request);
  }

  getOrSet(request: Request.ValueRequest): Awaitable<{ value: Stored; loaded: boolean }> {
    return this.#write(atomics.getOrSet, request);
  }

  swap(request: Request.ReplaceRequest): Awaitable<Stored | undefined> {
    return this.#write(atomics.swap, request);
  }

  compareAndSwap(request: Request.CompareSwapRequest): Awaitable<atomics.Comparison> {
    return this.#write(atomics.compareAndSwap, request);
  }

  compareAndDelete(request: Request.CompareDeleteRequest): Awaitable<atomics.Comparison> {
    return this.#write(atomics.compareAndDelete, request);
  }

  scan(request: Request.ScanRequest): Awaitable<query.EntryPage> {
    return this.#query(query.scan, request);
  }

  scanKeys(request: Request.ScanRequest): Awaitable<query.KeyPage> {
    return this.#query(query.scanKeys, request);
  }

  count(prefix: string): Awaitable<number> {
    return this.#query(query.count, prefix);
  }

  randomKeys(request: Request.SampleRequest): Awaitable<string[]> {
    return this.#query(query.randomKeys, request);
  }

  popRandom(request: Request.PopRandomRequest): Awaitable<Request.Entry[]> {
    return this.#allocate(claims.popRandom, request);
  }

  claimRandom(request: Request.ClaimRandomRequest): Awaitable<Claim[]> {
    return this.#allocate(claims.claimRandom, request);
  }

  claimKeys(request: Request.ClaimKeysRequest): Awaitable<claims.ClaimedKeys> {
    return this.#batch(claims.claimKeys, request, request.keys.length);
  }

  listClaims(request: Request.ScanRequest): Awaitable<claims.ClaimPage> {
    return this.#query(claims.listClaims, request);
  }

  releaseClaims(request: Request.ReleaseRequest): Awaitable<boolean[]> {
    return this.#batch(claims.releaseClaims, request, request.claims.length);
  }

  completeClaims(request: Request.CompleteRequest): Awaitable<boolean[]> {
    return this.#batch(claims.completeClaims, request, request.claims.length);
  }

  renewClaims(request: Request.RenewRequest): Awaitable<boolean[]> {
    return this.#batch(claims.renewClaims, request, request.claims.length);
  }

  push(request: Request.PushRequest): Awaitable<number> {
    const length = this.#write(lists.push, request);
    this.#waiters.wake(request.key);
    return length;
  }

  pop(request: Request.PopRequest): Awaitable<Stored | undefined> {
    return this.#write(lists.pop, request);
  }

  async popWait(request: WaitRequest): Promise<Stored | undefined> {
    if (request.timeoutMs !== 0) return this.#waiters.pop(request);
    refuseAborted(request.signals);
    return this.#write(lists.pop, request);
  }

  length(key: string): Awaitable<number> {
    return this.#engine.read(lists.length, key);
  }

  range(request: Request.RangeRequest): Awaitable<Stored[]> {
    return this.#engine.read(lists.range, request);
  }

  deleteArray(request: Request.KeyRequest): Awaitable<boolean> {
    return this.#write(lists.deleteList, request);
  }

  listArrays(request: Request.ListKeysRequest): Awaitable<string[]> {
    return this.#query(query.listArrays, request);
  }

  expire(request: Request.ExpireRequest): Awaitable<boolean> {
    return this.#write(expiry.expire, request);
  }

  persist(request: Request.KeyRequest): Awaitable<boolean> {
    return this.#write(expiry.persist, request);
  }

  ttl(key: string): Awaitable<number | undefined> {
    return this.#engine.read(expiry.timeToLive, key);
  }

  containsMember(request: Request.MemberRequest): Awaitable<boolean> {
    return this.#engine.read(members.containsMember, request);
  }

  addMember(request: Request.MemberRequest): Awaitable<boolean> {
    return this.#write(members.addMember, request);
  }

  checkThenAddMember(request: Request.MemberRequest): Awaitable<boolean> {
    return this.#write(members.checkThenAddMember, request);
  }

  deleteMember(request: Request.MemberRequest): Awaitable<boolean> {
    return this.#write(members.deleteMember, request);
  }

  countMembers(request: Request.BucketRequest): Awaitable<number> {
    return this.#query(members.countMembers, request);
  }

  #attended<Result>(work: Promise<Result>): Promise<Result> {
    this.#underway.add(work);
    const leave = (): boolean => this.#underway.delete(work);
    work.then(leave, leave);
    return work;
  }

  clearMembers(request: Request.BucketRequest): Promise<void> {
    return this.#attended(this.#clearMembers(request));
  }

  async #clearMembers(request: Request.BucketRequest): Promise<void> {
    const step = { ...request, limit: clearedMembersMax };
    while (await this.#write(members.clearMembers, step)) await this.#env.timers.breathe();
  }

  snapshot(options: SnapshotOptions): Snapshot {
    return this.#engine.snapshot(options);
  }

  replace(source: CountedSource): Promise<void> {
    return this.#attended(this.#replace(source));
  }

  async #replace(source: CountedSource): Promise<void> {
    await this.#engine.replace(source, raiseCounters, source);
    this.#settled();
    this.#waiters.wakeAll();
  }

  countEntries(): Awaitable<number> {
    return this.#query(query.countEntries, undefined);
  }

  dropClaims(): Awaitable<void> {
    return this.#write(claims.dropClaims, undefined);
  }

  /** Counts what is due row by row, so not in the middle of a long backlog. */
  allocation(prefix: string): Awaitable<claims.Allocation> {
    const { settling } = this.#reaper;
    if (settling === undefined) return this.#engine.read(claims.allocation, prefix);
    return settling.then(() => this.allocation(prefix));
  }

  async report(): Promise<StoreReport> {
    return {
      allocation: await this.allocation(""),
      index: this.#engine.indexReport(),
      disk: await this.#engine.diskReport(),
    };
  }

  rebuildIndexes(): Awaitable<void> {
    return this.#engine.rebuildIndexes();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#reaper.close();
    this.#waiters.close();
    await Promise.allSettled(this.#underway);
    await this.#engine.close();
  }
}
