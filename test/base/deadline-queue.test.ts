// DeadlineQueue against a plain list of deadlines.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Deadline, DeadlineQueue } from "../../src/base/deadline-queue.js";
import { shuffled } from "./texts.js";

type Held = Map<Deadline<number>, number>;

const byNumber = (a: number, b: number): number => a - b;

function expectSame(queue: DeadlineQueue<number>, held: Held, now: number): void {
  queue.verify();
  const instants = [...held.values()];
  expect(queue.size).toBe(held.size);
  expect(queue.earliest).toBe(Math.min(...instants));
  const seen: Deadline<number>[] = [];
  queue.due(now, (deadline) => seen.push(deadline));
  expect(new Set(seen).size).toBe(seen.length);
  const due = instants.filter((at) => at <= now);
  expect(seen.map(({ at }) => at).sort(byNumber)).toEqual(due.sort(byNumber));
  for (const deadline of seen) expect(deadline.at).toBe(held.get(deadline));
  const first = queue.first(now);
  expect(first?.at).toBe(due.length === 0 ? undefined : queue.earliest);
}

describe("a queue", () => {
  const at = fc.oneof(
    fc.integer({ min: 0, max: 20 }),
    fc.constantFrom(1.5, 1_790_000_000_000, Number.POSITIVE_INFINITY),
  );
  const step = fc.record({
    kind: fc.constantFrom("add", "add", "add", "move", "remove", "take"),
    at,
    now: at,
    pick: fc.nat(),
  });

  test("answers as a list does", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = new DeadlineQueue<number>();
        const held: Held = new Map();
        for (const [subject, { kind, at, now, pick }] of steps.entries()) {
          const picked = [...held.keys()][pick % Math.max(held.size, 1)];
          if (kind === "add") {
            const deadline = queue.add(subject, at);
            expect(deadline).toMatchObject({ subject, at });
            held.set(deadline, at);
          } else if (kind === "take") {
            const earliest = queue.earliest;
            const taken = queue.takeDue(now);
            expect(taken?.at).toBe(held.size > 0 && earliest <= now ? earliest : undefined);
            if (taken !== undefined) expect(held.delete(taken)).toBe(true);
          } else if (picked !== undefined && kind === "move") {
            queue.move(picked, at);
            held.set(picked, at);
          } else if (picked !== undefined) {
            queue.remove(picked);
            held.delete(picked);
          }
          expectSame(queue, held, now);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("gives deadlines back in order, however they came", () => {
    const instants = Array.from({ length: 3000 }, (_, index) => index >> 1);
    for (const order of [instants, [...instants].reverse(), shuffled(instants, 5)]) {
      const queue = new DeadlineQueue<string>();
      for (const at of order) queue.add(`at ${at}`, at);
      queue.verify();
      const taken: number[] = [];
      for (let now = 0; now < 1500; now += 10) {
        for (let next = queue.takeDue(now); next; next = queue.takeDue(now)) {
          expect(next.subject).toBe(`at ${next.at}`);
          taken.push(next.at);
        }
        expect(queue.earliest).toBeGreaterThan(now);
      }
      for (let next = queue.takeDue(1500); next; next = queue.takeDue(1500)) taken.push(next.at);
      expect(taken).toEqual(instants);
      expect(queue.size).toBe(0);
    }
  });

  test("stays as large as its deadlines, however often they are refreshed", () => {
    const queue = new DeadlineQueue<number>();
    const deadlines = Array.from({ length: 100 }, (_, subject) => queue.add(subject, subject));
    for (let round = 1; round <= 50; round += 1) {
      for (const deadline of deadlines) queue.move(deadline, deadline.at + 100);
    }
    queue.verify();
    expect(queue.size).toBe(100);
    expect(queue.earliest).toBe(5000);
    expect(queue.takeDue(4999)).toBeUndefined();
  });

  test("visits only what is due", () => {
    const queue = new DeadlineQueue<number>();
    for (const subject of shuffled([...Array(1000).keys()], 9)) queue.add(subject, subject);
    for (const now of [-1, 0, 1, 499, 999, 5000]) {
      const seen: number[] = [];
      queue.due(now, ({ subject }) => seen.push(subject));
      expect(seen.sort(byNumber)).toEqual([...Array(Math.min(now + 1, 1000)).keys()]);
    }
    expect(queue.size).toBe(1000);
  });

  test("is empty after clear", () => {
    const queue = new DeadlineQueue<number>();
    queue.add(1, 1);
    queue.clear();
    expectSame(queue, new Map(), 5);
    expect(queue.takeDue(5)).toBeUndefined();
  });
});

describe("misuse", () => {
  const message = /not in this queue/;

  test("of a deadline that was removed, taken or cleared throws and changes nothing", () => {
    const queue = new DeadlineQueue<string>();
    const cleared = queue.add("cleared", 1);
    queue.clear();
    const removed = queue.add("removed", 1);
    queue.add("taken", 2);
    const kept = queue.add("kept", 3);
    queue.remove(removed);
    const taken = queue.takeDue(2) as Deadline<string>;
    for (const gone of [cleared, removed, taken]) {
      expect(() => queue.remove(gone)).toThrow(message);
      expect(() => queue.move(gone, 0)).toThrow(message);
    }
    queue.verify();
    expect(queue.size).toBe(1);
    expect(queue.takeDue(3)).toBe(kept);
  });

  test("of another queue's deadline throws", () => {
    const [one, other] = [new DeadlineQueue<string>(), new DeadlineQueue<string>()];
    one.add("mine", 1);
    const foreign = other.add("yours", 1);
    expect(() => one.remove(foreign)).toThrow(message);
    expect(() => one.move(foreign, 5)).toThrow(message);
    expect(() => one.remove({ at: 1, subject: "made up" })).toThrow(message);
    expect(foreign.at).toBe(1);
  });

  test("by an instant that is no number throws before anything changes", () => {
    const queue = new DeadlineQueue<string>();
    const deadline = queue.add("subject", 1);
    expect(() => queue.add("other", Number.NaN)).toThrow(RangeError);
    expect(() => queue.move(deadline, Number.NaN)).toThrow(RangeError);
    expect(queue.size).toBe(1);
    expect(deadline.at).toBe(1);
  });

  test("by changing the queue while its due are visited throws", () => {
    const queue = new DeadlineQueue<string>();
    const deadline = queue.add("subject", 1);
    const changes = [
      () => queue.add("other", 1),
      () => queue.move(deadline, 2),
      () => queue.remove(deadline),
      () => queue.takeDue(1),
      () => queue.clear(),
    ];
    for (const change of changes) {
      expect(() => queue.due(1, change)).toThrow(/while its due are visited/);
    }
    queue.remove(deadline);
    expect(queue.size).toBe(0);
  });

  test("is noticed by verify", () => {
    const queue = new DeadlineQueue<string>();
    queue.add("first", 1);
    const second = queue.add("second", 2);
    (second as { at: number }).at = 0;
    expect(() => queue.verify()).toThrow(/earlier than its parent/);
    Object.assign(second, { at: 2, slot: 5 });
    expect(() => queue.verify()).toThrow(/slot 1 has an entry of slot 5/);
  });
});
