// Metric definition: what one metric is called, means, and shows of a store.

import type { MetricsPart, OperationMetrics } from "./metrics.js";

export type Labels = Readonly<Record<string, string | number>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Where it is not the name of the family. */
  readonly metricName?: string;
}

export interface FamilyDefinition {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** How prom-client sums up the workers of a cluster. */
  readonly aggregator: "sum" | "average" | "min";
  /** Collected only from stores that have this part. */
  readonly of: MetricsPart;
  samples(metrics: OperationMetrics): Sample[];
}

export const rates = { type: "gauge", aggregator: "average" } as const;
export const counts = { type: "counter", aggregator: "sum" } as const;
export const levels = { type: "gauge", aggregator: "sum" } as const;
