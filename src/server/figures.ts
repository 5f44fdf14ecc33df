// Figures: what a door tells of itself, for whoever shows it.

export interface Figure {
  /** As Prometheus has them: counters end in "_total". */
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge";
  /** One value, or one for each value of a label. */
  readonly value: number | { readonly label: string; readonly values: ReadonlyMap<string, number> };
}
