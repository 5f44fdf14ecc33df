// Model state: the content of a store as plain maps, and the rules that all operations share.
//
// The model is meant to be read and believed, not to be fast: every step is the first one that
// comes to mind, and nothing here shares code with the store. What has expired is removed before
// each operation looks, so that no rule below has to think of it; the one thing that remains are
// expired claims, because diagnostics may still count them until background work has run.
//
// Values are kept as their JSON texts, so that nothing that is handed in or out can change them.

import type { ClaimRef, CreateOptions, GuardOptions, WriteOptions } from "../kv/types.js";

export interface ValueRow {
  readonly kind: "value";
  text: string;
  deadline: number;
}

export interface ArrayRow {
  readonly kind: "array";
  readonly texts: string[];
  deadline: number;
}

export interface Lease {
  readonly id: string;
  readonly token: number;
  readonly owner: string | undefined;
  deadline: number;
}

/** How the keys of a store are spread, where one step concerns the keys of one partition only. */
export interface Spread {
  readonly partitions: number;
  partitionOf(key: string): number;
}

export const onePartition: Spread = { partitions: 1, partitionOf: () => 0 };

export interface ModelSettings {
  readonly clock: { now(): number };
  readonly trackKeys: boolean;
  /** Default: one partition. */
  readonly spread?: Spread | undefined;
}

/** The model's way to reject: by the name of the error. */
export class Refusal extends Error {
  constructor(name: string) {
    super(`the model refuses with ${name}`);
    this.name = name;
  }
}

/** The store has chosen something that was not to be chosen. */
export class Disagreement extends Error {}

export function read(text: string): unknown {
  return JSON.parse(text);
}

export function write(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}

const encodings = new Map<string, Buffer>();

function encoded(key: string): Buffer {
  let bytes = encodings.get(key);
  if (bytes === undefined) {
    bytes = Buffer.from(key);
    encodings.set(key, bytes);
  }
  return bytes;
}

export function byBytes(a: string, b: string): number {
  return Buffer.compare(encoded(a), encoded(b));
}

export class ModelState {
  protected readonly settings: ModelSettings;
  protected readonly rows = new Map<string, ValueRow | ArrayRow>();
  protected readonly leases = new Map<string, Lease>();
  /** Items of each bucket with their deadlines. */
  protected readonly buckets = new Map<string, Map<string, number>>();
  /** The last token of each partition. */
  readonly #tokens = new Map<number, number>();
  /** Values that have expired since background work last had its turn. */
  protected unreaped = 0;
  /** What the store has answered to the operation in hand, for those that leave it a choice. */
  protected taken: unknown;

  constructor(settings: ModelSettings) {
    this.settings = settings;
  }

  protected get spread(): Spread {
    return this.settings.spread ?? onePartition;
  }

  /** Tokens of a partition rise by the number of partitions. */
  protected nextToken(key: string): number {
    const { partitions, partitionOf } = this.spread;
    const partition = partitionOf(key);
    const token = (this.#tokens.get(partition) ?? partition) + partitions;
    this.#tokens.set(partition, token);
    return token;
  }

  /** Keys by partition, each group in their order. */
  protected together(keys: readonly string[]): string[][] {
    const groups = new Map<number, string[]>();
    for (const key of keys) {
      const partition = this.spread.partitionOf(key);
      groups.set(partition, [...(groups.get(partition) ?? []), key]);
    }
    return [...groups.values()];
  }

  protected get now(): number {
    return this.settings.clock.now();
  }

  /** Removes what has expired by now. */
  protected expireRows(): void {
    for (const [key, row] of this.rows) {
      if (row.deadline > this.now) continue;
      if (row.kind === "value") this.unreaped++;
      this.drop(key);
    }
    for (const items of this.buckets.values()) {
      for (const [item, deadline] of items) if (deadline <= this.now) items.delete(item);
    }
  }

  protected value(key: string): ValueRow | undefined {
    const row = this.rows.get(key);
    if (row?.kind === "array") throw new Refusal("WrongTypeError");
    return row;
  }

  protected array(key: string): ArrayRow | undefined {
    const row = this.rows.get(key);
    if (row?.kind === "value") throw new Refusal("WrongTypeError");
    return row;
  }

  /** A claim that was on the key before stays on it. */
  protected put(key: string, text: string, deadline: number): void {
    this.rows.set(key, { kind: "value", text, deadline });
  }

  protected drop(key: string): void {
    this.rows.delete(key);
    this.leases.delete(key);
  }

  protected keysOf(kind: "value" | "array", prefix: string | undefined): string[] {
    const keys = [...this.rows.keys()].filter(
      (key) => this.rows.get(key)?.kind === kind && key.startsWith(prefix ?? ""),
    );
    return keys.sort(byBytes);
  }

  protected entry(key: string): { key: string; value: unknown } {
    return { key, value: read(this.value(key)?.text ?? "null") };
  }

  protected isClaimed(key: string): boolean {
    const lease = this.leases.get(key);
    return lease !== undefined && lease.deadline > this.now;
  }

  protected isHeld({ id, key, token }: ClaimRef): boolean {
    const lease = this.leases.get(key);
    return this.isClaimed(key) && lease?.id === id && lease.token === token;
  }

  /** A claim guards the keys that lie where it does; `null` stands for all keys. */
  protected guard(options: GuardOptions | undefined, keys: readonly string[] | null): void {
    const claim = options?.claim;
    if (claim === undefined) return;
    const { partitions, partitionOf } = this.spread;
    const place = partitionOf(claim.key);
    const isBeside =
      keys === null ? partitions === 1 : keys.every((key) => partitionOf(key) === place);
    if (!isBeside) throw new Refusal("InvalidOptionsError");
    if (!this.isHeld(claim)) throw new Refusal("StaleClaimError");
  }

  /** The deadline of a value that replaces another one, or none. */
  protected replacing(row: ValueRow | undefined, options: WriteOptions | undefined): number {
    if (options?.keepTtl && row !== undefined) return row.deadline;
    return this.creating(options);
  }

  /** The deadline of what has not been there before. */
  protected creating(options: CreateOptions | undefined): number {
    return options?.ttl === undefined ? Infinity : this.now + options.ttl;
  }
}
