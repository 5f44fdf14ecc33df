// Snapshot rows: everything in a file as one state of it has it, whoever writes meanwhile.
//
// Rows are read as bytes and decoded here, without trusting them: a row that is none is told of
// once and left out of everything else.

import { isUtf8 } from "node:buffer";
import { prefixSuccessor } from "../../base/byte-order.js";
import type { Row } from "../../engine/engine.js";
import type { KeyedRow, RowReader } from "../../engine/row-reader.js";
import type { TableName } from "../../engine/tables.js";
import type { FileAccess } from "./file-access.js";
import { openTable } from "./file-tables.js";
import { byteKeys } from "./key-format.js";
import { databaseNames } from "./layout.js";
import type { NativeReader, NativeRoot, NativeTable } from "./lmdb-module.js";
import { decodeStrictly } from "./row-format.js";

const pageRows = 1_000;

export interface RawRow {
  readonly key: Buffer;
  readonly value: Buffer;
}

export class SnapshotRows implements RowReader {
  readonly #reader: NativeReader;
  readonly #tables: ReadonlyMap<string, NativeTable<Uint8Array, Buffer>>;

  /** The state that is newest now; `close` lets go of it. */
  constructor(root: NativeRoot, access: FileAccess) {
    // Opening a table ends the read transaction, so all of them are opened first.
    const options = { encoding: "binary", keyEncoder: byteKeys };
    this.#tables = new Map(
      databaseNames.map((name) => [name, openTable<Uint8Array, Buffer>(root, name, options)]),
    );
    this.#reader = access.openReader();
  }

  #table(name: string): NativeTable<Uint8Array, Buffer> {
    return this.#tables.get(name) as NativeTable<Uint8Array, Buffer>;
  }

  get(table: string, key: Uint8Array): Buffer | undefined {
    return this.#table(table).getBinary(key, { transaction: this.#reader });
  }

  /** Rows as they are, from `start` on and below `end`, in the order of their keys. */
  *raw(table: string, start?: Uint8Array, end?: Uint8Array): Generator<RawRow> {
    const source = this.#table(table);
    const transaction = this.#reader;
    let from = start;
    let skip = 0;
    for (;;) {
      const range = { start: from, end, limit: pageRows + skip, transaction };
      const page = Array.from(source.getRange(range)).slice(skip);
      for (const { key, value } of page) yield { key: Buffer.from(key), value };
      if (page.length < pageRows) return;
      from = page.at(-1)?.key;
      skip = 1;
    }
  }

  *each(table: TableName, prefix = ""): Iterable<KeyedRow> {
    const successor = prefixSuccessor(prefix);
    const start = prefix === "" ? undefined : Buffer.from(prefix);
    const end = successor === undefined ? undefined : Buffer.from(successor);
    for (const { key, value } of this.raw(table, start, end)) {
      const row = decodeRaw(key, value);
      if (row !== undefined) yield row;
    }
  }

  has(table: TableName, key: string): boolean {
    return key !== "" && this.get(table, Buffer.from(key)) !== undefined;
  }

  close(): void {
    this.#reader.done();
  }
}

/** Undefined for what is no row. */
export function decodeRaw(key: Buffer, value: Buffer): KeyedRow | undefined {
  if (!isUtf8(key)) return undefined;
  const row: Row | undefined = decodeStrictly(value);
  return row === undefined ? undefined : { key: key.toString("utf8"), ...row };
}
