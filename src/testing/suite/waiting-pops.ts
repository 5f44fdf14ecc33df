// Waiting pops: the receiving end of a queue that may be empty.

import { atOnce, type Family, granted, refusal } from "./suite-case.js";

/** Lets everything that is under way come as far as it can, also behind a wire. */
async function settle(kv: { delete(key: string): Promise<true> }): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await kv.delete("nothing");
}

export const waitingPopFamily: Family = {
  title: "waiting pops",
  onePartition: ["a waiting pop may be guarded by a claim"],
  cases: {
    "popWait and popFirstWait take an element that is there at once": async ({ kv, expect }) => {
      for (const element of [1, 2, 3]) await kv.append("q", element);
      expect(await kv.popWait("q")).toBe(3);
      expect(await kv.popFirstWait("q", { timeout: 1_000 })).toBe(1);
      expect(await kv.range("q")).toStrictEqual([2]);
    },

    "a waiting pop gets the element that comes later": async ({ kv, expect }) => {
      let arrived = false;
      const waiting = kv.popFirstWait("q").then((element) => {
        arrived = true;
        return element;
      });
      await settle(kv);
      expect(arrived).toBe(false);
      expect(await kv.append("q", { job: 1 })).toBe(1);
      expect(await waiting).toStrictEqual({ job: 1 });
      expect(await kv.exists("q")).toBe(false);
    },

    "waiting pops are not overtaken by pops that come after them": async ({ kv, expect }) => {
      const first = kv.popFirstWait("q");
      const second = kv.popFirstWait("q");
      await settle(kv);
      // All of it at once, without a pause in which the waiting ones could be served.
      const appended = [kv.append("q", 1), kv.append("q", 2)];
      const late = [kv.popFirst("q"), kv.popFirstWait("q", { timeout: 0 })];
      await Promise.all(appended);
      expect(await Promise.all([first, second])).toStrictEqual([1, 2]);
      expect(await Promise.all(late)).toStrictEqual([null, null]);
    },

    "prepend serves a waiting pop too": async ({ kv, expect }) => {
      const waiting = kv.popWait("q");
      await settle(kv);
      await kv.prepend("q", null);
      expect(await waiting).toBeNull();
      expect(await kv.length("q")).toBe(0);
    },

    "whoever waits longest is served first": async ({ kv, expect }) => {
      const order: string[] = [];
      const waiting: Promise<unknown>[] = [];
      for (const name of ["first", "second", "third"]) {
        waiting.push(kv.popFirstWait("q").then((element) => order.push(`${name} ${element}`)));
        await settle(kv);
      }
      for (const element of [1, 2, 3]) await kv.append("q", element);
      await Promise.all(waiting);
      expect(order).toStrictEqual(["first 1", "second 2", "third 3"]);
    },

    "every element reaches exactly one of many waiters": async ({ kv, expect }) => {
      const waiting = atOnce(20, (index) =>
        index % 2 === 0 ? kv.popWait("q") : kv.popFirstWait("q"),
      );
      await settle(kv);
      await atOnce(25, (index) => kv.append("q", index));
      const served = (await waiting).map(Number);
      const left = (await kv.range("q")).map(Number);
      const all = Array.from({ length: 25 }, (_, index) => index);
      expect([...served, ...left].toSorted((a, b) => a - b)).toStrictEqual(all);
    },

    "waiters of one array are not served by another": async ({ kv, expect }) => {
      const waiting = kv.popWait("a");
      await settle(kv);
      await kv.append("b", 1);
      expect(await kv.length("b")).toBe(1);
      await kv.append("a", 2);
      expect(await waiting).toBe(2);
      expect(await kv.length("b")).toBe(1);
    },

    "a time-out of 0 does not wait": async ({ kv, expect }) => {
      expect(await kv.popWait("q", { timeout: 0 })).toBeNull();
      await kv.append("q", 1);
      expect(await kv.popFirstWait("q", { timeout: 0 })).toBe(1);
    },

    "an aborted signal ends the wait with OperationCanceledError": async ({ kv, expect }) => {
      const controller = new AbortController();
      const waiting = refusal(
        kv.popFirstWait("q", { signal: controller.signal }),
        "OperationCanceledError",
      );
      await settle(kv);
      controller.abort();
      expect((await waiting).message).toMatch(/^operation was canceled:/);
      await kv.append("q", 1);
      expect(await kv.range("q")).toStrictEqual([1]);
    },

    "a signal that was aborted before takes nothing": async ({ kv, expect }) => {
      await kv.append("q", 1);
      const signal = AbortSignal.abort(new Error("too late"));
      const error = await refusal(kv.popWait("q", { signal }), "OperationCanceledError");
      expect(error.message).toMatch(/too late/);
      await refusal(kv.popWait("q", { signal, timeout: 0 }), "OperationCanceledError");
      expect(await kv.length("q")).toBe(1);
    },

    "a waiter that gave up does not keep the next one from its element": async ({ kv, expect }) => {
      const controller = new AbortController();
      const { signal } = controller;
      const first = refusal(kv.popFirstWait("q", { signal }), "OperationCanceledError");
      await settle(kv);
      const second = kv.popFirstWait("q");
      await settle(kv);
      controller.abort();
      await first;
      await kv.append("q", 1);
      expect(await second).toBe(1);
    },

    "close ends the wait with StoreClosedError": async ({ kv, store, expect }) => {
      const other = store.second();
      const waiting = refusal(kv.popFirstWait("q"), "StoreClosedError");
      const waitingOther = other.popFirstWait("q");
      await settle(kv);
      await kv.close();
      await waiting;
      await other.append("q", 1);
      expect(await waitingOther).toBe(1);
    },

    "a waiting pop may be guarded by a claim": async ({ kv, expect }) => {
      await kv.set("job", 1);
      const claim = granted(await kv.claimKey("job"));
      const served = kv.popFirstWait("q", { claim });
      await settle(kv);
      await kv.append("q", 1);
      expect(await served).toBe(1);
      const refused = refusal(kv.popFirstWait("q", { claim }), "StaleClaimError");
      await settle(kv);
      await kv.releaseClaim(claim);
      await kv.append("q", 2);
      await refused;
      expect(await kv.range("q")).toStrictEqual([2]);
    },
  },
};

export const waitTimeFamily: Family = {
  title: "waiting pops and time",
  needs: "virtual clock",
  cases: {
    "a waiting pop resolves with null when its time is up, and takes nothing later": async ({
      kv,
      env,
      expect,
    }) => {
      let result: unknown = "waiting";
      await settle(kv);
      const waiting = kv.popFirstWait("q", { timeout: 1_000 }).then((element) => {
        result = element;
      });
      await env.advance(999);
      expect(result).toBe("waiting");
      await env.advance(1);
      await waiting;
      expect(result).toBeNull();
      await kv.append("q", 1);
      expect(await kv.length("q")).toBe(1);
    },

    "an element that comes in time ends the wait, and its timer": async ({ kv, env, expect }) => {
      // What a backend arms for its own writes is counted before.
      await kv.append("other", 1);
      const before = env.armedTimers;
      const waiting = kv.popWait("q", { timeout: 1_000 });
      await env.advance(999);
      await kv.append("q", 1);
      expect(await waiting).toBe(1);
      expect(env.armedTimers).toBeLessThanOrEqual(before);
      await env.advance(10);
      await kv.append("q", 2);
      expect(await kv.length("q")).toBe(1);
    },

    "a waiting pop without a time-out waits for days": async ({ kv, env, expect }) => {
      const waiting = kv.popFirstWait("q");
      await env.advance(3 * 86_400_000);
      await kv.append("q", "late");
      expect(await waiting).toBe("late");
    },

    "waiters with different time-outs leave in the order of their deadlines": async ({
      kv,
      env,
      expect,
    }) => {
      const left: number[] = [];
      await settle(kv);
      const waiting = [300, 100, 200].map((timeout) =>
        kv.popWait("q", { timeout }).then(() => left.push(timeout)),
      );
      await settle(kv);
      await env.advance(300);
      await Promise.all(waiting);
      expect(left).toStrictEqual([100, 200, 300]);
    },
  },
};
