// Metrics: what is counted, under which names and labels it appears, and where it can be seen.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kv, type MetricsSnapshot, openKv } from "anykv";
import { describe, expect, test } from "vitest";
import { durationBoundsMs } from "../../src/kv/duration-histogram.js";
import { filterOperationNames, operationNames } from "../../src/kv/operation-names.js";
import { virtualEnv } from "../../src/testing/virtual-env.js";
import { everyFilterOperation, everyOperation, secret } from "./every-operation.js";
import { parse, valuesOf } from "./exposition.js";
import { open } from "./measured-store.js";

/** What a reading of the virtual clock adds to a duration. */
const tickMs = 0.25;

/** Seven successes and five failures; one of each two draws finds nothing. */
async function mixedOperations(kv: Kv): Promise<void> {
  await kv.set("user:1", "Ada");
  await kv.set("user:2", "Bob");
  await kv.get("user:1");
  await kv.claimRandom({ prefix: "user:" });
  await kv.claimRandom({ prefix: "none:" });
  await kv.filter("seen").add("x");
  await kv.releaseClaims([{ id: "unknown", key: "user:1", token: 1 }]);
  const failing = [
    () => kv.get("user:3"),
    () => kv.get("user:4"),
    () => kv.get(""),
    () => kv.append("user:1", 1),
    () => kv.filter("seen").add(""),
  ];
  for (const call of failing) await expect(call()).rejects.toThrow();
}

function withoutDurations({ operations, ...rest }: MetricsSnapshot): object {
  const counted = Object.entries(operations ?? {}).map(([name, { durationMs, ...counts }]) => {
    expect(durationMs.count).toBe(counts.total);
    return [name, counts];
  });
  return { ...rest, operations: Object.fromEntries(counted) };
}

const onlyOk = { error: 0, failureRate: 0, errors: {}, emptyRate: null };

describe("metrics()", () => {
  test("counts calls, failures by name, and empty draws", async () => {
    const kv = open({ name: "mixed" });
    await mixedOperations(kv);
    expect(withoutDurations(await kv.metrics())).toEqual({
      store: "mixed",
      backend: "memory",
      serialization: "json",
      trackKeys: false,
      inFlight: 0,
      state: null,
      operations: {
        set: { total: 2, ok: 2, ...onlyOk },
        get: {
          total: 4,
          ok: 1,
          error: 3,
          failureRate: 0.75,
          errors: { KeyNotFoundError: 2, InvalidOptionsError: 1 },
          emptyRate: null,
        },
        claim_random: { total: 2, ok: 2, ...onlyOk, emptyRate: 0.5 },
        filter_add: {
          total: 2,
          ok: 1,
          error: 1,
          failureRate: 0.5,
          errors: { InvalidOptionsError: 1 },
          emptyRate: null,
        },
        release_claims: { total: 1, ok: 1, ...onlyOk },
        append: {
          total: 1,
          ok: 0,
          error: 1,
          failureRate: 1,
          errors: { WrongTypeError: 1 },
          emptyRate: null,
        },
      },
    });
  });

  test("is plain data, the caller's own", async () => {
    const kv = open();
    await mixedOperations(kv);
    await kv.reportStats();
    const snapshot = await kv.metrics();
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
    expect(await kv.metrics()).toEqual(snapshot);
    snapshot.operations!.get!.total = 99;
    expect((await kv.metrics()).operations?.get?.total).toBe(4);
  });

  test("counts every operation once under its name", async () => {
    const kv = open();
    for (const call of Object.values(everyOperation)) await call(kv);
    for (const call of Object.values(everyFilterOperation)) await call(kv.filter("bucket"));
    const { operations } = await kv.metrics();
    const names = [...Object.values(operationNames), ...Object.values(filterOperationNames)];
    expect(Object.keys(operations!).sort()).toEqual(names.sort());
    for (const { total, ok } of Object.values(operations!)) expect([total, ok]).toEqual([1, 1]);
    expect(await kv.metricsText()).not.toContain(secret);
  });

  test("of a store are those of all its handles", async () => {
    const kv = open({ name: "shared" });
    const other = openKv({ backend: "memory", name: "shared", metrics: { operations: true } });
    await other.size();
    await other.close();
    await expect(other.size()).rejects.toMatchObject({ name: "StoreClosedError" });
    await expect(other.metrics()).rejects.toMatchObject({ name: "StoreClosedError" });
    await expect(other.metricsText()).rejects.toMatchObject({ name: "StoreClosedError" });
    const { operations } = await kv.metrics();
    expect(operations?.size).toMatchObject({ total: 2, errors: { StoreClosedError: 1 } });
  });

  test("the seven operations that draw from a pool tell how often they found nothing", async () => {
    const kv = open();
    const draws = (prefix: string): Promise<unknown>[] => [
      kv.randomKey({ prefix }),
      kv.randomKeys({ prefix, count: 1 }),
      kv.claimRandom({ prefix }),
      kv.claimRandomMany({ prefix, count: 1 }),
      kv.claimKey(`${prefix}1`),
      kv.popRandom({ prefix }),
      kv.popRandomMany({ prefix, count: 1 }),
    ];
    await Promise.all(draws("none:"));
    await Promise.all(draws("none:"));
    for (let i = 1; i <= 9; i++) await kv.set(`some:${i}`, i);
    await kv.randomKey({ prefix: "some:" });
    await kv.claimKey("some:1");
    await kv.pop("none");
    await kv.claimKeys(["none"]);
    await expect(kv.randomKeys({ count: 0 })).rejects.toThrow();
    const { operations } = await kv.metrics();
    const rates = Object.entries(operations!).map(([name, { emptyRate }]) => [name, emptyRate]);
    expect(Object.fromEntries(rates)).toEqual({
      random_key: 2 / 3,
      random_keys: 1,
      claim_random: 1,
      claim_random_many: 1,
      claim_key: 2 / 3,
      pop_random: 1,
      pop_random_many: 1,
      set: null,
      pop: null,
      claim_keys: null,
    });
  });

  test("counts what is under way, unless its arguments were refused", async () => {
    const env = virtualEnv();
    const kv = open({ env });
    const inFlight = async (): Promise<number> => (await kv.metrics()).inFlight;
    const first = kv.popFirstWait("queue");
    const second = kv.popWait("queue", { timeout: 50 });
    const refused = kv.get("");
    expect(await inFlight()).toBe(2);
    await expect(refused).rejects.toThrow();
    expect(await inFlight()).toBe(2);
    await kv.append("queue", 1);
    await first;
    expect(await inFlight()).toBe(1);
    await env.advance(50);
    expect(await second).toBeNull();
    expect(await inFlight()).toBe(0);
    await kv.close();
    await expect(kv.get("key")).rejects.toThrow();
    expect((kv as unknown as { shared: { metrics: object } }).shared.metrics).toMatchObject({
      inFlight: 0,
    });
  });

  test("times what was accepted, and refused arguments as 0", async () => {
    const env = virtualEnv();
    const kv = open({ env });
    for (const timeout of [10, 20, 30, 1000]) {
      const popping = kv.popWait("queue", { timeout });
      await env.advance(timeout);
      await popping;
    }
    await expect(kv.popWait("")).rejects.toThrow();
    await expect(kv.get("")).rejects.toThrow();
    const { operations } = await kv.metrics();
    const zero = { sum: 0, p50: 0, p90: 0, p95: 0, p99: 0, max: 0 };
    expect(operations?.get?.durationMs).toEqual({ count: 1, ...zero });
    expect(operations?.pop_wait?.durationMs).toMatchObject({
      count: 5,
      sum: 1060 + 4 * tickMs,
      max: 1000 + tickMs,
    });
    // Half of five is one and a half into the two durations between 10 and 25 ms.
    expect(operations?.pop_wait?.durationMs.p50).toBe(10 + (15 * 1.5) / 2);
  });

  test("operations are off unless asked for, and then there is nothing to see", async () => {
    const kv = open({ metrics: undefined });
    await kv.size();
    for (const call of [() => kv.metrics(), () => kv.metricsText()]) {
      await expect(call()).rejects.toMatchObject({ name: "MetricsUnavailableError" });
    }
  });

  test("reportStats shows the state, with operations off too", async () => {
    const kv = open({ name: "reported", metrics: { operations: false } });
    await kv.setMany({ a: 1, b: 2, c: 3 });
    await kv.claimKey("a");
    await kv.reportStats();
    await kv.set("d", 4);
    const none = { index: null, diskSizeBytes: null, log: null };
    const state = { keys: 3, claimsLive: 1, claimsExpired: 0, ...none };
    expect(await kv.metrics()).toEqual({
      store: "reported",
      backend: "memory",
      serialization: "json",
      trackKeys: false,
      operations: null,
      inFlight: 0,
      state,
    });
    await kv.reportStats();
    expect((await kv.metrics()).state).toEqual({ ...state, keys: 4 });
  });
});

describe("metricsText()", () => {
  // The store without a name keeps its options for the life of the process: one test has it.
  test("has the names and labels of the specification", async () => {
    const kv = openKv({ backend: "memory", metrics: { operations: true }, env: virtualEnv() });
    await mixedOperations(kv);
    const samples = parse(await kv.metricsText());
    const store = { backend: "memory", track_keys: "false", serialization: "json" };
    const labelsOf = (name: string): object | undefined =>
      samples.find(
        (sample) => sample.name === name && [undefined, "get"].includes(sample.labels.op),
      )?.labels;
    expect(labelsOf("xk6_kv_operations_total")).toEqual({ ...store, op: "get", status: "ok" });
    expect(labelsOf("xk6_kv_operation_duration_sum")).toEqual({
      ...store,
      op: "get",
      status: "ok",
    });
    expect(labelsOf("xk6_kv_operation_failed")).toEqual({ ...store, op: "get" });
    expect(labelsOf("xk6_kv_errors_total")).toEqual({
      ...store,
      op: "get",
      error_type: "KeyNotFoundError",
    });
    expect(labelsOf("xk6_kv_async_in_flight")).toEqual(store);
    expect(valuesOf(samples, "xk6_kv_operations_total", "op", "status")).toEqual({
      "set ok": 2,
      "get ok": 1,
      "get error": 3,
      "claim_random ok": 2,
      "filter_add ok": 1,
      "filter_add error": 1,
      "release_claims ok": 1,
      "append error": 1,
    });
    expect(valuesOf(samples, "xk6_kv_operation_failed", "op")).toEqual({
      set: 0,
      get: 0.75,
      claim_random: 0,
      filter_add: 0.5,
      release_claims: 0,
      append: 1,
    });
    expect(valuesOf(samples, "xk6_kv_errors_total", "op", "error_type")).toEqual({
      "get KeyNotFoundError": 2,
      "get InvalidOptionsError": 1,
      "filter_add InvalidOptionsError": 1,
      "append WrongTypeError": 1,
    });
    expect(valuesOf(samples, "xk6_kv_empty_result", "op")).toEqual({ claim_random: 0.5 });
    expect(valuesOf(samples, "xk6_kv_async_in_flight")).toEqual({ "": 0 });
    expect(valuesOf(samples, "xk6_kv_operation_duration_sum", "op", "status")).toMatchObject({
      "get ok": tickMs,
      "get error": 2 * tickMs,
    });
    expect(samples.some(({ name }) => name === "xk6_kv_keys")).toBe(false);
  });

  test("buckets of durations are cumulative", async () => {
    const env = virtualEnv();
    const kv = open({ env });
    for (const timeout of [0, 10, 20, 60_000]) {
      const popping = kv.popWait("queue", { timeout });
      await env.advance(timeout);
      await popping;
    }
    const samples = parse(await kv.metricsText());
    const buckets = samples.filter(({ name }) => name === "xk6_kv_operation_duration_bucket");
    expect(buckets.map(({ labels }) => labels.le)).toEqual([
      ...durationBoundsMs.map(String),
      "+Inf",
    ]);
    const counts = Object.fromEntries(buckets.map(({ labels, value }) => [labels.le, value]));
    expect(counts).toMatchObject({ 0.1: 0, 0.25: 1, 10: 1, 25: 3, 10000: 3, "+Inf": 4 });
    expect(valuesOf(samples, "xk6_kv_operation_duration_count", "op")).toEqual({ pop_wait: 4 });
  });

  test("shows the state gauges once they were reported", async () => {
    const kv = open({ trackKeys: true, metrics: undefined });
    await kv.setMany({ a: 1, b: 2, c: 3 });
    await kv.claimKey("a");
    await kv.reportStats();
    const samples = parse(await kv.metricsText());
    const values = samples.map(({ name, labels, value }) => [name, labels.index ?? "", value]);
    expect(values).toEqual([
      ["xk6_kv_keys", "", 3],
      ["xk6_kv_claims_live", "", 1],
      ["xk6_kv_claims_expired", "", 0],
      ["xk6_kv_index_keys", "keys_list", 3],
      ["xk6_kv_index_keys", "keys_map", 3],
      ["xk6_kv_index_keys", "ost", 3],
      ["xk6_kv_index_consistent", "", 1],
    ]);
    for (const { labels } of samples) expect(labels.track_keys).toBe("true");
  });

  test("shows the log of a store that has one", async () => {
    const path = mkdtempSync(join(tmpdir(), "anykv-metrics-"));
    const logged = () =>
      open({ backend: "wal", path, metrics: undefined, wal: { syncWrites: true } });
    const before = logged();
    for (const key of ["a", "b", "c"]) await before.set(key, 1);
    await before.close();
    const kv = logged();
    for (const key of ["d", "e"]) await kv.set(key, 1);
    await kv.reportStats();
    const log = (await kv.stats()).disk?.log;
    expect((await kv.metrics()).state?.log).toEqual(log);
    const samples = parse(await kv.metricsText()).filter(({ name }) => name.includes("_log_"));
    const values = samples.map(({ name, value }) => [name.replace("xk6_kv_log_", ""), value]);
    expect(Object.fromEntries(values)).toEqual({
      segments: 1,
      unsynced_records: 0,
      frames_total: 2,
      bytes_total: log?.bytes,
      syncs_total: 2,
      rotations_total: 0,
      states_total: 0,
      state_failed: 0,
      recovered_rows: 0,
      recovered_records: 3,
      torn_bytes: 0,
    });
    await kv.close();
    rmSync(path, { recursive: true, force: true });
  });

  test("escapes the name of the store", async () => {
    const name = 'a "quoted" \\ name\nof two lines';
    const kv = open({ name });
    await kv.size();
    for (const { labels } of parse(await kv.metricsText())) expect(labels.store).toBe(name);
  });
});
