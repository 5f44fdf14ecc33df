// Metric families: names, meaning and labels of all metrics, as collectors of prom-client.
//
// A family is what a registry of prom-client takes for a metric: it has a name, a type and `get`.
// It keeps no numbers of its own and reads those of its stores when it is collected, so that an
// operation only has to count up a few plain fields. Names, labels and meaning are part of the API.
//
// Stores that share a registry share its families. The store without a name has exactly the labels
// of the families; a named one has its name as `store` beside them, so no two samples are alike.

import { InvalidOptionsError } from "../base/errors.js";
import { type DurationHistogram, durationBoundsMs } from "./duration-histogram.js";
import {
  counts,
  type FamilyDefinition,
  type Labels,
  levels,
  rates,
  type Sample,
} from "./metric-definition.js";
import type { OperationMetrics, OperationTally } from "./metrics.js";
import type { MetricsRegistry } from "./options/metrics-options.js";
import { stateDefinitions } from "./state-metrics.js";

const definitions: readonly FamilyDefinition[] = [
  {
    name: "xk6_kv_operations_total",
    help: "Settled operations.",
    ...counts,
    of: "operations",
    samples: (metrics) => byStatus(metrics, ({ count }, labels) => [{ labels, value: count }]),
  },
  {
    name: "xk6_kv_operation_duration",
    help: "Duration of operations in milliseconds; 0 where arguments were refused.",
    type: "histogram",
    aggregator: "sum",
    of: "operations",
    samples: (metrics) => byStatus(metrics, durationSamples),
  },
  {
    name: "xk6_kv_operation_failed",
    help: "Share of operations that failed, 0 to 1.",
    ...rates,
    of: "operations",
    samples: (metrics) =>
      byOperation(metrics, ({ failureRate }, labels) => [{ labels, value: failureRate }]),
  },
  {
    name: "xk6_kv_errors_total",
    help: "Failed operations by the name of the error.",
    ...counts,
    of: "operations",
    samples: (metrics) =>
      byOperation(metrics, ({ errors }, labels) =>
        Array.from(errors, ([name, value]) => ({ labels: { ...labels, error_type: name }, value })),
      ),
  },
  {
    name: "xk6_kv_empty_result",
    help: "Share of successful draws from a pool that found nothing, 0 to 1.",
    ...rates,
    of: "operations",
    samples: (metrics) =>
      byOperation(metrics, ({ emptyRate }, labels) =>
        emptyRate === null ? [] : [{ labels, value: emptyRate }],
      ),
  },
  {
    name: "xk6_kv_async_in_flight",
    help: "Operations under way.",
    ...levels,
    of: "operations",
    samples: ({ labels, inFlight }) => [{ labels, value: inFlight }],
  },
  ...stateDefinitions,
];

function byOperation(
  { tallies, labels }: OperationMetrics,
  samples: (tally: OperationTally, labels: Labels) => Sample[],
): Sample[] {
  return Array.from(tallies).flatMap(([op, tally]) => samples(tally, { op, ...labels }));
}

function byStatus(
  metrics: OperationMetrics,
  samples: (durations: DurationHistogram, labels: Labels) => Sample[],
): Sample[] {
  return byOperation(metrics, ({ ok, failed }, labels) => [
    ...(ok.count === 0 ? [] : samples(ok, { ...labels, status: "ok" })),
    ...(failed.count === 0 ? [] : samples(failed, { ...labels, status: "error" })),
  ]);
}

function durationSamples(durations: DurationHistogram, labels: Labels): Sample[] {
  const name = "xk6_kv_operation_duration";
  let cumulative = 0;
  const buckets = durations.counts.map((count, slot) => {
    cumulative += count;
    const le = durationBoundsMs[slot] ?? "+Inf";
    return { labels: { le, ...labels }, value: cumulative, metricName: `${name}_bucket` };
  });
  return [
    ...buckets,
    { labels, value: durations.sumMs, metricName: `${name}_sum` },
    { labels, value: durations.count, metricName: `${name}_count` },
  ];
}

/** The stores of a registry by name; a store that is opened again takes the place of the old one. */
type Sources = Map<string | undefined, OperationMetrics>;

class MetricFamily {
  /** Not the key in a registry: an OpenMetrics registry cuts `_total` off. */
  name: string;
  readonly help: string;
  readonly type: FamilyDefinition["type"];
  readonly aggregator: FamilyDefinition["aggregator"];
  readonly #definition: FamilyDefinition;
  readonly #sources: Sources;

  constructor(definition: FamilyDefinition, sources: Sources) {
    this.name = definition.name;
    this.help = definition.help;
    this.type = definition.type;
    this.aggregator = definition.aggregator;
    this.#definition = definition;
    this.#sources = sources;
  }

  async get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    const { of, samples } = this.#definition;
    const collected = [...this.#sources.values()].filter((metrics) => metrics.has(of));
    return { name, help, type, aggregator, values: collected.flatMap(samples) };
  }

  /** Part of what `registry.resetMetrics()` does. Operation families have their counts in common. */
  reset(): void {
    for (const metrics of this.#sources.values()) metrics.reset(this.#definition.of);
  }
}

class Exposition {
  readonly sources: Sources = new Map();
  readonly families = definitions.map((definition) => ({
    definition,
    family: new MetricFamily(definition, this.sources),
  }));
}

const expositions = new WeakMap<MetricsRegistry, Exposition>();

/**
 * Lets a registry show the metrics of a store, beside those of other stores.
 * @throws InvalidOptionsError when the registry has another metric of one of the names.
 */
export function expose(metrics: OperationMetrics, registry: MetricsRegistry): void {
  const exposition = expositions.get(registry) ?? new Exposition();
  const wanted = exposition.families.filter(({ definition }) => metrics.has(definition.of));
  for (const { definition, family } of wanted) {
    const present = registry.getSingleMetric(definition.name);
    if (present === undefined || present === family) continue;
    throw new InvalidOptionsError(
      `option "metrics.registry" already has another metric named ${definition.name}`,
    );
  }
  for (const { definition, family } of wanted) {
    if (registry.getSingleMetric(definition.name) === undefined) registry.registerMetric(family);
  }
  exposition.sources.set(metrics.storeName, metrics);
  expositions.set(registry, exposition);
}
