// The main job on stores that break their promises: its referee and its checks have to see it.

import { type Claim, openKv } from "anykv";
import { describe, expect, test } from "vitest";
import { runJob } from "../../examples/main-job/job.js";
import { parseOptions } from "../../examples/main-job/options.js";
import type {
  Account,
  Finished,
  JobKv,
  JobSchema,
  Result,
} from "../../examples/main-job/schema.js";
import { Text } from "./main-job-output.js";

describe("main job on a store that breaks its promises", () => {
  type Methods = Partial<Record<keyof JobKv, (...args: never[]) => unknown>>;
  type ClaimOptions = Parameters<JobKv["claimRandom"]>[0];

  /** `target` with some methods replaced; the others run on `target` itself, private fields and all. */
  function withMethods<Target extends object>(target: Target, methods: object): Target {
    return new Proxy(target, {
      get(_, name) {
        const member: unknown = Reflect.get(name in methods ? methods : target, name);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
  }

  /** True once in so many calls. */
  function onceIn(calls: number): () => boolean {
    let count = 0;
    return () => ++count % calls === 0;
  }

  /** The breakage, the rows that have to fail (others may, too), and the methods that break. */
  const breakages: [string, string[], (store: JobKv) => Methods][] = [
    [
      "hands out an account that somebody holds",
      ["items handed out twice", "violations seen by the referee"],
      (store) => {
        const now = onceIn(50);
        let held: Claim<Account> | null = null;
        return {
          async claimRandom(options: ClaimOptions) {
            const claim = await store.claimRandom<Account>(options);
            if (claim === null || held === null || !now()) {
              held = claim;
              return claim;
            }
            await store.releaseClaim(claim);
            return { ...held, token: claim.token };
          },
        };
      },
    ],
    [
      "hands out the same token twice",
      ["violations seen by the referee"],
      (store) => {
        const now = onceIn(100);
        return {
          async claimRandom(options: ClaimOptions) {
            const claim = await store.claimRandom<Account>(options);
            return claim !== null && now() ? { ...claim, token: 1 } : claim;
          },
        };
      },
    ],
    [
      "hands out completed accounts",
      ["items handed out twice", "violations seen by the referee", "completed"],
      (store) => {
        const now = onceIn(100);
        return {
          completeClaim: (claim: Claim) =>
            now() ? store.releaseClaim(claim) : store.completeClaim(claim),
        };
      },
    ],
    [
      "accepts the writes of stale holders",
      ["stale holders refused"],
      (store) => ({
        set: (key: `result:${number}`, value: Result) => store.set(key, value),
      }),
    ],
    [
      "lets stale holders complete",
      ["stale holders refused"],
      (store) => ({
        completeClaim: async (claim: Claim) => (await store.completeClaim(claim)) || true,
      }),
    ],
    [
      "loses accounts",
      ["completed"],
      (store) => {
        const now = onceIn(500);
        return {
          async claimRandom(options: ClaimOptions) {
            if (now()) await store.popRandom({ prefix: options?.prefix });
            return store.claimRandom<Account>(options);
          },
        };
      },
    ],
    [
      "loses increments",
      ["sum of the counters", "queue consumed"],
      (store) => {
        const now = onceIn(100);
        return {
          incrementBy: async (key: `completed:${string}`, delta: number) =>
            key.startsWith("completed:") && now() ? 0 : store.incrementBy(key, delta),
        };
      },
    ],
    [
      "loses elements of the queue",
      ["queue consumed"],
      (store) => {
        const now = onceIn(100);
        return {
          append: async (key: "finished", value: Finished) =>
            value !== "end" && now() ? 1 : store.append(key, value),
        };
      },
    ],
    [
      "serves elements of the queue twice",
      ["queue consumed"],
      (store) => {
        const now = onceIn(100);
        return {
          async append(key: "finished", value: Finished) {
            if (value !== "end" && now()) await store.append(key, value);
            return store.append(key, value);
          },
        };
      },
    ],
    [
      "remembers items that were never added",
      ["completed twice"],
      (store) => ({
        filter(bucket: string) {
          const now = onceIn(100);
          const filter = store.filter(bucket);
          return withMethods(filter, {
            checkThenAdd: async (item: string) => (await filter.checkThenAdd(item)) || now(),
          });
        },
      }),
    ],
    [
      "forgets items",
      ["completed"],
      (store) => ({
        filter(bucket: string) {
          const now = onceIn(100);
          const filter = store.filter(bucket);
          return withMethods(filter, {
            checkThenAdd: async (item: string) => !now() && filter.checkThenAdd(item),
          });
        },
      }),
    ],
    [
      "fails",
      ["violations seen by the referee"],
      (store) => {
        const now = onceIn(1_000);
        return {
          async claimRandom(options: ClaimOptions) {
            if (now()) throw new Error("the disk is on fire");
            return store.claimRandom<Account>(options);
          },
        };
      },
    ],
  ];

  test.concurrent.each(breakages)("%s", async (name, failing, methodsFor) => {
    const store = openKv<JobSchema>({ name, backend: "memory" });
    const options = parseOptions(["--seconds", "0.1", "--users", "20", "--records", "1200"]);
    const output = new Text();
    const exitCode = await runJob(withMethods(store, methodsFor(store)), options, output);
    await store.close();
    expect(exitCode, output.text).toBe(1);
    const failed = /^Failed: (.*)\.$/m.exec(output.text)?.[1]?.split(", ");
    expect(failed, output.text).toEqual(expect.arrayContaining(failing));
  });
});
