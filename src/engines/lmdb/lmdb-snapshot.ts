// LMDB snapshot: a read transaction that stays on its state of the file while others write.
//
// The state costs writers nothing, but the file cannot use again the room of what has been replaced
// since, so that it grows while a snapshot is open.

import type { Snapshot, SnapshotRow } from "../../engine/snapshot.js";
import type { TableName } from "../../engine/tables.js";
import type { NativeReader, NativeTable } from "./lmdb-module.js";
import { decodeBytes, decodeText, isTextRow } from "./row-format.js";

export interface SnapshotTable {
  readonly name: TableName;
  readonly rows: NativeTable;
}

export class LmdbSnapshot implements Snapshot {
  readonly takenAt: number;
  readonly isExact = true;
  readonly rows: number;
  #reader: NativeReader | undefined;
  readonly #tables: SnapshotTable[];
  // The key that was given last of the first of the tables.
  #after: string | undefined;

  constructor(
    reader: NativeReader,
    tables: readonly SnapshotTable[],
    rows: number,
    takenAt: number,
  ) {
    this.#reader = reader;
    this.#tables = [...tables];
    this.rows = rows;
    this.takenAt = takenAt;
  }

  next(rowsMax: number): SnapshotRow[] | undefined {
    const table = this.#tables[0];
    const transaction = this.#reader;
    if (table === undefined || transaction === undefined) return undefined;
    const rows: SnapshotRow[] = [];
    const start = this.#after;
    const exclusiveStart = start !== undefined;
    const range = { start, exclusiveStart, limit: rowsMax, transaction };
    for (const { key, value } of table.rows.getRange(range)) {
      rows.push(snapshotRow(table, key, value, transaction));
    }
    this.#after = rows.at(-1)?.key;
    if (rows.length < rowsMax) {
      this.#tables.shift();
      this.#after = undefined;
    }
    return rows;
  }

  close(): void {
    this.#reader?.done();
    this.#reader = undefined;
  }
}

function snapshotRow(
  { name, rows }: SnapshotTable,
  key: string,
  text: string,
  transaction: NativeReader,
): SnapshotRow {
  if (isTextRow(text)) {
    const { value, deadline } = decodeText(text);
    return { table: name, key, value, deadline, again: false };
  }
  const bytes = rows.getBinary(key, { transaction });
  if (bytes === undefined) throw new Error("a row that was there cannot be read");
  const { value, deadline } = decodeBytes(bytes);
  return { table: name, key, value, deadline, again: false };
}
