// The checker of concurrent histories can tell which of them an order explains.

import { describe, expect, test } from "vitest";
import {
  type LeaseInput,
  lease,
  linearize,
  noEnd,
  type Operation,
  type RegisterInput,
  register,
} from "./linearizability.js";

type Answer = number | boolean | null;

describe("the checker", () => {
  const operation = <Input>(
    input: Input,
    output: Answer | undefined,
    begin: number,
    end: number,
  ): Operation<Input, Answer> => ({ input, output, begin: BigInt(begin), end: BigInt(end) });
  const write = (value: number) => ({ kind: "write", value }) as const;
  const read = { kind: "read" } as const;
  const add = { kind: "add" } as const;

  test.each([
    [
      "a read that overlaps a write may see either value",
      true,
      [
        operation<RegisterInput>(write(1), 0, 0, 1),
        operation<RegisterInput>(write(2), 0, 2, 9),
        operation<RegisterInput>(read, 2, 3, 4),
        operation<RegisterInput>(read, 2, 5, 6),
      ],
    ],
    [
      "a read after a read may not go back",
      false,
      [
        operation<RegisterInput>(write(1), 0, 0, 1),
        operation<RegisterInput>(write(2), 0, 2, 9),
        operation<RegisterInput>(read, 2, 3, 4),
        operation<RegisterInput>(read, 1, 5, 6),
      ],
    ],
    [
      "a read after a write may not miss it",
      false,
      [operation<RegisterInput>(write(1), 0, 0, 1), operation<RegisterInput>(read, null, 2, 3)],
    ],
    [
      "two additions never give the same sum",
      false,
      [operation<RegisterInput>(add, 1, 0, 5), operation<RegisterInput>(add, 1, 1, 6)],
    ],
    [
      "additions may be counted in either order",
      true,
      [operation<RegisterInput>(add, 2, 0, 5), operation<RegisterInput>(add, 1, 1, 6)],
    ],
    [
      "an operation without an answer happened once at most",
      false,
      [
        operation<RegisterInput>(add, undefined, 0, Number(noEnd)),
        operation<RegisterInput>(add, 3, 1, 2),
      ],
    ],
    [
      "it did not happen before it began",
      false,
      [
        operation<RegisterInput>(add, 2, 0, 1),
        operation<RegisterInput>(add, undefined, 2, Number(noEnd)),
      ],
    ],
    [
      "an operation without an answer may have happened late, or never",
      true,
      [
        operation<RegisterInput>(write(1), undefined, 0, Number(noEnd)),
        operation<RegisterInput>(read, null, 1, 2),
        operation<RegisterInput>(read, 1, 3, 4),
      ],
    ],
  ])("%s", (_, expected, history) => {
    expect(linearize(register, history) !== undefined).toBe(expected);
  });

  const claim = { kind: "claim" } as const;
  const release = (token: number) => ({ kind: "release", token }) as const;

  test("a key that is held cannot be claimed, and tokens rise", () => {
    const first = operation<LeaseInput>(claim, 1, 0, 1);
    expect(linearize(lease, [first, operation<LeaseInput>(claim, 2, 2, 3)])).toBeUndefined();
    const released = [first, operation<LeaseInput>(release(1), true, 2, 3)];
    expect(linearize(lease, [...released, operation<LeaseInput>(claim, 2, 4, 5)])).toBeDefined();
    expect(linearize(lease, [...released, operation<LeaseInput>(claim, 1, 4, 5)])).toBeUndefined();
    expect(
      linearize(lease, [...released, operation<LeaseInput>(claim, null, 4, 5)]),
    ).toBeUndefined();
  });

  test("a claim without an answer may hold its key, and nobody can release it", () => {
    const lost = operation<LeaseInput>(claim, undefined, 0, Number(noEnd));
    const refused = operation<LeaseInput>(claim, null, 1, 2);
    const granted = (token: number, begin: number) =>
      operation<LeaseInput>(claim, token, begin, begin + 1);
    expect(linearize(lease, [lost, refused])).toBeDefined();
    expect(linearize(lease, [lost, granted(1, 1)])).toBeDefined();
    expect(linearize(lease, [lost, refused, granted(2, 3)])).toBeUndefined();
    const unreleased = operation<LeaseInput>(release(1), undefined, 3, Number(noEnd));
    expect(linearize(lease, [granted(1, 1), unreleased, granted(2, 5)])).toBeDefined();
    expect(linearize(lease, [granted(1, 1), granted(2, 5)])).toBeUndefined();
  });
});
