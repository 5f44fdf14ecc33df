// Lifecycle of opening: handles of a store that is not open yet, and of one that never will be.

import { DiskStoreOpenError, StoreClosedError } from "../base/errors.js";
import type { Claim } from "../kv/types.js";
import { calls, invoke, makeBackup, methods } from "./lifecycle-calls.js";
import type { OpeningStore, Runner, StoreFactory } from "./runner.js";
import { type VirtualEnv, virtualEnv } from "./virtual-env.js";

/** Methods that reject on an empty store, for want of something. */
const needsContent = new Map<string, string>([
  ["get", "KeyNotFoundError"],
  ["metrics", "MetricsUnavailableError"],
  ["metricsText", "MetricsUnavailableError"],
]);
/** Methods that do not end on an empty store. */
const waitsForContent = new Set<string>(["popWait", "popFirstWait"]);
const nobodysClaim = { id: "claim-1", key: "value", token: 1 } as Claim;
const methodsThatEnd = methods.filter((name) => !waitsForContent.has(name));

export function openingSuite(runner: Runner, factory: StoreFactory): void {
  runner.describe("opening", () => {
    whileOpeningSuite(runner, factory);
    openingFailsSuite(runner, factory);
    closeWhileOpeningSuite(runner, factory);
  });
}

async function withOpening(
  factory: StoreFactory,
  body: (opening: OpeningStore, env: VirtualEnv) => Promise<void>,
): Promise<void> {
  await makeBackup();
  const env = virtualEnv();
  const opening = factory.createOpening?.({ env });
  if (opening === undefined) throw new Error("the factory does not say how to open slowly");
  try {
    await body(opening, env);
  } finally {
    // A test that has failed early must not leave its calls waiting.
    opening.proceed();
    await opening.close();
  }
}

function whileOpeningSuite({ test, expect }: Runner, factory: StoreFactory): void {
  for (const method of methodsThatEnd) {
    test(`${method} waits for the store`, () =>
      withOpening(factory, async ({ kv, proceed }, env) => {
        let settled = false;
        const call = outcomeOf(invoke(kv, method, calls[method].good(nobodysClaim)));
        void call.then(() => {
          settled = true;
        });
        await env.idle();
        expect(settled).toBe(false);
        proceed();
        expect(await call).toBe(needsContent.get(method) ?? "success");
      }));
  }

  test("bad arguments are refused at once", () =>
    withOpening(factory, async ({ kv, proceed }) => {
      for (const method of methods) {
        const { bad } = calls[method];
        if (bad === null) continue;
        expect(await outcomeOf(invoke(kv, method, bad)), method).toBe("InvalidOptionsError");
      }
      proceed();
    }));

  test("calls are carried out in the order in which they came", () =>
    withOpening(factory, async ({ kv, proceed }) => {
      const written = [kv.set("key", 1), kv.incrementBy("key", 1), kv.set("other", 3)];
      const removed = kv.delete("other");
      proceed();
      await Promise.all(written);
      await removed;
      expect(await kv.getMany(["key", "other"])).toEqual([
        { key: "key", exists: true, value: 2 },
        { key: "other", exists: false, value: null },
      ]);
    }));

  test("a wait that began while opening is served", () =>
    withOpening(factory, async ({ kv, proceed }, env) => {
      const wait = kv.popFirstWait("array");
      proceed();
      await env.idle();
      await kv.append("array", "element");
      expect(await wait).toBe("element");
    }));
}

function openingFailsSuite({ test, expect }: Runner, factory: StoreFactory): void {
  test("every call rejects with the error of the opening, before it and after it", () =>
    withOpening(factory, async ({ kv, proceed }) => {
      const error = new DiskStoreOpenError("the test does not let it open");
      const waiting = methods.map((name) => invoke(kv, name, calls[name].good(nobodysClaim)));
      const outcomes = Promise.allSettled(waiting);
      proceed(error);
      for (const outcome of await outcomes)
        expect(outcome).toEqual({ status: "rejected", reason: error });
      for (const method of methods) {
        await expect(invoke(kv, method, calls[method].good(nobodysClaim))).rejects.toBe(error);
      }
    }));

  test("a handle on a store that could not be opened can be closed", () =>
    withOpening(factory, async ({ kv, proceed }) => {
      const early = outcomeOf(kv.size());
      proceed(new DiskStoreOpenError("the test does not let it open"));
      expect(await early).toBe("DiskStoreOpenError");
      await outcomeOf(kv.close());
      expect(await outcomeOf(kv.size())).toBe("StoreClosedError");
    }));
}

function closeWhileOpeningSuite({ test, expect }: Runner, factory: StoreFactory): void {
  for (const method of methodsThatEnd) {
    test(`${method} settles when its handle is closed before the store is open`, () =>
      withOpening(factory, async ({ kv, proceed }) => {
        const call = outcomeOf(invoke(kv, method, calls[method].good(nobodysClaim)));
        const closed = kv.close();
        await expect(kv.size()).rejects.toBeInstanceOf(StoreClosedError);
        proceed();
        expect(await call).toBe(needsContent.get(method) ?? "success");
        await closed;
        await expect(kv.size()).rejects.toBeInstanceOf(StoreClosedError);
      }));
  }

  for (const method of waitsForContent as Set<"popWait" | "popFirstWait">) {
    test(`${method} rejects when its handle is closed before the store is open`, () =>
      withOpening(factory, async ({ kv, proceed }) => {
        const call = outcomeOf(kv[method]("array"));
        const closed = kv.close();
        proceed();
        expect(await call).toBe("StoreClosedError");
        await closed;
      }));
  }
}

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "success";
  } catch (error) {
    return (error as Error).name;
  }
}
