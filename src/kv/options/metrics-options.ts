// Options of metrics. The registry is where they are shown, not what the store is: it takes no part
// in comparing options, and the first handle of a store decides.

import { booleanField, type Fields, field, refuse } from "../arguments.js";
import { namesOf } from "../option-names.js";

/** What is used of a `Registry` of prom-client, in whatever copy the application has. */
export interface MetricsRegistry {
  registerMetric(metric: object): void;
  getSingleMetric(name: string): unknown;
}

export interface MetricsOptions {
  /** Count and time every operation; default false. */
  operations?: boolean | undefined;
  /** A `Registry` of prom-client that shall show the metrics of this store too. */
  registry?: MetricsRegistry | undefined;
}

export const metricsNames: ReadonlySet<string> = namesOf<MetricsOptions>({
  operations: true,
  registry: true,
});

export interface MetricsSettings {
  readonly operationMetrics: boolean;
  readonly metricsRegistry: MetricsRegistry | undefined;
}

/** @throws InvalidOptionsError */
export function metricsSettings(fields: Fields): MetricsSettings {
  const registry = field(fields, "registry");
  return {
    operationMetrics: booleanField(fields, "operations", false, "metrics.operations"),
    metricsRegistry: registry === undefined ? undefined : registryOption(registry),
  };
}

function registryOption(registry: unknown): MetricsRegistry {
  const { registerMetric, getSingleMetric } = registry as Partial<MetricsRegistry>;
  if (typeof registerMetric === "function" && typeof getSingleMetric === "function") {
    return registry as MetricsRegistry;
  }
  return refuse('option "metrics.registry"', "a Registry of prom-client", registry);
}
