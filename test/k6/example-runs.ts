// What the scripts under examples/k6 have to say, whatever server they run against.

import { expect } from "vitest";
import type { K6Run } from "./k6.js";

export const examplesFolder = "examples/k6";

/** By the name of the script; on a store that was empty. */
export const exampleRuns: Readonly<Record<string, (run: K6Run) => void>> = {
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
