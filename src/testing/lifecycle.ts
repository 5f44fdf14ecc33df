// Lifecycle suite: every public method in every state that a handle can be in.
//
//   opening --> open --> closed --> open again, through a new handle
//
// In each state a method does what it has to, or rejects with the error of that state; it never
// throws where a promise is promised, and never stays pending for good.

import { StoreClosedError } from "../base/errors.js";
import { Kv } from "../kv/kv.js";
import type { Claim } from "../kv/types.js";
import { type AsyncMethod, calls, invoke, methods, prepare } from "./lifecycle-calls.js";
import { openingSuite } from "./lifecycle-opening.js";
import { waitSuite } from "./lifecycle-waits.js";
import { type Runner, type StoreFactory, whereFeature, withStore } from "./runner.js";
import { virtualEnv } from "./virtual-env.js";

/** What is public but no operation: they are called in tests of their own. */
const otherPublicMethods = ["close", "filter"];
/** What subclasses of `Handle` share; the types hide it. */
const internalMethods = ["opened"];

const closedMessage = "kv store handle is closed";

/** Registers the tests; needs nothing of a store but its handles. */
export function lifecycleSuite(runner: Runner, factory: StoreFactory): void {
  runner.describe(`${factory.name}: lifecycle`, () => {
    listSuite(runner, factory);
    stateSuite(runner, factory);
    closeSuite(runner, factory);
    waitSuite(runner, factory);
    whereFeature(runner, factory, "reopen", () => reopenSuite(runner, factory));
    whereFeature(runner, factory, "opening", () => openingSuite(runner, factory));
  });
}

function listSuite({ test, expect }: Runner, factory: StoreFactory): void {
  test("the table of methods is complete", async () => {
    const listed = methods.filter((name) => !name.startsWith("filter."));
    const known = [...listed, ...otherPublicMethods, ...internalMethods];
    expect(known.sort()).toEqual(methodNames(Kv.prototype).sort());
    await withStore(factory, { env: virtualEnv() }, (kv) => {
      const ofFilter = methodNames(Object.getPrototypeOf(kv.filter("bucket")));
      const listedOfFilter = methods.filter((name) => name.startsWith("filter."));
      expect(ofFilter.map((name) => `filter.${name}`).sort()).toEqual(listedOfFilter.sort());
    });
  });
}

function stateSuite({ describe, test, expect }: Runner, factory: StoreFactory): void {
  const onStore = (body: (kv: Kv, claim: Claim, second: () => Kv) => Promise<void>) =>
    withStore(factory, { env: virtualEnv() }, async (kv, store) => {
      await body(kv, await prepare(kv), () => store.second());
    });

  describe("open", () => {
    for (const method of methods) {
      test(`${method} succeeds`, () =>
        onStore(async (kv, claim) => {
          await invoke(kv, method, calls[method].good(claim));
        }));
    }
    for (const [method, bad] of badCalls()) {
      test(`${method} refuses bad arguments by rejecting`, () =>
        onStore(async (kv) => {
          await expect(errorOf(invoke(kv, method, bad))).resolves.toBe("InvalidOptionsError");
        }));
    }
  });

  describe("closed", () => {
    for (const method of methods) {
      test(`${method} rejects`, () =>
        onStore(async (kv, claim) => {
          await kv.close();
          const call = invoke(kv, method, calls[method].good(claim));
          await expect(call).rejects.toBeInstanceOf(StoreClosedError);
          await expect(call).rejects.toThrow(closedMessage);
        }));
    }
    for (const [method, bad] of badCalls()) {
      test(`${method} sees bad arguments first`, () =>
        onStore(async (kv) => {
          await kv.close();
          await expect(errorOf(invoke(kv, method, bad))).resolves.toBe("InvalidOptionsError");
        }));
    }
  });

  describe("closed beside an open handle", () => {
    for (const method of methods) {
      test(`${method} rejects here and succeeds there`, () =>
        onStore(async (kv, claim, second) => {
          const other = second();
          await kv.close();
          const args = calls[method].good(claim);
          await expect(errorOf(invoke(kv, method, args))).resolves.toBe("StoreClosedError");
          await invoke(other, method, args);
        }));
    }
  });

  describe("closed while under way", () => {
    for (const method of methods) {
      test(`${method} settles as if nothing had happened`, () =>
        onStore(async (kv, claim) => {
          const call = invoke(kv, method, calls[method].good(claim));
          const closed = kv.close();
          await call;
          await closed;
        }));
    }
  });
}

function closeSuite({ test, expect }: Runner, factory: StoreFactory): void {
  test("close twice is close once", () =>
    withStore(factory, { env: virtualEnv() }, async (kv, store) => {
      const other = store.second();
      const first = kv.close();
      expect(kv.close()).toBe(first);
      await first;
      expect(await kv.close()).toBeUndefined();
      await other.set("key", 1);
    }));

  test("close needs no awaiting", () =>
    withStore(factory, { env: virtualEnv() }, async (kv) => {
      void kv.close();
      await expect(kv.get("key")).rejects.toBeInstanceOf(StoreClosedError);
    }));

  test("the end of `await using` closes", () =>
    withStore(factory, { env: virtualEnv() }, async (kv) => {
      expect(await kv[Symbol.asyncDispose]()).toBeUndefined();
      await expect(kv.get("key")).rejects.toBeInstanceOf(StoreClosedError);
      await kv.close();
    }));

  test("filter names a bucket without asking the store, in every state", () =>
    withStore(factory, { env: virtualEnv() }, async (kv) => {
      const early = kv.filter("bucket");
      await kv.close();
      expect(kv.filter("bucket").bucket).toBe("bucket");
      expect(() => kv.filter("")).toThrow("non-empty");
      await expect(early.add("item")).rejects.toBeInstanceOf(StoreClosedError);
    }));
}

function reopenSuite({ describe, test, expect }: Runner, factory: StoreFactory): void {
  describe("reopened", () => {
    for (const method of methods) {
      test(`${method} succeeds on what was there before`, () =>
        withStore(factory, { env: virtualEnv() }, async (kv, store) => {
          const claim = await prepare(kv);
          const again = await store.reopen?.();
          if (again === undefined) throw new Error("the factory does not say how to reopen");
          // Metrics begin anew with every opening.
          await again.reportStats();
          const args = calls[method].good(claim);
          await invoke(again, method, args);
          await expect(errorOf(invoke(kv, method, args))).resolves.toBe("StoreClosedError");
        }));
    }
  });
}

function badCalls(): [AsyncMethod, readonly unknown[]][] {
  return methods.flatMap((method) => {
    const { bad } = calls[method];
    return bad === null ? [] : [[method, bad]];
  });
}

/** The name of the error that a call rejects with; a call that succeeds is an error of its own. */
async function errorOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return (error as Error).name;
  }
  return "no error";
}

/** Names of all methods, inherited ones included, that anybody could call. */
function methodNames(prototype: object): string[] {
  const names = new Set<string>();
  for (
    let level: object | null = prototype;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof value === "function" && name !== "constructor") names.add(name);
    }
  }
  return [...names];
}
