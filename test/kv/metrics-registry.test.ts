// Metrics in a registry of the application: several stores beside its own families.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenKvOptions } from "anykv";
import { Counter, Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { parse, valuesOf } from "./exposition.js";
import { open } from "./measured-store.js";

describe("a registry of the application", () => {
  const measured = (registry: Registry): OpenKvOptions => ({
    metrics: { operations: true, registry },
  });

  test("shows the metrics of all its stores, and its own", async () => {
    const registry = new Registry();
    const own = new Counter({ name: "own_total", help: "Its own.", registers: [registry] });
    const orders = open({ name: "orders", ...measured(registry) });
    const users = open({ name: "users", ...measured(registry) });
    const quiet = open({ name: "quiet", metrics: { registry } });
    own.inc(3);
    await orders.size();
    await users.size();
    await users.size();
    await quiet.size();
    await quiet.reportStats();
    const samples = parse(await registry.metrics());
    expect(valuesOf(samples, "own_total")).toEqual({ "": 3 });
    expect(valuesOf(samples, "xk6_kv_operations_total", "store")).toEqual({ orders: 1, users: 2 });
    expect(valuesOf(samples, "xk6_kv_async_in_flight", "store")).toEqual({ orders: 0, users: 0 });
    expect(valuesOf(samples, "xk6_kv_keys", "store")).toEqual({ quiet: 0 });
    const alone = parse(await users.metricsText());
    expect(valuesOf(alone, "xk6_kv_operations_total", "store")).toEqual({ users: 2 });
  });

  test("has them from the opening on", async () => {
    const registry = new Registry();
    open(measured(registry));
    const names = registry.getMetricsAsArray().map(({ name }) => name);
    expect(names).toEqual([
      "xk6_kv_operations_total",
      "xk6_kv_operation_duration",
      "xk6_kv_operation_failed",
      "xk6_kv_errors_total",
      "xk6_kv_empty_result",
      "xk6_kv_async_in_flight",
      "xk6_kv_keys",
      "xk6_kv_claims_live",
      "xk6_kv_claims_expired",
      "xk6_kv_index_keys",
      "xk6_kv_index_consistent",
      "xk6_kv_disk_size_bytes",
    ]);
    const stateOnly = new Registry();
    open({ metrics: { registry: stateOnly } });
    expect(stateOnly.getMetricsAsArray().map(({ name }) => name)).toEqual(names.slice(6));
  });

  test("has those of the log only once a store with a log is in it", async () => {
    const registry = new Registry();
    const path = mkdtempSync(join(tmpdir(), "anykv-metrics-"));
    open({ metrics: { registry } });
    const names = () => registry.getMetricsAsArray().map(({ name }) => name);
    expect(names().some((name) => name.includes("_log_"))).toBe(false);
    const kv = open({ backend: "wal", path, metrics: { registry } });
    expect(names().filter((name) => name.includes("_log_"))).toHaveLength(12);
    await kv.close();
    rmSync(path, { recursive: true, force: true });
  });

  test("is chosen by the first handle, and no reason for a conflict", async () => {
    const [first, second] = [new Registry(), new Registry()];
    const kv = open({ name: "twice", ...measured(first) });
    const again = open({ name: "twice", ...measured(second) });
    await again.size();
    expect(valuesOf(parse(await first.metrics()), "xk6_kv_operations_total", "op")).toEqual({
      size: 1,
    });
    expect(second.getMetricsAsArray()).toEqual([]);
    await kv.close();
  });

  test("shows a store that was opened again in place of the one before", async () => {
    const registry = new Registry();
    const before = open({ name: "again", ...measured(registry) });
    await before.size();
    await before.close();
    const total = async (): Promise<object> =>
      valuesOf(parse(await registry.metrics()), "xk6_kv_operations_total", "op");
    expect(await total()).toEqual({ size: 1 });
    const after = open({ name: "again", serialization: "string", ...measured(registry) });
    await after.exists("key");
    expect(await total()).toEqual({ exists: 1 });
  });

  test("may be reset, and cleared", async () => {
    const registry = new Registry();
    const kv = open({ name: "reset", ...measured(registry) });
    await kv.size();
    await kv.reportStats();
    registry.resetMetrics();
    expect(await kv.metrics()).toMatchObject({ operations: {}, state: null });
    registry.clear();
    open({ name: "after-clear", ...measured(registry) });
    await kv.size();
    const samples = parse(await registry.metrics());
    expect(valuesOf(samples, "xk6_kv_operations_total", "store")).toEqual({ reset: 1 });
  });

  test("may have the content type of OpenMetrics", async () => {
    const registry = new Registry();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    const kv = open({ name: "open-metrics", ...measured(registry) });
    await kv.size();
    for (const _ of [1, 2]) {
      const text = await registry.metrics();
      expect(text).toContain("# TYPE xk6_kv_operations counter\nxk6_kv_operations_total{");
      expect(text.endsWith("# EOF\n")).toBe(true);
    }
    await open({ name: "open-metrics-too", ...measured(registry) }).size();
    const counted = (await registry.metrics()).split("\n").filter((line) => {
      return line.startsWith("xk6_kv_operations_total{");
    });
    expect(counted).toHaveLength(2);
  });

  test("gives its metrics as JSON, which the workers of a cluster send", async () => {
    const registry = new Registry();
    const kv = open(measured(registry));
    await kv.size();
    const [operations] = await registry.getMetricsAsJSON();
    expect(operations).toMatchObject({
      name: "xk6_kv_operations_total",
      type: "counter",
      aggregator: "sum",
      values: [{ value: 1, labels: { op: "size", status: "ok" } }],
    });
  });

  test("with a metric of one of the names is refused, and the store not opened", async () => {
    const registry = new Registry();
    const name = "xk6_kv_errors_total";
    new Counter({ name, help: "Another.", registers: [registry] });
    expect(() => open({ name: "clash", ...measured(registry) })).toThrow(name);
    expect(registry.getMetricsAsArray()).toHaveLength(1);
    const kv = open({ name: "clash", metrics: { registry } });
    await kv.reportStats();
    expect(await kv.metrics()).toMatchObject({ operations: null, state: { keys: 0 } });
  });

  test("is a Registry, and nothing else", () => {
    for (const registry of [0, true, "registry", [], {}, { registerMetric: 1 }]) {
      const metrics = { operations: true, registry } as never;
      expect(() => open({ metrics })).toThrow(
        expect.objectContaining({ name: "InvalidOptionsError" }),
      );
    }
  });
});
