// Inspection of the tables in one state of a file: rows, deadlines, orders and the index of free
// keys. What rows mean to each other is judged by the `check` that is handed in.

import { never } from "../../engine/engine.js";
import type { CheckRows } from "../../engine/row-reader.js";
import {
  type ExpiringTable,
  expiringTables,
  freeIndex,
  type TableName,
  tableNames,
} from "../../engine/tables.js";
import { type FileProblem, problemsMax, type TableReport } from "./file-report.js";
import { inspectOrder } from "./inspect-order.js";
import { deadlinesName, freeBuiltKey, metaName, type OrderedName } from "./layout.js";
import { deadlineKey } from "./row-table.js";
import { decodeRaw, type RawRow, type SnapshotRows } from "./snapshot-rows.js";

export class TableInspection {
  readonly #rows: SnapshotRows;
  readonly #problems: FileProblem[] = [];
  readonly #tables: TableReport[] = [];
  #freeKeys: number | undefined;

  constructor(rows: SnapshotRows) {
    this.#rows = rows;
  }

  get problems(): readonly FileProblem[] {
    return this.#problems;
  }

  get tables(): readonly TableReport[] {
    return this.#tables;
  }

  get freeKeys(): number | undefined {
    return this.#freeKeys;
  }

  /** `between`: called before each step, with what comes. */
  async run(check: CheckRows, between: (what: string) => Promise<void>): Promise<void> {
    for (const table of tableNames) {
      await between(table);
      this.#table(table);
    }
    await between("free");
    this.#free();
    await between("rows");
    for (const problem of check(this.#rows)) this.#tell({ part: "rows", ...problem });
  }

  #tell(problem: FileProblem): void {
    if (this.#problems.length < problemsMax) this.#problems.push(problem);
  }

  #table(table: TableName): void {
    const report = { table, rows: 0, expiring: 0 };
    for (const row of this.#rows.raw(table)) {
      report.rows++;
      if (this.#row(table, row)) report.expiring++;
    }
    this.#tables.push(report);
    if (isExpiring(table)) this.#deadlines(table, report.expiring);
    this.#order(table);
  }

  /** Whether the row has a deadline. */
  #row(table: TableName, raw: RawRow): boolean {
    const row = decodeRaw(raw.key, raw.value);
    if (row === undefined) {
      this.#tell({ part: "rows", table, key: raw.key.toString("utf8"), what: "cannot be read" });
      return false;
    }
    const { key, deadline } = row;
    if (deadline === never) return false;
    if (isExpiring(table)) this.#deadline(table, key, deadline);
    else this.#tell({ part: "rows", table, key, what: "has a deadline" });
    return true;
  }

  #order(name: OrderedName): void {
    const fault = inspectOrder(this.#rows, name, this.#keysOf(name));
    if (fault !== undefined) this.#tell({ part: "indexes", what: fault });
  }

  *#keysOf(name: OrderedName): Generator<string> {
    for (const { key } of this.#rows.raw(name)) yield key.toString("utf8");
  }

  #deadline(table: ExpiringTable, key: string, deadline: number): void {
    const found = this.#rows.get(deadlinesName(table), deadlineKey(deadline, key));
    if (found !== undefined) return;
    this.#tell({ part: "indexes", table, key, what: "is missing among the deadlines" });
  }

  #deadlines(table: ExpiringTable, expiring: number): void {
    let deadlines = 0;
    for (const _ of this.#rows.raw(deadlinesName(table))) deadlines++;
    if (deadlines === expiring) return;
    const what = `${deadlines} deadlines are kept of ${table}, of ${expiring}`;
    this.#tell({ part: "indexes", table, what });
  }

  /** Both sides come in the order of their keys. */
  #free(): void {
    if (this.#rows.get(metaName, Buffer.from(freeBuiltKey)) === undefined) return;
    let keys = 0;
    const kept = this.#rows.raw("free");
    for (const key of this.#unclaimed()) {
      keys++;
      const { value } = kept.next();
      if (value?.key.equals(key) === true) continue;
      this.#tell({ part: "indexes", what: `the index of free keys differs at ${key}` });
      return;
    }
    this.#freeKeys = keys;
    if (kept.next().done !== true) {
      this.#tell({ part: "indexes", what: "the index of free keys has keys too many" });
      return;
    }
    this.#order("free");
  }

  *#unclaimed(): Generator<Buffer> {
    const claims = this.#rows.raw(freeIndex.without);
    let claim = claims.next().value?.key;
    for (const { key } of this.#rows.raw(freeIndex.source)) {
      while (claim !== undefined && Buffer.compare(claim, key) < 0)
        claim = claims.next().value?.key;
      if (claim === undefined || !claim.equals(key)) yield key;
    }
  }
}

const isExpiring = (table: TableName): table is ExpiringTable =>
  (expiringTables as readonly TableName[]).includes(table);
