// Many virtual users, and several processes of k6, on one store: of `anykv serve`, and on a Valkey.
// `ANYKV_K6_VUS=2000` for as many at once: k6 takes 5 GB of memory then.

import type { Kv } from "anykv";
import { Redis } from "iovalkey";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, startServer } from "../remote/servers.js";
import { K6Directory, type K6Run, lackOfK6 } from "./k6.js";
import { openAt, startServed } from "./served-store.js";

const script = "test/k6/scripts/crowd.js";
const [keys, increments] = [300, 20];
const visitors = Number(process.env.ANYKV_K6_VUS ?? 200);

/** On a machine that is busy with others. */
const timeout = 300_000;

interface Place {
  readonly url: string;
  /** Of a program of Node that has the same store open. */
  readonly kv: Kv;
  stop(): Promise<void>;
}

async function valkey(): Promise<Place> {
  const { url, stop } = await startServer({ kind: "valkey" });
  const kv = openAt(url);
  return {
    ...{ url, kv },
    stop: async () => {
      await kv.close();
      await stop();
    },
  };
}

async function served(backend: "memory" | "wal"): Promise<Place> {
  const { resp, kv, stop } = await startServed(backend, "a-token-of-the-tests");
  return { url: resp, kv, stop };
}

const places: readonly [name: string, start: () => Promise<Place>][] = [
  ["anykv serve, memory", () => served("memory")],
  ["anykv serve, wal", () => served("wal")],
  ["Valkey", valkey],
];

for (const [name, start] of places) describeWith(`k6 on ${name}`, lackOfK6(), () => tests(start));

function tests(start: () => Promise<Place>): void {
  let place: Place;
  let directory: K6Directory;

  beforeAll(async () => {
    [place, directory] = await Promise.all([start(), K6Directory.create()]);
  });
  afterAll(async () => {
    await directory.remove();
    await place.stop();
  });

  function run(process: string, fill: boolean): Promise<K6Run> {
    const env = { ANYKV_URL: place.url, PROCESS: process, FILL: String(fill) };
    const sizes = { KEYS: String(keys), INCREMENTS: String(increments) };
    return directory.runFile(script, { env: { ...env, ...sizes } });
  }

  async function leftBehind(): Promise<{ counter: unknown; done: unknown[]; others: string[] }> {
    const { kv } = place;
    const [counter, done] = [await kv.get("counter"), await kv.range<string>("done")];
    const others = (await kv.listKeys()).filter((key) => key !== "counter");
    return { counter, done: done.sort(), others };
  }

  const everyKey = Array.from({ length: keys }, (_, index) => `account:${index}`).sort();

  test("100 claim every key once and count exactly, with thresholds that hold", {
    timeout,
  }, async () => {
    await place.kv.clear();
    const { errors, exitCode, lines } = await run("only", true);
    expect({ errors, exitCode, lines }).toEqual({ errors: "", exitCode: 0, lines: [] });
    expect(await leftBehind()).toEqual({ counter: 100 * increments, done: everyKey, others: [] });
  });

  test("the same from two processes at once", { timeout }, async () => {
    await place.kv.clear();
    await place.kv.setMany(Object.fromEntries(everyKey.map((key) => [key, key])));
    const runs = await Promise.all([run("one", false), run("two", false)]);
    for (const { errors, exitCode } of runs)
      expect({ errors, exitCode }).toEqual({ errors: "", exitCode: 0 });
    const counter = 2 * 100 * increments;
    expect(await leftBehind()).toEqual({ counter, done: everyKey, others: [] });
  });

  test(`${visitors} are connected at once, and each does its work`, {
    timeout: 4 * timeout,
  }, async () => {
    await place.kv.clear();
    const watcher = new Redis(place.url.replace(/^valkey:/, "redis:"));
    let connectedMax = 0;
    let hasEnded = false;
    const watching = (async () => {
      while (!hasEnded) {
        const [, count] = /connected_clients:(\d+)/.exec(await watcher.info("clients")) ?? [];
        connectedMax = Math.max(connectedMax, Number(count));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    const env = { ANYKV_URL: place.url, VUS: String(visitors) };
    const { errors, exitCode, metrics } = await directory.runFile("test/k6/scripts/visitors.js", {
      env,
    });
    hasEnded = true;
    await watching;
    watcher.disconnect();
    expect({ errors, exitCode }).toEqual({ errors: "", exitCode: 0 });
    expect(connectedMax).toBeGreaterThanOrEqual(visitors);
    expect(metrics.iterations?.count).toBe(visitors);
    expect(await place.kv.get("visits")).toBe(visitors * 5);
    expect(await place.kv.count({ prefix: "visitor:" })).toBe(visitors);
  });

  test("a threshold that is crossed fails the test", { timeout }, async () => {
    const run = await directory.runText(
      `import { openKv } from "./k6.js";
       const kv = openKv({ metrics: { operations: true } });
       export const options = { thresholds: { xk6_kv_operation_failed: ["rate==0"] } };
       export default async () => { await kv.get("missing").catch(() => {}); };`,
      { env: { ANYKV_URL: place.url } },
    );
    expect(run.exitCode).toBe(99);
    expect(run.metrics.xk6_kv_operation_failed).toMatchObject({ passes: 1, fails: 0 });
  });
}
