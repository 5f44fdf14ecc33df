// Metrics of k6: operations and state as custom metrics of the test, under the names, types and tags
// of the seeds, so that thresholds written for them hold.
//
// Tags tell what the script has asked for: `backend` is its option, whatever server answers.

import { Counter, Gauge, Rate, Trend } from "k6/metrics";
import { InvalidOptionsError, MetricsUnavailableError } from "../base/errors.js";
import type { MetricsSnapshot, StoreMetrics } from "../kv/metrics.js";
import { isEmptyDraw, type OperationName, poolOperations } from "../kv/operation-names.js";
import type { KvStats } from "../kv/types.js";

type Tags = Readonly<Record<string, string>>;

interface StateGauges {
  readonly keys: Gauge;
  readonly claimsLive: Gauge;
  readonly claimsExpired: Gauge;
  readonly indexKeys: Gauge;
  readonly indexConsistent: Gauge;
  readonly diskSizeBytes: Gauge;
}

interface OperationGauges {
  readonly total: Counter;
  readonly duration: Trend;
  readonly failed: Rate;
  readonly errors: Counter;
  readonly empty: Rate;
  readonly inFlight: Gauge;
}

/** @throws what k6 throws outside of the init context. */
function stateGauges(): StateGauges {
  return {
    keys: new Gauge("xk6_kv_keys"),
    claimsLive: new Gauge("xk6_kv_claims_live"),
    claimsExpired: new Gauge("xk6_kv_claims_expired"),
    indexKeys: new Gauge("xk6_kv_index_keys"),
    indexConsistent: new Gauge("xk6_kv_index_consistent"),
    diskSizeBytes: new Gauge("xk6_kv_disk_size_bytes"),
  };
}

function operationGauges(): OperationGauges {
  return {
    total: new Counter("xk6_kv_operations_total"),
    duration: new Trend("xk6_kv_operation_duration", true),
    failed: new Rate("xk6_kv_operation_failed"),
    errors: new Counter("xk6_kv_errors_total"),
    empty: new Rate("xk6_kv_empty_result"),
    inFlight: new Gauge("xk6_kv_async_in_flight"),
  };
}

/**
 * The metrics that are declared at every opening. k6 allows it in the init context alone, which is
 * the one way to know it.
 *
 * @throws InvalidOptionsError outside of the init context.
 */
export function declareState(): StateGauges {
  try {
    return stateGauges();
  } catch (cause) {
    throw new InvalidOptionsError("openKv must be called in init context", {
      hint: "call it at the top of the script, outside of functions",
      cause: new Error(String(cause)),
    });
  }
}

/** The tags of one operation; made once. */
interface OperationTags {
  readonly plain: Tags;
  readonly ok: Tags;
  readonly error: Tags;
}

export class K6Metrics implements StoreMetrics {
  readonly #state: StateGauges;
  readonly #operations: OperationGauges | undefined;
  readonly #common: Tags;
  readonly #tags = new Map<OperationName, OperationTags>();
  #inFlight = 0;

  constructor(state: StateGauges, common: Tags, operations: boolean) {
    this.#state = state;
    this.#common = common;
    this.#operations = operations ? operationGauges() : undefined;
  }

  get operations(): boolean {
    return this.#operations !== undefined;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Of this virtual user; a broken iteration leaves its calls counted, hence the bound. */
  set inFlight(count: number) {
    this.#inFlight = Math.max(0, count);
    emit(() => this.#operations?.inFlight.add(this.#inFlight, this.#common));
  }

  succeeded(operation: OperationName, durationMs: number, result: unknown): void {
    const metrics = this.#operations;
    if (metrics === undefined) return;
    const { plain, ok } = this.#tagsOf(operation);
    emit(() => {
      metrics.total.add(1, ok);
      metrics.duration.add(durationMs, ok);
      metrics.failed.add(0, plain);
      if (poolOperations.has(operation)) metrics.empty.add(isEmptyDraw(result) ? 1 : 0, plain);
    });
  }

  failed(operation: OperationName, durationMs: number, errorName: string): void {
    const metrics = this.#operations;
    if (metrics === undefined) return;
    const { plain, error } = this.#tagsOf(operation);
    emit(() => {
      metrics.total.add(1, error);
      metrics.duration.add(durationMs, error);
      metrics.failed.add(1, plain);
      metrics.errors.add(1, { ...plain, error_type: errorName });
    });
  }

  /** @throws MetricsUnavailableError in the init context. */
  report({ count, claims, index, disk }: KvStats): void {
    const [state, tags] = [this.#state, this.#common];
    try {
      state.keys.add(count, tags);
      state.claimsLive.add(claims.live, tags);
      state.claimsExpired.add(claims.expired, tags);
      if (index !== null) {
        state.indexKeys.add(index.keysList, { ...tags, index: "keys_list" });
        state.indexKeys.add(index.keysMap, { ...tags, index: "keys_map" });
        state.indexKeys.add(index.ost, { ...tags, index: "ost" });
        state.indexConsistent.add(index.consistent ? 1 : 0, tags);
      }
      if (disk !== null) state.diskSizeBytes.add(disk.sizeBytes, tags);
    } catch (cause) {
      throw new MetricsUnavailableError("there are no metrics in the init context", {
        cause: new Error(String(cause)),
      });
    }
  }

  snapshot(): MetricsSnapshot {
    throw new MetricsUnavailableError("k6 collects the metrics itself", {
      hint: "read them in its summary, its outputs and its thresholds",
    });
  }

  async text(): Promise<string> {
    return JSON.stringify(this.snapshot());
  }

  #tagsOf(op: OperationName): OperationTags {
    const known = this.#tags.get(op);
    if (known !== undefined) return known;
    const plain = { ...this.#common, op };
    const tags = { plain, ok: { ...plain, status: "ok" }, error: { ...plain, status: "error" } };
    this.#tags.set(op, tags);
    return tags;
  }
}

/** In the init context, where operations are refused, k6 takes no samples. */
function emit(samples: () => void): void {
  try {
    samples();
  } catch {
    // Nobody is there to count.
  }
}
