// Operation metrics: what a store counts about its operations, and the state it last reported.
//
// Counting is plain arithmetic on fields; prom-client is loaded only to write the text form. The
// names and labels under which the numbers appear stand in metric-families.ts.

import { MetricsUnavailableError } from "../base/errors.js";
import { DurationHistogram } from "./duration-histogram.js";
import { expose } from "./metric-families.js";
import { isEmptyDraw, type OperationName, poolOperations } from "./operation-names.js";
import type { KvOptions, Serialization } from "./options/options.js";
import type { KvStats, LogStats } from "./types.js";

/** Percentiles are estimated from buckets; `max` is exact. */
export interface DurationSnapshot {
  count: number;
  sum: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  max: number;
}

/** The settled calls of one operation. */
export interface OperationSnapshot {
  total: number;
  ok: number;
  error: number;
  /** 0 to 1. */
  failureRate: number;
  /** Failed calls by the name of the error. */
  errors: Record<string, number>;
  /** All calls; those whose arguments were refused count as 0 ms. */
  durationMs: DurationSnapshot;
  /** Share of successful draws that found nothing; null unless the operation draws from a pool. */
  emptyRate: number | null;
}

/** The state of a store when `reportStats` was last called. */
export interface StateSnapshot {
  keys: number;
  claimsLive: number;
  claimsExpired: number;
  /** null unless keys are tracked. */
  index: { keysList: number; keysMap: number; ost: number; consistent: boolean } | null;
  /** null unless the backend keeps files. */
  diskSizeBytes: number | null;
  /** null unless the backend keeps a log. */
  log: LogStats | null;
}

/** The metrics of a store as plain data. */
export interface MetricsSnapshot {
  /** The name of the store, "default" if it has none. */
  store: string;
  backend: string;
  serialization: Serialization;
  trackKeys: boolean;
  /** Operations by name, those that have been called; null when operations are not measured. */
  operations: { [Name in OperationName]?: OperationSnapshot } | null;
  /** Operations under way; 0 when operations are not measured. */
  inFlight: number;
  /** null before the first `reportStats`. */
  state: StateSnapshot | null;
}

/** The counts of one operation. */
export class OperationTally {
  readonly ok = new DurationHistogram();
  readonly failed = new DurationHistogram();
  readonly errors = new Map<string, number>();
  /** Successful calls that found nothing; undefined unless the operation draws from a pool. */
  empty: number | undefined;

  constructor(operation: OperationName) {
    if (poolOperations.has(operation)) this.empty = 0;
  }

  get failureRate(): number {
    return this.failed.count / (this.ok.count + this.failed.count);
  }

  /** null when there is no such share: not of this operation, or not yet. */
  get emptyRate(): number | null {
    return this.empty === undefined || this.ok.count === 0 ? null : this.empty / this.ok.count;
  }
}

/** "operations" is of stores that measure them, "log" of those whose backend keeps one. */
export type MetricsPart = "operations" | "state" | "log";

/** Where the operations of a store are measured. */
export interface StoreMetrics {
  /** Whether operations are measured. */
  readonly operations: boolean;
  /** Operations under way. */
  inFlight: number;
  succeeded(operation: OperationName, durationMs: number, result: unknown): void;
  failed(operation: OperationName, durationMs: number, errorName: string): void;
  /** Sets the state gauges. */
  report(stats: KvStats): void;
  /** @throws MetricsUnavailableError */
  snapshot(): MetricsSnapshot;
  /** The text format of Prometheus, this store only. Rejects with `MetricsUnavailableError`. */
  text(): Promise<string>;
}

export class OperationMetrics implements StoreMetrics {
  readonly operations: boolean;
  readonly storeName: string | undefined;
  /** Labels of every sample. */
  readonly labels: Readonly<Record<string, string>>;
  readonly tallies = new Map<OperationName, OperationTally>();
  inFlight = 0;
  state: KvStats | undefined;
  readonly #options: KvOptions;

  /** @throws InvalidOptionsError when the registry of the options has such metrics already. */
  constructor(options: KvOptions) {
    const { name, backend, trackKeys, serialization, operationMetrics, metricsRegistry } = options;
    this.operations = operationMetrics;
    this.storeName = name;
    const labels = { backend, track_keys: String(trackKeys), serialization };
    this.labels = name === undefined ? labels : { ...labels, store: name };
    this.#options = options;
    if (metricsRegistry !== undefined) expose(this, metricsRegistry);
  }

  succeeded(operation: OperationName, durationMs: number, result: unknown): void {
    const tally = this.#tally(operation);
    tally.ok.observe(durationMs);
    if (tally.empty !== undefined && isEmptyDraw(result)) tally.empty++;
  }

  failed(operation: OperationName, durationMs: number, errorName: string): void {
    const tally = this.#tally(operation);
    tally.failed.observe(durationMs);
    tally.errors.set(errorName, (tally.errors.get(errorName) ?? 0) + 1);
  }

  report(stats: KvStats): void {
    this.state = stats;
  }

  has(part: MetricsPart): boolean {
    if (part === "operations") return this.operations;
    return part === "state" || this.#options.backend === "wal";
  }

  reset(part: MetricsPart): void {
    if (part === "operations") this.tallies.clear();
    else this.state = undefined;
  }

  snapshot(): MetricsSnapshot {
    this.#assertAvailable();
    const { name = "default", backend, serialization, trackKeys } = this.#options;
    const entries = Array.from(this.tallies, ([op, tally]) => [op, operationSnapshot(tally)]);
    return {
      store: name,
      backend,
      serialization,
      trackKeys,
      operations: this.operations ? Object.fromEntries(entries) : null,
      inFlight: this.inFlight,
      state: this.state === undefined ? null : stateSnapshot(this.state),
    };
  }

  async text(): Promise<string> {
    this.#assertAvailable();
    const { Registry } = await import("prom-client");
    const registry = new Registry();
    expose(this, registry);
    return registry.metrics();
  }

  #tally(operation: OperationName): OperationTally {
    const known = this.tallies.get(operation);
    if (known !== undefined) return known;
    const tally = new OperationTally(operation);
    this.tallies.set(operation, tally);
    return tally;
  }

  #assertAvailable(): void {
    if (this.operations || this.state !== undefined) return;
    throw new MetricsUnavailableError("this store has no metrics", {
      hint: "open it with `metrics: { operations: true }`, or call `reportStats()` first",
    });
  }
}

function operationSnapshot(tally: OperationTally): OperationSnapshot {
  const { ok, failed, errors, failureRate, emptyRate } = tally;
  return {
    total: ok.count + failed.count,
    ok: ok.count,
    error: failed.count,
    failureRate,
    errors: Object.fromEntries(errors),
    durationMs: durationSnapshot(ok, failed),
    emptyRate,
  };
}

function durationSnapshot(...parts: readonly DurationHistogram[]): DurationSnapshot {
  const all = new DurationHistogram();
  for (const part of parts) all.add(part);
  return {
    count: all.count,
    sum: all.sumMs,
    p50: all.quantileMs(0.5),
    p90: all.quantileMs(0.9),
    p95: all.quantileMs(0.95),
    p99: all.quantileMs(0.99),
    max: all.maxMs,
  };
}

function stateSnapshot({ count, claims, index, disk }: KvStats): StateSnapshot {
  return {
    keys: count,
    claimsLive: claims.live,
    claimsExpired: claims.expired,
    index:
      index === null
        ? null
        : {
            keysList: index.keysList,
            keysMap: index.keysMap,
            ost: index.ost,
            consistent: index.consistent,
          },
    diskSizeBytes: disk === null ? null : disk.sizeBytes,
    log: disk?.log === undefined ? null : structuredClone(disk.log),
  };
}
