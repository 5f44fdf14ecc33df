// The scripts of the seeds run in a real k6 as they stand, but for one import: against a Valkey that
// knows nothing of anykv.

import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, type Server, startServer } from "../remote/servers.js";
import { K6Directory, type K6Run, lackOfK6 } from "./k6.js";

const folder = "examples/k6";

/** What each example has to say; `others` are lines that may come in any order and number. */
const expected: Readonly<Record<string, (run: K6Run) => void>> = {
  "quick-start.js": ({ lines }) => {
    expect(lines).toContain("current size of the KV store: 6");
    expect(lines).toContain('found entry: {"key":"a b c","value":{"123":"baby you and me girl"}}');
    expect(lines).toContain('found entry: {"key":"abc","value":123}');
    expect(lines.filter((line) => /^random user key = user:[12]$/.test(line))).toHaveLength(1);
  },
  "producer-consumer.js": ({ lines }) => {
    const added = lines.filter((line) => line.startsWith("[producer]->"));
    expect(added.at(-1)).toBe("[producer]-> adding token 9");
    const taken = lines.flatMap(
      (line) => /(?:consumed token|random key:) (token-\d)/.exec(line)?.[1] ?? [],
    );
    expect(new Set(taken).size).toBe(taken.length);
    expect(taken).not.toEqual([]);
  },
  "random-key.js": ({ lines }) => {
    expect(lines[0]).toMatch(/^Random user user:[123]: \{"name":"(?:Oleg|Alina|Anna)"\}$/);
    expect(new Set(lines.slice(1, 3)).size).toBe(2);
    expect(lines[3]).toBe('No such key: ""');
  },
  "rebuild-key-list.js": ({ lines }) => {
    expect(lines[0]).toBe("rebuilt = true");
    expect(lines[2]).toBe("consistent = true");
  },
  "claims.js": ({ lines, metrics }) => {
    expect(lines).toEqual(["used 50 times, still claimed 0"]);
    expect(metrics["xk6_kv_operations_total{op:complete_claim}"]?.count).toBe(50);
  },
  "credential-pool.js": ({ lines, metrics }) => {
    expect(lines).toEqual(["50 credentials used, 0 of them twice"]);
    expect(metrics["xk6_kv_empty_result{op:pop_random}"]).toMatchObject({ passes: 10, fails: 50 });
  },
  "batches.js": ({ lines }) => {
    expect(lines).toEqual([
      "written 2",
      'batch:1 true "a"',
      "batch:missing false null",
      "batch:2 true null",
      "batch:bad SerializerError",
      "page batch:1",
      "page batch:2",
      "deleted 2, missing 1",
    ]);
  },
  "counters.js": ({ lines }) => {
    expect(lines).toEqual(["visits 100, leaders 1, rounds 100"]);
  },
  "worker-queue.js": ({ metrics }) => {
    expect(metrics["xk6_kv_index_consistent{track_keys:true}"]?.value).toBe(1);
    expect(metrics["xk6_kv_empty_result{op:claim_random}"]).toMatchObject({ passes: 0, fails: 40 });
  },
  "persistent.js": ({ lines }) => {
    expect(lines).toEqual(['left {"at":"the beginning"}, run 1']);
  },
};

describeWith("examples/k6", lackOfK6(), () => {
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

  test("all of them are run here", () => {
    const scripts = readdirSync(new URL(`../../${folder}`, import.meta.url));
    expect(scripts.filter((name) => name.endsWith(".js")).sort()).toEqual(
      Object.keys(expected).sort(),
    );
  });

  for (const [name, check] of Object.entries(expected)) {
    test(name, async () => {
      await server.cli("flushall");
      const run = await directory.runFile(`${folder}/${name}`, { env: { ANYKV_URL: server.url } });
      expect(run.errors).toBe("");
      expect(run.exitCode).toBe(0);
      check(run);
    });
  }

  test("the next run finds what the last one has left", async () => {
    await server.cli("flushall");
    const options = { env: { ANYKV_URL: server.url } };
    await directory.runFile(`${folder}/persistent.js`, options);
    const { lines } = await directory.runFile(`${folder}/persistent.js`, options);
    expect(lines).toEqual(['found {"at":"the beginning"}, run 2']);
  });
});
