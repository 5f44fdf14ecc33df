// Histories as rows: what the operations of a random run did to the tables, transaction by
// transaction, and a model that knows nothing of files to say what the tables hold afterwards.

import { seededRandom, virtualEnv } from "anykv/testing";
import type { ChangeTarget } from "../../../src/engine/changes.js";
import type { Transaction, View } from "../../../src/engine/engine.js";
import type { Stored } from "../../../src/engine/stored.js";
import { type TableName, tableNames } from "../../../src/engine/tables.js";
import { MemoryEngine } from "../../../src/engines/memory/memory-engine.js";
import type { Random } from "../../../src/env/env.js";
import type { Claim } from "../../../src/operations/claim-rows.js";
import { LocalStore } from "../../../src/store/local-store.js";

export type Change =
  | { kind: "put"; table: TableName; key: string; value: Stored; deadline: number }
  | { kind: "delete"; table: TableName; key: string }
  | { kind: "clear"; table: TableName };

/** The changes of one transaction, which becomes one record of the log. */
export type RecordedChanges = readonly Change[];

function lineOf(table: TableName, key: string, value: Stored, deadline: number): string {
  const text =
    typeof value === "string" ? JSON.stringify(value) : Buffer.from(value).toString("hex");
  return `${table} ${JSON.stringify(key)} ${text} ${deadline}`;
}

/** All rows, one a line, sorted: the same text means the same store. */
export function dumpOf(view: View): string {
  const lines: string[] = [];
  for (const name of tableNames) {
    for (const key of view[name].slice(0, view[name].size)) {
      const row = view[name].get(key);
      if (row !== undefined) lines.push(lineOf(name, key, row.value, row.deadline));
    }
  }
  return lines.sort().join("\n");
}

/** The rows after some records, by table and key. */
export class Model {
  readonly #lines = new Map<string, string>();

  apply(changes: RecordedChanges): void {
    for (const change of changes) {
      if (change.kind === "clear") this.#clear(change.table);
      else {
        const place = `${change.table} ${change.key}`;
        if (change.kind === "delete") this.#lines.delete(place);
        else {
          const { table, key, value, deadline } = change;
          this.#lines.set(place, lineOf(table, key, value, deadline));
        }
      }
    }
  }

  #clear(table: TableName): void {
    for (const place of this.#lines.keys()) {
      if (place.startsWith(`${table} `)) this.#lines.delete(place);
    }
  }

  get dump(): string {
    return [...this.#lines.values()].sort().join("\n");
  }
}

/** Applies recorded changes in one transaction. */
export function replay(transaction: Transaction, changes: RecordedChanges): void {
  for (const change of changes) {
    const table = transaction[change.table];
    if (change.kind === "put") table.put(change.key, change.value, change.deadline);
    else if (change.kind === "delete") table.delete(change.key);
    else table.clear();
  }
}

function listen(engine: MemoryEngine, records: Change[][]): void {
  engine.onCommit = (journal) => {
    const changes: Change[] = [];
    const target: ChangeTarget = {
      put: (table, key, value, deadline) =>
        changes.push({ kind: "put", table, key, value, deadline }),
      delete: (table, key) => changes.push({ kind: "delete", table, key }),
      clear: (table) => changes.push({ kind: "clear", table }),
    };
    journal.report(target);
    if (changes.length > 0) records.push(changes);
  };
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.below(items.length)] as Item;
}

function drawValue(random: Random): Stored {
  const length = pick(random, [0, 1, 5, 20, 20, 60, 300]);
  if (random.below(4) > 0) return pick(random, ["x", "AKVF", "é", "🙂"]).repeat(length);
  return Uint8Array.from({ length }, () => random.below(256));
}

/** Transactions of every kind that the operations make. */
export async function recordedHistory(seed: number, length: number): Promise<RecordedChanges[]> {
  const env = virtualEnv({ seed });
  const engine = new MemoryEngine(env, { trackKeys: false });
  const records: Change[][] = [];
  listen(engine, records);
  const run = new HistoryRun(new LocalStore(engine, env), seededRandom(seed));
  while (records.length < length) {
    try {
      await run.step();
    } catch {
      // An array where a value was due, or the reverse: nothing has been written.
    }
  }
  await run.store.close();
  return records.slice(0, length);
}

const lease = { ttl: 500_000, owner: "owner" };
const check = (): void => {};

class HistoryRun {
  readonly store: LocalStore;
  readonly #random: Random;
  #claims: readonly Claim[] = [];

  constructor(store: LocalStore, random: Random) {
    this.store = store;
    this.#random = random;
  }

  async step(): Promise<void> {
    const random = this.#random;
    const { store } = this;
    const key = `k${random.below(12)}`;
    const list = `l${random.below(4)}`;
    const item = `i${random.below(9)}`;
    const bucket = `b${random.below(2)}`;
    const end = pick(random, ["first", "last"] as const);
    const value = drawValue(random);
    const options = random.below(3) === 0 ? { ttl: 1_000_000 + random.below(1000) } : undefined;
    const steps: (() => unknown)[] = [
      () => store.set({ key, value, options }),
      () => store.set({ key, value, options }),
      () => store.set({ key: list, value, options }),
      () => store.setMany({ entries: [key, `${key}-b`].map((each) => ({ key: each, value })) }),
      () => store.delete({ key }),
      () => store.push({ key: list, value, end, options }),
      () => store.push({ key: list, value, end, options }),
      () => store.push({ key: list, value, end, options }),
      () => store.pop({ key: list, end, check }),
      () => store.deleteArray({ key: list }),
      () => store.addMember({ bucket, item, ttl: options?.ttl }),
      () => store.deleteMember({ bucket, item }),
      () => this.#claim(key),
      () => store.completeClaims({ claims: this.#claims, deleteKey: random.below(2) === 0 }),
      () => store.releaseClaims({ claims: this.#claims }),
    ];
    await pick(random, steps)();
    if (random.below(60) === 0) await store.clear(undefined);
  }

  async #claim(key: string): Promise<void> {
    const keys = [key, `${key}-b`];
    const { claimed } = await this.store.claimKeys({ keys, allOrNothing: false, lease, check });
    this.#claims = claimed;
  }
}
