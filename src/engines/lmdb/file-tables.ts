// File tables: the tables of one open file, as transactions and views see them.

import { never, type Transaction } from "../../engine/engine.js";
import {
  type ExpiringTable,
  expiringTables,
  freeIndex,
  type TableName,
  tableNames,
} from "../../engine/tables.js";
import type { Env, Random } from "../../env/env.js";
import type { FileAccess } from "./file-access.js";
import { FreeKeys } from "./free-keys.js";
import { ItemRows } from "./item-rows.js";
import type { Journal } from "./journal.js";
import { byteKeys, textKeys } from "./key-format.js";
import { deadlinesName, metaName, type OrderedName, orderName, orderTags } from "./layout.js";
import type { KeyEncoder, NativeRoot, NativeTable } from "./lmdb-module.js";
import { OrderNodes } from "./order-nodes.js";
import { OrderTree } from "./order-tree.js";
import { RowTable, type RowTableParts } from "./row-table.js";

/** What is missing of a file that is opened for reading. */
export class MissingTable extends Error {
  readonly table: string;

  constructor(table: string) {
    super(`the file has no table ${table}`);
    this.table = table;
  }
}

/**
 * `Value` has to be what the encoding among the options gives.
 *
 * @throws MissingTable in a file that is opened for reading
 */
export function openTable<Key extends string | Uint8Array, Value = string>(
  root: NativeRoot,
  name: string,
  options: object,
): NativeTable<Key, Value> {
  const table = root.openDB(name, options);
  if (table === undefined) throw new MissingTable(name);
  return table as unknown as NativeTable<Key, Value>;
}

function openWith<Key extends string | Uint8Array>(
  root: NativeRoot,
  name: string,
  keyEncoder: KeyEncoder,
): NativeTable<Key> {
  return openTable(root, name, { encoding: "string", keyEncoder });
}

export function openMeta(root: NativeRoot): NativeTable {
  return openWith(root, metaName, textKeys);
}

const isExpiring = (name: TableName): name is ExpiringTable =>
  (expiringTables as readonly TableName[]).includes(name);

export class FileTables implements Transaction {
  readonly values: RowTable;
  readonly lists: RowTable;
  readonly items: ItemRows;
  readonly claims: RowTable;
  readonly members: RowTable;
  readonly counters: RowTable;
  readonly garbage: RowTable;
  readonly free: FreeKeys;
  readonly random: Random;
  readonly #clock: Env["clock"];
  readonly #nodes: OrderNodes[] = [];
  #now = 0;
  /** The earliest deadline of any row, and whether there is garbage, when somebody last looked. */
  earliestDeadline = never;
  hasGarbage = false;

  constructor(root: NativeRoot, meta: NativeTable, access: FileAccess, journal: Journal, env: Env) {
    const nodeFile = openWith<Uint8Array>(root, orderName, byteKeys);
    const orderOf = (name: OrderedName, rows: NativeTable): OrderTree => {
      const nodes = new OrderNodes(nodeFile, access, orderTags[name]);
      this.#nodes.push(nodes);
      return new OrderTree(nodes, rows);
    };
    const partsOf = (name: TableName): RowTableParts => {
      const rows = openWith<string>(root, name, textKeys);
      const deadlines = isExpiring(name)
        ? openWith<Uint8Array>(root, deadlinesName(name), byteKeys)
        : undefined;
      const order = orderOf(name, rows);
      return { rows, order, deadlines, journal, watched: name === "garbage" };
    };
    const table = (name: TableName): RowTable => new RowTable(partsOf(name));
    this.values = table("values");
    this.lists = table("lists");
    this.items = new ItemRows(partsOf("items"));
    this.claims = table("claims");
    this.members = table("members");
    this.counters = table("counters");
    this.garbage = table("garbage");
    const keys = openWith<string>(root, "free", textKeys);
    const tables = { values: this.values, claims: this.claims };
    const source = tables[freeIndex.source];
    const without = tables[freeIndex.without];
    this.free = new FreeKeys({
      keys,
      order: orderOf("free", keys),
      meta,
      journal,
      source,
      without,
    });
    this.random = env.random;
    this.#clock = env.clock;
  }

  // Read at most once per operation, and not at all by operations that meet no deadline.
  get now(): number {
    if (this.#now === 0) this.#now = this.#clock.now();
    return this.#now;
  }

  /** Before each operation. */
  begin(): this {
    this.#now = 0;
    return this;
  }

  /** Another state of the file is read from now on. */
  turnPage(): void {
    for (const name of tableNames) this[name].forgetFound();
    this.free.turnPage();
  }

  forEachDue(table: ExpiringTable, visit: (key: string) => void): void {
    this[table].forEachDue(this.now, visit);
  }

  nextDue(table: ExpiringTable): string | undefined {
    return this[table].nextDue(this.now);
  }

  /** Finds out what is due next, in the state that is being read. */
  lookAhead(): void {
    let earliest = never;
    for (const name of expiringTables) {
      earliest = Math.min(earliest, this[name].earliestDeadline());
    }
    this.earliestDeadline = earliest;
    this.hasGarbage = this.garbage.size > 0;
  }

  /** Writes what has been counted; `version` is the number of the write transaction. */
  flush(version: number): void {
    for (const nodes of this.#nodes) nodes.flush(version);
  }

  /** What has been counted since the last `flush`, and what is kept of before, is no longer true. */
  forget(): void {
    for (const nodes of this.#nodes) nodes.forget();
    this.turnPage();
  }

  /**
   * Puts everything in order that can be told from rows alone; returns how many rows it dropped.
   * `raw` gives the same tables by the bytes of their keys.
   */
  mend(raw: (table: TableName) => NativeTable<Uint8Array>): number {
    let dropped = 0;
    for (const name of tableNames) dropped += this[name].mend(raw(name));
    this.free.forget();
    return dropped;
  }

  /** Removes everything but the counters, which go on rising. */
  empty(): void {
    for (const name of tableNames) if (name !== "counters") this[name].clear();
    this.free.clear();
  }

  rebuildIndexes(): void {
    for (const name of tableNames) this[name].rebuildOrder();
    this.free.forget();
  }
}
