// Model: what a store of JSON values answers to every operation of the public interface.
//
// It has the methods of `Kv` under their names, with the same arguments; `answer` runs one. Where
// the store has a choice (random keys, ids, cursors, what diagnostics still count) the model is told
// what was taken, says `Disagreement` if that was not to be had, and goes on from there. Its clock is
// the store's, so the two never have to agree on what time it is.

import type { Filter, MemberOptions } from "../kv/filter.js";
import type { Kv } from "../kv/kv.js";
import type { AllocationStats, ClaimRef, GuardOptions, KvStats } from "../kv/types.js";
import { ArrayModel, type Outcome } from "./model-arrays.js";
import { Disagreement, type Lease, Refusal, read } from "./model-state.js";

export type { Outcome } from "./model-arrays.js";
export { Pending } from "./model-arrays.js";
export { Disagreement } from "./model-state.js";

/** What tells nothing about the content of a store. */
type Unmodelled = "close" | "filter" | "metrics" | "metricsText" | typeof Symbol.asyncDispose;
/** What needs files beside the store has tests of its own. */
type FileMethod = `${"export" | "import" | "validate"}${"JSONL" | "CSV"}` | "backup" | "restore";
/** The operations of a filter go by the names "filter.add" and so on, with the bucket first. */
type FilterMethod = `filter.${Exclude<keyof Filter, "bucket">}`;
export type Method = Exclude<keyof Kv, Unmodelled | FileMethod> | FilterMethod;

type Answers = { [Name in Method]: (...args: never[]) => unknown };

export class Model extends ArrayModel implements Answers {
  /** The answer to one operation; `taken` is what the store has answered, undefined if it refused. */
  answer(method: Method, args: readonly unknown[], taken: unknown): Outcome {
    this.expireRows();
    this.taken = taken;
    try {
      return { value: (this[method] as (...args: readonly unknown[]) => unknown)(...args) };
    } catch (error) {
      if (error instanceof Refusal) return { error: error.name };
      throw error;
    }
  }

  /** The clock has moved on, and background work has had its turn. */
  afterTimers(): void {
    this.expireRows();
    this.unreaped = 0;
    for (const [key, lease] of this.leases) if (this.#hasEnded(lease)) this.leases.delete(key);
    this.endWaits();
  }

  /** The moments ahead at which something ends. */
  deadlines(): number[] {
    const holders = [...this.rows.values(), ...this.leases.values(), ...this.waiters];
    const members = [...this.buckets.values()].flatMap((items) => [...items.values()]);
    const all = [...holders.map(({ deadline }) => deadline), ...members];
    return [...new Set(all)].filter((at) => at !== Infinity).sort((a, b) => a - b);
  }

  /** Whether a claim holds its key now. */
  holds(claim: ClaimRef): boolean {
    this.expireRows();
    return this.isHeld(claim);
  }

  /** The value of a key now, null when it has none. */
  currentValue(key: string): unknown {
    this.expireRows();
    const row = this.rows.get(key);
    return row?.kind === "value" ? read(row.text) : null;
  }

  expire(key: string, ttl: number, options?: GuardOptions): unknown {
    this.guard(options, [key]);
    const row = this.rows.get(key);
    if (row !== undefined) row.deadline = this.now + ttl;
    return row !== undefined;
  }

  ttl(key: string): unknown {
    const row = this.rows.get(key);
    if (row === undefined) return undefined;
    return row.deadline === Infinity ? null : row.deadline - this.now;
  }

  persist(key: string, options?: GuardOptions): unknown {
    this.guard(options, [key]);
    const row = this.rows.get(key);
    if (row === undefined || row.deadline === Infinity) return false;
    row.deadline = Infinity;
    return true;
  }

  /** Expired claims count until something has removed them; nobody promises when that is. */
  allocationStats({ prefix = "" }: { prefix?: string } = {}): unknown {
    const keys = this.keysOf("value", prefix);
    const total = keys.length;
    const claimedLive = keys.filter((key) => this.isClaimed(key)).length;
    const ended = keys.filter((key) => this.leases.has(key)).length - claimedLive;
    const taken = this.taken as AllocationStats;
    const claimedExpired = within(taken.claimedExpired, 0, ended);
    const counts = { total, claimable: total - claimedLive, claimedLive, claimedExpired };
    const { trackKeys } = this.settings;
    return { prefix, ...counts, backend: text(taken.backend), trackKeys };
  }

  stats(): unknown {
    const { total: count, claimedLive: live } = this.#allocationOfAll();
    const taken = this.taken as KvStats;
    const ended = this.leases.size - live;
    const { trackKeys } = this.settings;
    return {
      backend: text(taken.backend),
      serialization: "json",
      trackKeys,
      count,
      claims: { live, expired: within(taken.claims.expired, 0, ended) },
      index: trackKeys ? this.#index(taken, count) : null,
      disk: taken.disk,
    };
  }

  reportStats(): unknown {
    return undefined;
  }

  rebuildKeyList(): unknown {
    return true;
  }

  "filter.contains"(bucket: string, item: string): unknown {
    return this.#items(bucket).has(item);
  }

  "filter.add"(bucket: string, item: string, options?: MemberOptions): unknown {
    this.guard(options, [bucket]);
    const added = !this.#items(bucket).has(item);
    this.#items(bucket).set(item, this.creating(options));
    return added;
  }

  "filter.checkThenAdd"(bucket: string, item: string, options?: MemberOptions): unknown {
    this.guard(options, [bucket]);
    const present = this.#items(bucket).has(item);
    if (!present) this.#items(bucket).set(item, this.creating(options));
    return present;
  }

  "filter.delete"(bucket: string, item: string, options?: GuardOptions): unknown {
    this.guard(options, [bucket]);
    return this.#items(bucket).delete(item);
  }

  "filter.size"(bucket: string): unknown {
    return this.#items(bucket).size;
  }

  "filter.clear"(bucket: string): unknown {
    this.buckets.delete(bucket);
    return true;
  }

  #hasEnded(lease: Lease): boolean {
    return lease.deadline <= this.now;
  }

  #items(bucket: string): Map<string, number> {
    const items = this.buckets.get(bucket) ?? new Map<string, number>();
    this.buckets.set(bucket, items);
    return items;
  }

  #allocationOfAll(): { total: number; claimedLive: number } {
    const keys = this.keysOf("value", "");
    return { total: keys.length, claimedLive: keys.filter((key) => this.isClaimed(key)).length };
  }

  /** The index may still hold what has expired, as long as it holds what the table holds. */
  #index({ index }: KvStats, count: number): object {
    const keys = within(index?.keysList, count, count + this.unreaped);
    return { enabled: true, keysList: keys, keysMap: keys, ost: keys, consistent: true };
  }
}

function within(taken: unknown, min: number, max: number): number {
  if (Number.isInteger(taken) && Number(taken) >= min && Number(taken) <= max) return Number(taken);
  throw new Disagreement(`${JSON.stringify(taken)} is not a number from ${min} to ${max}`);
}

function text(taken: unknown): string {
  if (typeof taken === "string" && taken !== "") return taken;
  throw new Disagreement(`${JSON.stringify(taken)} is no text`);
}
