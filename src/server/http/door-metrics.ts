// Door metrics: what the door counts about itself, beside the metrics of the store.
//
// Counting is plain arithmetic; prom-client is loaded when somebody first asks for the text.

import type { Registry } from "prom-client";
import type { Kv } from "../../kv/kv.js";
import type { Figure } from "../figures.js";

/** The present levels. */
export interface Levels {
  readonly connections: number;
  readonly requests: number;
  readonly eventStreams: number;
  /** Of another door. */
  readonly others: readonly Figure[];
}

export class DoorMetrics {
  /** Answers by route and status. */
  readonly #answers = new Map<string, Map<number, number>>();
  /** Requests that could not be read. */
  #unreadable = 0;

  answered(route: string, status: number): void {
    let statuses = this.#answers.get(route);
    if (statuses === undefined) {
      statuses = new Map();
      this.#answers.set(route, statuses);
    }
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }

  unreadable(): void {
    this.#unreadable++;
  }

  /** The text format of Prometheus: the store, its state as it is now, and the door. */
  async text(kv: Kv, levels: Levels): Promise<string> {
    await kv.reportStats();
    const store = await kv.metricsText();
    return `${store}${store.endsWith("\n") ? "" : "\n"}${await this.#ownText(levels)}`;
  }

  async #ownText(levels: Levels): Promise<string> {
    const prometheus = await import("prom-client");
    const { Counter, Gauge, Registry } = prometheus;
    const registry = new Registry();
    const registers = [registry];
    const answers = new Counter({
      name: "anykv_http_requests_total",
      help: "Answered HTTP requests by operation and status.",
      labelNames: ["operation", "status"],
      registers,
    });
    for (const [operation, statuses] of this.#answers) {
      for (const [status, count] of statuses) answers.inc({ operation, status }, count);
    }
    const unreadable = new Counter({
      name: "anykv_http_unreadable_requests_total",
      help: "Requests that were no HTTP, too long or too slow.",
      registers,
    });
    unreadable.inc(this.#unreadable);
    const gauge = (name: string, help: string, value: number): void =>
      new Gauge({ name, help, registers }).set(value);
    gauge("anykv_http_connections", "Open connections.", levels.connections);
    gauge("anykv_http_requests_in_flight", "Requests under way.", levels.requests);
    gauge("anykv_http_event_streams", "Open streams of events.", levels.eventStreams);
    for (const figure of levels.others) show(figure, prometheus, registry);
    return registry.metrics();
  }
}

function show(
  { name, help, kind, value }: Figure,
  { Counter, Gauge }: typeof import("prom-client"),
  registry: Registry,
): void {
  const labels = typeof value === "number" ? [] : [value.label];
  const options = { name, help, labelNames: labels, registers: [registry] };
  const metric = kind === "counter" ? new Counter(options) : new Gauge(options);
  if (typeof value === "number") metric.inc(value);
  else for (const [label, count] of value.values) metric.inc({ [value.label]: label }, count);
}
