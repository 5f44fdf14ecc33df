// Random operations on a store, drawn from a seed: all kinds of rows come and go, and every value is
// another one, so that hardly two states of a store are the same.

import type { ClaimRef, Kv } from "anykv";
import type { Random } from "../../../src/env/env.js";

const keys = ["a", "ab", "b", "é", "😀", "constructor"] as const;
const arrays = ["queue", "queue:1"] as const;
const items = ["x", "y", "😀"] as const;

export class Actions {
  readonly #kv: Kv;
  readonly #random: Random;
  readonly #claims: ClaimRef[] = [];
  #values = 0;

  readonly #compact: () => Promise<unknown>;

  /** `compact` writes the state of the store anew. */
  constructor(kv: Kv, random: Random, compact: () => Promise<unknown>) {
    this.#kv = kv;
    this.#random = random;
    this.#compact = compact;
  }

  /** Starts the next operation. */
  next(): Promise<unknown> {
    return this.#of(this.#choices)();
  }

  // A choice that stands here twice comes twice as often.
  readonly #choices: readonly (() => Promise<unknown>)[] = [
    () => this.#kv.set(this.#of(keys), this.#value(), this.#expiring()),
    () => this.#kv.set(this.#of(keys), this.#value()),
    () => this.#kv.set(this.#of(keys), this.#value()),
    () => this.#kv.setMany({ a: this.#value(), b: this.#value(), ab: this.#value() }),
    () => this.#kv.setIfAbsent(this.#of(keys), this.#value()),
    () => this.#kv.delete(this.#of(keys)),
    () => this.#kv.deleteMany(["a", "b", "é"]),
    () => this.#kv.incrementBy("counter", 1 + this.#random.below(9)),
    () => this.#kv.append(this.#of(arrays), this.#value()),
    () => this.#kv.append(this.#of(arrays), this.#value(), this.#expiring()),
    () => this.#kv.prepend(this.#of(arrays), this.#value()),
    () => this.#kv.popFirst(this.#of(arrays)),
    () => this.#kv.pop(this.#of(arrays)),
    () => this.#kv.deleteArray(this.#of(arrays)),
    () => this.#claim(),
    () => this.#claim(),
    () => this.#withClaim((claim) => this.#kv.completeClaim(claim)),
    () => this.#withClaim((claim) => this.#kv.releaseClaim(claim)),
    () => this.#withClaim((claim) => this.#kv.renewClaim(claim, { ttl: this.#duration() })),
    () => this.#kv.popRandom(),
    () => this.#kv.filter("seen").add(this.#of(items), this.#expiring()),
    () => this.#kv.filter("see").checkThenAdd(this.#of(items)),
    () => this.#kv.filter("seen").delete(this.#of(items)),
    () => this.#kv.filter("seen").clear(),
    () => this.#kv.expire(this.#of([...keys, ...arrays]), this.#duration()),
    () => this.#kv.persist(this.#of([...keys, ...arrays])),
    () => (this.#random.below(4) === 0 ? this.#kv.clear() : this.#compact()),
  ];

  #of<Choice>(choices: readonly Choice[]): Choice {
    return choices[this.#random.below(choices.length)] as Choice;
  }

  /** Mostly a few bytes; now and then more than a sector, and hardly to be compressed. */
  #value(): string {
    const length = this.#random.below(6) === 0 ? 700 : this.#random.below(40);
    const noise = Array.from({ length }, () => String.fromCharCode(33 + this.#random.below(90)));
    return `${++this.#values} ${noise.join("")}`;
  }

  #duration(): number {
    return 1 + this.#random.below(200);
  }

  #expiring(): { ttl?: number } {
    return this.#random.below(2) === 0 ? {} : { ttl: this.#duration() };
  }

  async #claim(): Promise<void> {
    const claim = await this.#kv.claimRandom({ ttl: this.#duration() });
    if (claim !== null) this.#claims.push(claim);
  }

  async #withClaim(use: (claim: ClaimRef) => Promise<unknown>): Promise<void> {
    if (this.#claims.length > 0) await use(this.#of(this.#claims));
  }
}
