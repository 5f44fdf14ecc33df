// State metrics: what `reportStats()` last saw, of the data and of the log.

import type { LogReport } from "../engine/engine.js";
import { counts, type FamilyDefinition, levels, rates, type Sample } from "./metric-definition.js";
import type { OperationMetrics } from "./metrics.js";
import type { KvStats } from "./types.js";

export const stateDefinitions: readonly FamilyDefinition[] = [
  stateGauge("xk6_kv_keys", "Keys that hold values.", ({ count }) => count),
  stateGauge("xk6_kv_claims_live", "Live claims.", ({ claims }) => claims.live),
  stateGauge("xk6_kv_claims_expired", "Expired claims, not removed yet.", ({ claims }) => {
    return claims.expired;
  }),
  {
    name: "xk6_kv_index_keys",
    help: "Keys in the key index, by its parts.",
    ...levels,
    of: "state",
    samples: ({ labels, state }) => {
      if (!state?.index) return [];
      const { keysList, keysMap, ost } = state.index;
      return Object.entries({ keys_list: keysList, keys_map: keysMap, ost }).map(
        ([index, value]) => ({ labels: { ...labels, index }, value }),
      );
    },
  },
  {
    ...stateGauge(
      "xk6_kv_index_consistent",
      "1 when the key index agrees with the data.",
      (stats) => (stats.index === null ? undefined : Number(stats.index.consistent)),
    ),
    aggregator: "min",
  },
  stateGauge("xk6_kv_disk_size_bytes", "Size of the files of the store.", ({ disk }) => {
    return disk?.sizeBytes;
  }),
  logMetric("xk6_kv_log_segments", "Segments of the log.", levels, (log) => log.segments),
  logMetric(
    "xk6_kv_log_unsynced_records",
    "Records that a power cut would lose now.",
    levels,
    ({ appended, durable }) => appended - durable,
  ),
  logMetric("xk6_kv_log_frames_total", "Frames written.", counts, ({ frames }) => frames),
  logMetric("xk6_kv_log_bytes_total", "Bytes written to the log.", counts, ({ bytes }) => bytes),
  logMetric("xk6_kv_log_syncs_total", "Syncs of the log.", counts, ({ syncs }) => syncs),
  logMetric("xk6_kv_log_rotations_total", "Segments ended.", counts, (log) => log.rotations),
  logMetric("xk6_kv_log_states_total", "States written.", counts, ({ states }) => states),
  logMetric(
    "xk6_kv_log_state_failed",
    "1 when the last attempt to write a state, or to clean up behind it, failed.",
    levels,
    ({ stateError }) => Number(stateError !== null),
  ),
  logMetric(
    "xk6_kv_log_state_compression",
    "Size of the last state against its rows uncompressed.",
    rates,
    ({ compressionRatio }) => compressionRatio ?? undefined,
  ),
  logMetric(
    "xk6_kv_log_recovered_rows",
    "Rows of the state that opening found.",
    levels,
    ({ recovered }) => recovered.stateRows,
  ),
  logMetric(
    "xk6_kv_log_recovered_records",
    "Records that opening replayed.",
    levels,
    ({ recovered }) => recovered.records,
  ),
  logMetric(
    "xk6_kv_log_torn_bytes",
    "Bytes of a torn write that opening cut off.",
    levels,
    ({ recovered }) => recovered.tornBytes,
  ),
];

function stateGauge(
  name: string,
  help: string,
  value: (stats: KvStats) => number | undefined,
): FamilyDefinition {
  const samples = ({ labels, state }: OperationMetrics): Sample[] => {
    const found = state === undefined ? undefined : value(state);
    return found === undefined ? [] : [{ labels, value: found }];
  };
  return { name, help, ...levels, of: "state", samples };
}

function logMetric(
  name: string,
  help: string,
  kind: Pick<FamilyDefinition, "type" | "aggregator">,
  value: (log: LogReport) => number | undefined,
): FamilyDefinition {
  const ofLog = ({ disk }: KvStats) => (disk?.log === undefined ? undefined : value(disk.log));
  return { ...stateGauge(name, help, ofLog), ...kind, of: "log" };
}
