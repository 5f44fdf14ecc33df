// The virtual Env: time moves when the test says so, and everything that is due happens in order.

import { virtualEnv } from "anykv/testing";
import { describe, expect, test } from "vitest";

/** Notes what fires, with the time that the clock shows then. */
function notebook(env: ReturnType<typeof virtualEnv>): {
  notes: string[];
  note: (text: string) => () => void;
} {
  const start = env.clock.now();
  const notes: string[] = [];
  const note = (text: string) => () => void notes.push(`${text} at ${env.clock.now() - start}`);
  return { notes, note };
}

describe("the clock", () => {
  test("stands where it was set, and moves by as much as it is told", async () => {
    const env = virtualEnv({ now: 1000 });
    expect(env.clock.now()).toBe(1000);
    await env.advance(5);
    env.stall(7);
    expect(env.clock.now()).toBe(1012);
  });

  test("moves by whole numbers of milliseconds, and never back", async () => {
    const env = virtualEnv();
    for (const ms of [-1, 0.5, Number.NaN, Infinity]) {
      await expect(env.advance(ms)).rejects.toThrow(RangeError);
      expect(() => env.stall(ms)).toThrow(RangeError);
    }
  });

  test("has a monotonic side that goes on by itself, and with it", () => {
    const env = virtualEnv();
    const first = env.clock.monotonic();
    const second = env.clock.monotonic();
    expect(second).toBeGreaterThan(first);
    expect(second - first).toBeLessThan(1);
    env.stall(100);
    expect(env.clock.monotonic()).toBeGreaterThanOrEqual(second + 100);
  });
});

describe("timers", () => {
  test("fire in the order of their moments, equal ones by age, at their moments", async () => {
    const env = virtualEnv();
    const { notes, note } = notebook(env);
    env.timers.after(20, note("b"));
    env.timers.after(10, note("a"));
    env.timers.after(20, note("c"));
    env.timers.after(31, note("late"));
    await env.advance(30);
    expect(notes).toEqual(["a at 10", "b at 20", "c at 20"]);
    expect(env.armedTimers).toBe(1);
    await env.advance(1);
    expect(notes.at(-1)).toBe("late at 31");
  });

  test("fire once, and not at all after they were cancelled", async () => {
    const env = virtualEnv();
    const { notes, note } = notebook(env);
    const timer = env.timers.after(1, note("cancelled"));
    env.timers.after(1, note("kept"));
    timer.cancel();
    timer.cancel();
    await env.advance(5);
    await env.advance(5);
    timer.cancel();
    expect(notes).toEqual(["kept at 1"]);
  });

  test("that are armed on the way fire on the way, if they are due by then", async () => {
    const env = virtualEnv();
    const { notes, note } = notebook(env);
    env.timers.after(10, () => {
      note("first")();
      env.timers.after(5, note("second"));
      env.timers.after(50, note("later"));
      env.timers.after(-3, note("at once"));
    });
    await env.advance(20);
    expect(notes).toEqual(["first at 10", "at once at 10", "second at 15"]);
  });

  test("fire at whole milliseconds, and not before their time", async () => {
    const env = virtualEnv();
    const { notes, note } = notebook(env);
    env.timers.after(2.25, note("fraction"));
    await env.advance(2);
    expect(notes).toEqual([]);
    await env.advance(1);
    expect(notes).toEqual(["fraction at 3"]);
  });

  test("wait during a stall, and fire late", async () => {
    const env = virtualEnv();
    const { notes, note } = notebook(env);
    env.timers.after(10, note("overdue"));
    env.stall(25);
    await env.idle();
    expect(notes).toEqual([]);
    await env.advance(0);
    expect(notes).toEqual(["overdue at 25"]);
  });

  test("find the work done that earlier ones have started", async () => {
    const env = virtualEnv();
    const { notes, note } = notebook(env);
    env.timers.after(10, async () => {
      for (let round = 0; round < 3; round++) await env.timers.breathe();
      for (let round = 0; round < 3; round++) await null;
      note("work")();
    });
    env.timers.after(10, note("next"));
    env.timers.after(11, note("last"));
    await env.advance(11);
    expect(notes).toEqual(["work at 10", "next at 10", "last at 11"]);
  });

  test("that go on for ever at one moment are reported", async () => {
    const env = virtualEnv();
    const again = (): void => void env.timers.after(0, again);
    again();
    await expect(env.advance(0)).rejects.toThrow("without end");
  });
});

describe("idle", () => {
  test("lets work run to its end, however often it breathes, and moves no time", async () => {
    const env = virtualEnv();
    const start = env.clock.now();
    let rounds = 0;
    const work = async (): Promise<void> => {
      for (; rounds < 50; rounds++) await env.timers.breathe();
    };
    void work();
    await env.idle();
    expect(rounds).toBe(50);
    expect(env.clock.now()).toBe(start);
  });
});

test("random numbers follow from the seed", () => {
  const draw = (seed: number): number[] => {
    const { random } = virtualEnv({ seed });
    return Array.from({ length: 20 }, () => random.below(1000));
  };
  expect(virtualEnv({ seed: 9 }).seed).toBe(9);
  expect(draw(9)).toEqual(draw(9));
  expect(draw(9)).not.toEqual(draw(10));
});
