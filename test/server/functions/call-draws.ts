// Random calls: words as a client may send them, few keys, so that calls meet each other.

import type { Random } from "../../../src/env/env.js";
import { operations, operationTable } from "../../../src/remote/operation-table.js";

export interface DrawnCall {
  readonly operation: string;
  readonly args: readonly (string | number)[];
}

const keys = ["a", "b", "k1", "k2", "k{3}", "é", "～"];
const prefixes = ["", "k", "é", "none"];
const clients = ["c1", "c2"];
const buckets = ["b1", "b2", "é"];
const items = ["ti1", "ti2", "t", "té"];
const values = [
  ...["j1", "j-5", 'j"7"', 'j"x"', 'j{"a":1}', 'j{"b":[null,"\\u00e9"]}', "jnull", "j"],
  ...["j9223372036854775806", "j-9223372036854775808", "j9007199254740991", "j 12 ", "j1.5"],
];
const deltas = [0, 1, -1, 41, "9007199254740992", "-9223372036854775808", "4611686018427387904"];
const expiries = ["", "", "", "keep", 1, 5, 100, 100_000];
const lease = [1, 10, 1_000];

const writes: ReadonlySet<string> = new Set(
  operations.flatMap(([name, kind]) => (kind === "write" || kind === "free" ? [name] : [])),
);

export class CallDraws {
  readonly #random: Random;
  /** `<token> <key>` of claims that were granted. */
  readonly claims: string[] = ["1 a"];

  constructor(random: Random) {
    this.#random = random;
  }

  below(bound: number): number {
    return this.#random.below(bound);
  }

  one<Item>(list: readonly Item[]): Item {
    return list[this.below(list.length)] as Item;
  }

  #some<Item>(list: readonly Item[], max = 4): Item[] {
    return Array.from({ length: this.below(max + 1) }, () => this.one(list));
  }

  #guard(): string {
    if (this.below(4) > 0) return "";
    return this.one([
      this.one(this.claims),
      `0${this.one(this.claims)}`,
      "999 a",
      "007 a",
      "0 a",
      "none",
      "12345678901234567890 b",
    ]);
  }

  #random53(): number {
    return this.below(2 ** 53);
  }

  /** Key and token in turn. */
  #held(): string[] {
    return this.#some(this.claims).flatMap((claim) => {
      const space = claim.indexOf(" ");
      return [claim.slice(space + 1), claim.slice(0, space)];
    });
  }

  #trust(): string {
    return this.one(["j", "j", "jt", "", "j 00ff"]);
  }

  /** Arguments of each operation; some stand at the end that may be left out. */
  readonly #draws: Readonly<Record<string, () => (string | number)[]>> = {
    get: () => [this.one(keys)],
    get_many: () => this.#some(keys),
    exists: () => [this.one(keys)],
    set: () => [this.one(keys), this.one(values), this.#guard(), this.one(expiries)],
    set_many: () => {
      const pairs = this.#some(keys).flatMap((key) => [key, this.one(values)]);
      return [this.#guard(), this.one(expiries), ...pairs];
    },
    delete: () => [this.one(keys), this.#guard()],
    delete_many: () => [this.#guard(), ...this.#some(keys)],
    delete_prefix: () => [this.one(prefixes.slice(1)), this.one([1, 2, 100]), this.#guard()],
    fetch_remove: () => [this.one(keys), this.#trust(), this.#guard()],
    increment: () => [this.one(keys), this.one(deltas), this.#guard(), this.one(expiries)],
    get_or_set: () => [this.one(keys), this.one(values), this.#guard(), this.one(expiries)],
    swap: () => [
      ...[this.one(keys), this.one(values), this.#trust()],
      ...[this.#guard(), this.one(expiries)],
    ],
    compare_swap: () => [
      ...[this.one(keys), this.one([...values, "", "", ""]), this.one(values)],
      ...[this.#guard(), this.one(expiries)],
    ],
    compare_delete: () => [this.one(keys), this.one(values), this.#guard()],
    expire: () => [this.one(keys), this.one(lease), this.#guard()],
    persist: () => [this.one(keys), this.#guard()],
    ttl: () => [this.one(keys)],
    scan: () => [this.one(prefixes), this.one(["", ...keys]), this.one([0, 1, 2, 100])],
    scan_keys: () => [this.one(prefixes), this.one(["", ...keys]), this.one([0, 1, 2, 100])],
    list_arrays: () => [this.one(prefixes), this.one(["", ...keys]), this.one([1, 2, 100])],
    count: () => [this.one(prefixes)],
    count_free: () => [this.one(prefixes)],
    allocation: () => [this.one(prefixes)],
    sample: () => [
      ...[this.one(prefixes), this.below(2)],
      ...this.#some([1, 2, 3]).map(() => this.#random53()),
    ],
    // One at a time: several are chosen in another order here than there, as uniformly.
    claim_random: () => [
      ...[this.one(prefixes), 1, this.one(lease), this.one(["", "me", "é x"])],
      ...[this.#trust(), this.#random53()],
    ],
    pop_random: () => [this.one(prefixes), this.#trust(), this.#guard(), this.#random53()],
    claim_keys: () => [
      ...[1, this.one(lease), "me", this.#trust(), this.below(2)],
      ...this.#some(keys),
    ],
    release_claims: () => this.#held(),
    complete_claims: () => [this.below(2), ...this.#held()],
    renew_claims: () => [this.one(lease), ...this.#held()],
    list_claims: () => [this.one(prefixes), this.one(["", ...keys]), this.one([0, 1, 2, 100])],
    drop_claims: () => [1_000],
    push: () => [
      ...[this.one(keys), this.one(["first", "last"]), this.one(values)],
      ...[this.#guard(), this.one(expiries)],
    ],
    pop: () => [this.one(keys), this.one(["first", "last"]), this.#trust(), this.#guard()],
    length: () => [this.one(keys)],
    lengths: () => this.#some(keys),
    range: () => [
      ...[this.one(keys), this.one([0, 1, -1, -2, 5]), this.one([0, 1, -1, 100])],
      ...[this.below(3), this.one([0, 1, 100]), ...this.#some(["another state"], 1)],
    ],
    delete_array: () => [this.one(keys), this.#guard()],
    contains_member: () => [this.one(buckets), this.one(items)],
    add_member: () => this.#member(),
    check_then_add_member: () => this.#member(),
    delete_member: () => [this.one(buckets), this.one(items), this.#guard()],
    count_members: () => [this.one(buckets)],
    clear_members: () => [this.one(buckets), this.#guard()],
    clear: () => (this.below(4) === 0 ? [this.#guard()] : ["999 a"]),
    piece_values: () => [this.one(["", ...keys]), this.one([1, 2, 100])],
    dump_values: () => [this.one(["", ...keys]), this.one([1, 2, 100])],
    piece_arrays: () => [this.one(["", ...keys]), this.below(3), this.one([1, 2, 100])],
    find_values: () => this.#some(keys),
    find_arrays: () => this.#some(keys).flatMap((key) => [key, this.below(3), 1 + this.below(3)]),
    find_members: () => this.#some(buckets).flatMap((bucket) => [bucket, this.one(items)]),
    put_values: () =>
      this.#some(keys).flatMap((key) => [key, this.one(values), this.#deadline("")]),
    put_elements: () => [
      ...[this.one(keys), this.#deadline(""), this.below(3)],
      ...[this.one(values), ...this.#some(values)],
    ],
    put_members: () =>
      this.#some(buckets).flatMap((bucket) => [bucket, this.one(items), this.#deadline("inf")]),
    drop_keys: () => this.#some(keys, 2),
    drop_members: () => this.#some(buckets, 2).flatMap((bucket) => [bucket, this.one(items)]),
    dump_token: () => [],
    raise_token: () => [this.below(50)],
    copy_note: () => [],
    swap_note: () => [this.one(["", "note"]), this.one(["", "note", "é"])],
    open: () => [this.one([1, 1, 2]), this.one([1, 1, 3]), 0],
    dump_arrays: () => [this.one(["", ...keys]), this.one([1, 2, 100])],
    dump_elements: () => [
      ...[this.one(keys), this.below(3), this.one([1, 2, 100])],
      ...this.#some(["", "another state"], 1),
    ],
    dump_members: () => [this.one(buckets), 1_000],
    dump_buckets: () => ["", 1_000],
    piece_members: () => [1_000],
    select_keys: () => [this.one(prefixes), ...this.#some([0, 1, 2, 5, 100])],
    mark: () => [this.one(["", "sign", "é"])],
    marked: () => [],
    inspect: () => [],
    measure: () => [this.one(["arrays", "buckets"]), "", 1_000],
    once_begin: () => [this.one(clients)],
    once_end: () => [this.one(clients)],
    once_forget: () => [this.one(clients), ...this.#some([0]).map(() => this.#sequence())],
    once: () => this.#once(() => this.draw()),
    once_free: () => this.#once(() => ({ operation: "delete", args: [this.one(keys), ""] })),
    none: () => [],
  };

  /** What moment it is; deadlines are drawn around it. */
  now = 0;

  #deadline(none: "" | "inf"): string | number {
    return this.one([none, this.now - 5, this.now + 5, this.now + 1_000]);
  }

  #member(): (string | number)[] {
    return [...[this.one(buckets), this.one(items), this.#guard()], this.one(["", "", 1, 100])];
  }

  /** Few sequences, so that slots are taken again and again. */
  #once(inner: () => DrawnCall): (string | number)[] {
    let { operation, args } = inner();
    // Clients send nothing else by it.
    while (operation.startsWith("once") || !writes.has(operation)) ({ operation, args } = inner());
    return [this.one(clients), this.#sequence(), operation, ...args];
  }

  #sequence(): number {
    return 1 + this.below(4) + 1_024 * this.below(4);
  }

  /** Those that the library in Lua has, and one that nobody has. */
  get operations(): string[] {
    const hasOnce = "once_begin" in operationTable;
    return Object.keys(this.#draws).filter((name) => {
      if (name.startsWith("once")) return hasOnce;
      return name === "none" || name in operationTable;
    });
  }

  draw(): DrawnCall {
    const operation = this.one(this.operations);
    const args = this.#draws[operation]?.() ?? [];
    return { operation, args };
  }
}
