// openKv in k6: the one way to a store, at the top of a script.
//
// Every virtual user runs the script from its top, so every one has its own handles and connections;
// the store is the server's and the same for all of them. Lock-in as in the seeds: the first successful
// call fixes the options of a store, also after its handles have closed.

import "./host/missing-names.js";
import { KVOptionsConflictError } from "../base/errors.js";
import type { KvOptions } from "../kv/options/options.js";
import { formatOf } from "../kv/serialization/format.js";
import { HttpTransport } from "./http-transport.js";
import type { KV, OpenKvOptions } from "./k6.js";
import { K6Connection } from "./k6-connection.js";
import { k6Env } from "./k6-env.js";
import { K6Kv, type K6Shared } from "./k6-kv.js";
import { declareState, K6Metrics } from "./k6-metrics.js";
import { differingOptions, type K6Options, k6Options } from "./k6-options.js";
import { K6Store } from "./k6-store.js";
import { RedisTransport } from "./redis-transport.js";
import type { Transport } from "./transport.js";

interface OpenedStore {
  readonly options: K6Options;
  readonly shared: K6Shared;
}

const stores = new Map<string | undefined, OpenedStore>();

/** See k6.d.ts, which is what editors show. */
export function openKv(given?: OpenKvOptions | null): KV {
  const state = declareState();
  const options = k6Options(given);
  const known = stores.get(options.name);
  if (known !== undefined) {
    refuseConflict(known.options, options);
    return new K6Kv(known.shared) as unknown as KV;
  }
  const { backend, trackKeys, serialization, operationMetrics } = options;
  const tags = { backend, track_keys: String(trackKeys), serialization };
  const shared = sharedStore(options, new K6Metrics(state, tags, operationMetrics));
  stores.set(options.name, { options, shared });
  return new K6Kv(shared) as unknown as KV;
}

function sharedStore(options: K6Options, metrics: K6Metrics): K6Shared {
  const { name, prefix, partitions, disk } = options;
  const readOnly = disk.flags?.readOnly === true;
  const names = { prefix, store: name, partitions, readOnly };
  const connection = new K6Connection(transportOf(options), names);
  return {
    options: kvOptions(options),
    format: formatOf(options.serialization),
    store: new K6Store(connection, options),
    metrics,
    connection,
    // Nobody is waited for: the promise of a broken iteration never settles.
    attend: () => {},
    release: async () => {},
  };
}

function transportOf({ transport, url, token, commandTimeoutMs }: K6Options): Transport {
  return transport === "http"
    ? new HttpTransport(url, token, commandTimeoutMs)
    : new RedisTransport(url, commandTimeoutMs);
}

/** What the methods of a store look at. */
function kvOptions(options: K6Options): KvOptions {
  const { name, path, serialization, trackKeys, operationMetrics, shardCount, disk } = options;
  return {
    ...{ name, path, serialization, trackKeys, operationMetrics, shardCount, disk },
    backend: "valkey",
    shared: { timeoutMs: 0 } as KvOptions["shared"],
    wal: {},
    valkey: undefined,
    metricsRegistry: undefined,
    onProgress: undefined,
    env: k6Env,
  };
}

function refuseConflict(locked: K6Options, asked: K6Options): void {
  const differing = differingOptions(locked, asked);
  if (differing.length === 0) return;
  const { backend, path, serialization, trackKeys, operationMetrics } = locked;
  const store = locked.name === undefined ? "the store" : `the store "${locked.name}"`;
  throw new KVOptionsConflictError(
    `${store} was opened with backend=${backend}, path=${path || "none"}, ` +
      `serialization=${serialization}, trackKeys=${trackKeys}, ` +
      `metrics.operations=${operationMetrics}; the options differ in ${differing.join(", ")}`,
    { hint: "pass the same options everywhere, or open a store of its own with `name`" },
  );
}
