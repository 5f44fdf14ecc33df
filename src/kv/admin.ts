// Expiry of keys, diagnostics and upkeep.

import { bucketBytesMax, ttlMsMax } from "../base/limits.js";
import { never } from "../engine/engine.js";
import { checkKey, checkText, isInteger, prefixField, refuse } from "./arguments.js";
import { ArrayMethods } from "./arrays.js";
import { Filter } from "./filter.js";
import type { MetricsSnapshot } from "./metrics.js";
import { namesOf, tolerantFields } from "./option-names.js";
import type { KeyOf } from "./schema.js";
import type { AllocationStats, GuardOptions, IndexStats, KvStats, PrefixOptions } from "./types.js";
import { guardOptions } from "./write-arguments.js";

const allocationNames = namesOf<PrefixOptions>({ prefix: true });

export abstract class AdminMethods<Schema> extends ArrayMethods<Schema> {
  /** Lets a value or an array vanish `ttl` milliseconds from now; false when the key is missing. */
  async expire(key: KeyOf<Schema>, ttl: number, options?: GuardOptions): Promise<boolean> {
    checkKey(key);
    if (!isInteger(ttl) || ttl < 1 || ttl > ttlMsMax) {
      refuse("ttl", `an integer from 1 to ${ttlMsMax}`, ttl);
    }
    const request = { key, ttl, options: guardOptions(options) };
    const store = this.ready ?? (await this.opened());
    return store.expire(request);
  }

  /** Milliseconds until the key vanishes, null when it never does, undefined when it is missing. */
  async ttl(key: KeyOf<Schema>): Promise<number | null | undefined> {
    checkKey(key);
    const store = this.ready ?? (await this.opened());
    const left = await store.ttl(key);
    return left === never ? null : left;
  }

  /** Takes the expiry of a key away; false when it is missing or had none. */
  async persist(key: KeyOf<Schema>, options?: GuardOptions): Promise<boolean> {
    checkKey(key);
    const request = { key, options: guardOptions(options) };
    const store = this.ready ?? (await this.opened());
    return store.persist(request);
  }

  /** A membership filter: an exact set of items under the name of a bucket. */
  filter(bucket: string): Filter {
    checkText(bucket, "bucket", bucketBytesMax);
    return new Filter(bucket, this.observer, async () => this.ready ?? (await this.opened()));
  }

  /** The state of the store as counters and facts. */
  async stats(): Promise<KvStats> {
    return this.#stats();
  }

  async #stats(): Promise<KvStats> {
    const store = this.ready ?? (await this.opened());
    const { allocation, index, disk } = await store.report();
    const { options } = this.shared;
    return {
      backend: store.backend,
      serialization: options.serialization,
      trackKeys: options.trackKeys,
      count: allocation.total,
      claims: { live: allocation.claimedLive, expired: allocation.claimedExpired },
      index: options.trackKeys && index !== null ? indexStats(index.ordered, index.table) : null,
      disk,
    };
  }

  /** How much of a pool is free. Read-only: expired claims count as claimable. */
  async allocationStats(options?: PrefixOptions): Promise<AllocationStats> {
    const prefix = prefixField(tolerantFields(options, allocationNames, "allocationStats"));
    const store = this.ready ?? (await this.opened());
    const { total, claimedLive, claimedExpired } = await store.allocation(prefix);
    const { trackKeys } = this.shared.options;
    const claimable = total - claimedLive;
    const { backend } = store;
    return { prefix, total, claimable, claimedLive, claimedExpired, backend, trackKeys };
  }

  /** Sets the state gauges (`xk6_kv_keys` and its siblings) of `metrics` from `stats()`. */
  async reportStats(): Promise<void> {
    this.shared.metrics.report(await this.#stats());
  }

  /**
   * Counts, failure rates and durations of the operations of all handles of this store so far, and
   * its state as last reported. Not an operation itself: neither traced nor counted.
   * @throws MetricsUnavailableError when the store was opened without `metrics.operations` and
   * `reportStats` was never called.
   */
  async metrics(): Promise<MetricsSnapshot> {
    if (this.ready === undefined) await this.opened();
    return this.shared.metrics.snapshot();
  }

  /** `metrics` in the text format of Prometheus, for an endpoint that is scraped. */
  async metricsText(): Promise<string> {
    if (this.ready === undefined) await this.opened();
    return this.shared.metrics.text();
  }

  /** Recomputes the key index from the data; claims stay. O(n). */
  async rebuildKeyList(): Promise<true> {
    const store = this.ready ?? (await this.opened());
    await store.rebuildIndexes();
    return true;
  }
}

// Three names for one counted index: the seeds keep a list, a map and an order-statistics tree.
function indexStats(ordered: number, table: number): IndexStats {
  const consistent = ordered === table;
  return { enabled: true, keysList: ordered, keysMap: table, ost: ordered, consistent };
}
