// Salvaged rows: what could be read, and since which loss each row is known.
//
// Every loss begins a new generation. A row of an older generation was not touched by anything that
// was read after the loss: what was lost may have changed or deleted it.

import type { ChangeTarget } from "../../engine/changes.js";
import type { Stored } from "../../engine/stored.js";
import { type TableName, tableNames } from "../../engine/tables.js";
import type { MemoryEngine } from "../memory/memory-engine.js";
import type { OlderRows } from "./wal-report.js";

export class SalvagedRows implements ChangeTarget {
  readonly memory: MemoryEngine;
  readonly #target: ChangeTarget;
  // Rows that are not here are of generation 0: without a loss, nothing is kept beside the rows.
  readonly #generations = new Map(tableNames.map((name) => [name, new Map<string, number>()]));
  #generation = 0;

  constructor(memory: MemoryEngine) {
    this.memory = memory;
    this.#target = memory.loader();
  }

  beginGeneration(): void {
    this.#generation++;
  }

  /** How many losses came before what is known of a row. */
  generationOf(table: TableName, key: string): number {
    return this.#generationsOf(table).get(key) ?? 0;
  }

  put(table: TableName, key: string, value: Stored, deadline: number): void {
    if (this.#generation > 0) this.#generationsOf(table).set(key, this.#generation);
    this.#target.put(table, key, value, deadline);
  }

  delete(table: TableName, key: string): void {
    this.#generationsOf(table).delete(key);
    this.#target.delete(table, key);
  }

  clear(table: TableName): void {
    this.#generationsOf(table).clear();
    this.#target.clear(table);
  }

  get count(): number {
    return tableNames.reduce((rows, table) => rows + this.memory.rowCount(table), 0);
  }

  /** The rows that nothing which was read after the last loss has touched. */
  olderRows(): OlderRows[] {
    // Counters are raised after a loss: none of them is out of date.
    const tables = tableNames.filter((table) => table !== "counters");
    const older = tables.map((table) => ({ table, keys: this.#olderKeys(table) }));
    return older.filter(({ keys }) => keys.length > 0);
  }

  #olderKeys(table: TableName): string[] {
    const keys: string[] = [];
    const rows = this.memory.rows(table);
    for (let next = rows.next(); !next.done; next = rows.next()) {
      const [key] = next.value;
      if (this.generationOf(table, key) < this.#generation) keys.push(key);
    }
    return keys;
  }

  #generationsOf(table: TableName): Map<string, number> {
    return this.#generations.get(table) as Map<string, number>;
  }
}
