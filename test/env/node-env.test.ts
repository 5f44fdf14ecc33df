// The real clock, randomness and timers.

import { afterEach, describe, expect, test, vi } from "vitest";
import { nodeEnv } from "../../src/env/env.js";
import { runWithNodeEnv } from "./compiled-env.js";

const { clock, random, timers } = nodeEnv;

afterEach(() => {
  vi.useRealTimers();
});

describe("clock", () => {
  test("now is the system's wall time in whole milliseconds", () => {
    const before = Date.now();
    const now = clock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
    expect(Number.isInteger(now)).toBe(true);
  });

  test("monotonic never goes back and does not follow a change of wall time", () => {
    let last = clock.monotonic();
    for (let call = 0; call < 10_000; call++) {
      const next = clock.monotonic();
      expect(next).toBeGreaterThanOrEqual(last);
      last = next;
    }
    vi.useFakeTimers({ toFake: ["Date"], now: 0 });
    expect(clock.monotonic()).toBeGreaterThanOrEqual(last);
  });
});

describe("random", () => {
  test.each([1, 2, 3, 7, 1_000, 2 ** 31 + 1, 2 ** 52])("below(%i) stays below", (bound) => {
    for (let draw = 0; draw < 5_000; draw++) {
      const value = random.below(bound);
      expect(Number.isInteger(value) && value >= 0 && value < bound, `${value}`).toBe(true);
    }
  });

  test("below is uniform over its whole range", () => {
    const bound = 10;
    const draws = 100_000;
    const counts = new Array<number>(bound).fill(0);
    for (let draw = 0; draw < draws; draw++) counts[random.below(bound)]!++;
    const expected = draws / bound;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 9 degrees of freedom: a fair source exceeds 60 less than once in a billion runs.
    expect(chiSquare, `counts: ${counts.join(" ")}`).toBeLessThan(60);
  });
});

describe("timers", () => {
  test("a timer calls back once", async () => {
    let calls = 0;
    await new Promise<void>((resolve) => {
      timers.after(1, () => {
        calls++;
        resolve();
      });
    });
    await timers.breathe();
    expect(calls).toBe(1);
  });

  test("a cancelled timer does not call back; cancelling twice or afterwards is harmless", () => {
    vi.useFakeTimers();
    const callback = vi.fn();
    const cancelled = timers.after(10, callback);
    cancelled.cancel();
    cancelled.cancel();
    vi.advanceTimersByTime(100);
    expect(callback).not.toHaveBeenCalled();
    const run = timers.after(10, callback);
    vi.advanceTimersByTime(10);
    run.cancel();
    vi.advanceTimersByTime(100);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  // A longer delay would make Node fire after 1 ms. Here it fires after the longest that Node can
  // wait (24.8 days), which is early: whoever asked looks at the clock and waits again.
  test.each([2 ** 31 - 1, 2 ** 31, 2 ** 31 + 5_000, 2 ** 40, Number.POSITIVE_INFINITY])(
    "a delay of %d ms fires at 2^31 - 1 ms and not before",
    (delayMs) => {
      vi.useFakeTimers();
      const callback = vi.fn();
      timers.after(delayMs, callback);
      vi.advanceTimersByTime(2 ** 31 - 2);
      expect(callback).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1);
      expect(callback).toHaveBeenCalledTimes(1);
    },
  );

  test("Node itself does not complain about a long delay", async () => {
    const script = "nodeEnv.timers.after(2 ** 40, () => console.log('early'));";
    expect(await runWithNodeEnv(script)).toEqual({ exitCode: 0, output: "" });
  });

  test("breathe lets pending events of the loop have their turn", async () => {
    const turns: string[] = [];
    const event = new Promise<void>((resolve) =>
      setImmediate(() => {
        turns.push("event");
        resolve();
      }),
    );
    await timers.breathe();
    turns.push("breathed");
    await event;
    expect(turns).toEqual(["event", "breathed"]);
  });

  test("a background timer does not keep the process alive", async () => {
    const script = "nodeEnv.timers.after(3_600_000, () => {}); console.log('armed');";
    expect(await runWithNodeEnv(script)).toEqual({ exitCode: 0, output: "armed\n" });
  });

  test("a foreground timer does, until it has fired", async () => {
    const script = "nodeEnv.timers.after(20, () => console.log('fired'), true);";
    expect(await runWithNodeEnv(script)).toEqual({ exitCode: 0, output: "fired\n" });
  });

  test("a cancelled foreground timer lets the process go", async () => {
    const script = "nodeEnv.timers.after(3_600_000, () => {}, true).cancel();";
    expect(await runWithNodeEnv(script)).toEqual({ exitCode: 0, output: "" });
  });
});
