// Many virtual users, and several processes of k6, on one store.

import { openKv } from "anykv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, type Server, startServer } from "../remote/servers.js";
import { K6Directory, type K6Run, lackOfK6 } from "./k6.js";

const script = "test/k6/scripts/crowd.js";
const [keys, increments] = [300, 20];

/** On a machine that is busy with others. */
const timeout = 300_000;

describeWith("100 virtual users", lackOfK6(), () => {
  let server: Server;
  let directory: K6Directory;

  beforeAll(async () => {
    [server, directory] = await Promise.all([
      startServer({ kind: "valkey" }),
      K6Directory.create(),
    ]);
  });
  afterAll(async () => {
    await server.stop();
    await directory.remove();
  });

  function run(process: string, fill: boolean): Promise<K6Run> {
    const env = { ANYKV_URL: server.url, PROCESS: process, FILL: String(fill) };
    const sizes = { KEYS: String(keys), INCREMENTS: String(increments) };
    return directory.runFile(script, { env: { ...env, ...sizes } });
  }

  /** What they have left, as a program of Node sees it that has the same store open. */
  async function leftBehind(): Promise<{ counter: unknown; done: unknown[]; others: string[] }> {
    const kv = openKv({ backend: "valkey", valkey: { url: server.url } });
    const [counter, done] = [await kv.get("counter"), await kv.range<string>("done")];
    const others = (await kv.listKeys()).filter((key) => key !== "counter");
    await kv.close();
    return { counter, done: done.sort(), others };
  }

  const everyKey = Array.from({ length: keys }, (_, index) => `account:${index}`).sort();

  test("claim every key once and count exactly, with thresholds that hold", {
    timeout,
  }, async () => {
    await server.cli("flushall");
    const { errors, exitCode, lines } = await run("only", true);
    expect({ errors, exitCode, lines }).toEqual({ errors: "", exitCode: 0, lines: [] });
    expect(await leftBehind()).toEqual({ counter: 100 * increments, done: everyKey, others: [] });
  });

  test("the same from two processes at once", { timeout }, async () => {
    await server.cli("flushall");
    const kv = openKv({ backend: "valkey", valkey: { url: server.url } });
    await kv.setMany(Object.fromEntries(everyKey.map((key) => [key, key])));
    await kv.close();
    const runs = await Promise.all([run("one", false), run("two", false)]);
    for (const { errors, exitCode } of runs)
      expect({ errors, exitCode }).toEqual({ errors: "", exitCode: 0 });
    const counter = 2 * 100 * increments;
    expect(await leftBehind()).toEqual({ counter, done: everyKey, others: [] });
  });

  test("a threshold that is crossed fails the test", async () => {
    const run = await directory.runText(
      `import { openKv } from "./k6.js";
       const kv = openKv({ metrics: { operations: true } });
       export const options = { thresholds: { xk6_kv_operation_failed: ["rate==0"] } };
       export default async () => { await kv.get("missing").catch(() => {}); };`,
      { env: { ANYKV_URL: server.url } },
    );
    expect(run.exitCode).toBe(99);
    expect(run.metrics.xk6_kv_operation_failed).toMatchObject({ passes: 1, fails: 0 });
  });
});
