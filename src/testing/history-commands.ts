// History commands: what a random caller may do, as plain data.
//
// The key space is small, so that operations meet: keys that are prefixes of each other, keys whose
// order differs between UTF-8 and UTF-16, keys that are names of JavaScript's own. Claims, cursors
// and moments cannot be written down in advance, so a command names them by place: "the latest claim
// but two", "the next deadline but one".

import type { Method } from "./model.js";

export const keys = [
  "a",
  "ab",
  "abc",
  "b",
  "queue",
  "queue:1",
  "é",
  "～",
  "😀",
  "😀😀",
  "__proto__",
  "constructor",
] as const;

export const prefixes = ["", "a", "ab", "queue", "😀", "_", "zz"] as const;
export const buckets = ["seen", "see"] as const;
const items = ["x", "nx", "😀"] as const;
const owners = ["", "ann", "😀"] as const;
const deltas = [1, -1, 0, 41, 2 ** 53 - 1, -(2 ** 62)] as const;
const durations = [1, 2, 5, 10, 50, 1000, 2000] as const;

/** Equal, nearly equal and unequal values; counters and what only looks like them. */
const values: readonly unknown[] = [
  null,
  0,
  1,
  -3,
  1.5,
  true,
  "",
  "41",
  "+5",
  "x",
  "9223372036854775807",
  [],
  [1, "a", null],
  { a: 1, b: { c: [2] } },
  { b: { c: [2] }, a: 1 },
  { "😀": "é", "": 1 },
];

/**
 * The claim that was granted so many claims before the latest one, or a forgery of it; `live` counts
 * only those that still hold their keys.
 */
export interface ClaimPlace {
  readonly latestClaimBut: number;
  readonly live?: true;
  readonly forged?: "id" | "token" | "key";
}

/** Whatever value the key has when the command comes. */
export interface ValuePlace {
  readonly currentValueOf: string;
}

/** The cursor that was returned so many pages before the latest one. */
export interface CursorPlace {
  readonly latestCursorBut: number;
}

/** The wait that has gone on for the longest time but so many. */
export interface WaitPlace {
  readonly oldestWaitBut: number;
}

/** `offset` ms from the next deadline but so many; a stall moves the clock and fires no timers. */
export interface MomentPlace {
  readonly nextDeadlineBut: number;
  readonly offset: number;
}

/** Entries of `setMany`, as a list, so that "__proto__" can be a key. */
export interface EntryList {
  readonly entries: readonly (readonly [string, unknown])[];
}

export type Command =
  | { readonly method: Method; readonly args: readonly unknown[] }
  | { readonly method: "advance" | "stall"; readonly args: readonly [MomentPlace] }
  | { readonly method: "abort"; readonly args: readonly [WaitPlace] }
  /** Closes every handle and opens the store again. */
  | { readonly method: "reopen"; readonly args: readonly [] }
  /** Compares the complete content. */
  | { readonly method: "inspect"; readonly args: readonly [] };

/** Random numbers for drawing commands: `below(3)` is 0, 1 or 2. */
export class Draw {
  readonly below: (bound: number) => number;

  constructor(below: (bound: number) => number) {
    this.below = below;
  }

  of<Item>(choices: readonly Item[]): Item {
    return choices[this.below(choices.length)] as Item;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  list<Item>(lengthMax: number, item: () => Item): Item[] {
    return Array.from({ length: this.below(lengthMax + 1) }, item);
  }

  key(): string {
    return this.of(keys);
  }

  distinctKeys(): string[] {
    return [...new Set(this.list(3, () => this.key()))];
  }

  value(): unknown {
    return this.of(values);
  }

  ttl(): number {
    return this.of(durations);
  }

  /** What a comparison on the key expects: often rightly. */
  expected(key: string): unknown {
    return this.once(2) ? { currentValueOf: key } : this.value();
  }

  claim(): ClaimPlace {
    if (this.once(2)) return { latestClaimBut: this.below(3), live: true };
    const latestClaimBut = this.once(3) ? this.below(8) : this.below(2);
    if (!this.once(3)) return { latestClaimBut };
    return { latestClaimBut, forged: this.of(["id", "token", "key"] as const) };
  }

  prefixed(): object {
    return this.once(3) ? {} : { prefix: this.of(prefixes) };
  }

  guarded(): object {
    return this.once(6) ? { claim: this.claim() } : {};
  }

  /** Options of operations that may create a key. */
  creating(): object {
    return { ...this.guarded(), ...(this.once(3) ? { ttl: this.ttl() } : {}) };
  }

  /** Options of operations that replace a value. */
  replacing(): object {
    return this.once(4) ? { ...this.guarded(), keepTtl: true } : this.creating();
  }

  comparing(options: object): object {
    return this.once(2) ? { ...options, includeCurrentOnMismatch: true } : options;
  }

  limited(): object {
    return { ...this.prefixed(), ...(this.once(3) ? { limit: this.below(5) } : {}) };
  }

  page(): object {
    const cursor = this.once(2) ? { cursor: { latestCursorBut: this.below(3) } } : {};
    return { ...this.prefixed(), limit: 1 + this.below(4), ...cursor };
  }

  lease(): object {
    const ttl = this.once(3) ? {} : { ttl: this.ttl() };
    return this.once(3) ? { ...ttl, owner: this.of(owners) } : ttl;
  }

  waiting(): object {
    return { ...this.guarded(), ...(this.once(6) ? {} : { timeout: this.of([0, 1, 5, 50]) }) };
  }

  bucket(): string {
    return this.of(buckets);
  }

  item(): string {
    return this.of(items);
  }

  delta(): number {
    return this.once(3) ? this.of(deltas) : 1;
  }

  position(): number {
    return this.below(7) - 3;
  }

  moment(): MomentPlace {
    return { nextDeadlineBut: this.once(4) ? this.below(5) : 0, offset: this.below(3) - 1 };
  }
}
