// Carried rows: what of a store goes into a backup, and comes back by a restore.
//
// Values, arrays and filters are carried with their deadlines, and so are the counters, without
// which tokens and array ids could repeat. Claims are not: nobody holds them in the other store.
// Rows whose deadline has come, and elements that nobody can reach any more, stay behind.

import { crc32 } from "node:zlib";
import { never } from "../engine/engine.js";
import type { SnapshotRow } from "../engine/snapshot.js";
import { type TableName, tableNames } from "../engine/tables.js";
import { itemListId, parseSpan } from "../operations/list-rows.js";

/** In this order: what is known of arrays decides about their elements. */
export const carriedTables: readonly TableName[] = [
  "garbage",
  "lists",
  "items",
  "values",
  "members",
  "counters",
];

/** Tells which rows of a snapshot of `carriedTables` are carried. */
export class CarriedRows {
  readonly #takenAt: number;
  // Ids of arrays that are gone although their elements still lie there.
  readonly #gone = new Set<string>();

  constructor(takenAt: number) {
    this.#takenAt = takenAt;
  }

  /** Those of some rows, possibly none. Rows have to come in the order of the snapshot. */
  of(rows: readonly SnapshotRow[]): SnapshotRow[] {
    return rows.filter((row) => this.#isCarried(row));
  }

  #isCarried({ table, key, value, deadline }: SnapshotRow): boolean {
    const isLive = deadline === never || deadline > this.#takenAt;
    if (table === "garbage") this.#gone.add(key);
    else if (table === "lists" && !isLive) this.#gone.add(`${parseSpan(value).id}`);
    // A copy into the store goes on there, not in what was made of it.
    else if (table === "counters" && key === "copy") return false;
    else if (table === "items" && this.#gone.size > 0) return !this.#gone.has(itemListId(key));
    return isLive && table !== "garbage";
  }
}

/** What users put in: values, elements of arrays and items of filters. */
const entryTables: ReadonlySet<TableName> = new Set(["values", "items", "members"]);
/** Keeps a sum of checksums exact in a double. */
const sumBound = 2 ** 52;

/** Number and checksum of rows, whatever their order. */
export class RowTally {
  rows = 0;
  entries = 0;
  /** The highest id of an array. */
  highestList = 0;
  #sum = 0;
  // Elements that the rows of arrays speak of, less those that have come.
  #missingItems = 0;

  add(row: SnapshotRow): void {
    this.rows++;
    if (entryTables.has(row.table)) this.entries++;
    if (row.table === "items") this.#missingItems--;
    if (row.table === "lists") {
      const { id, head, tail } = parseSpan(row.value);
      this.highestList = Math.max(this.highestList, id);
      this.#missingItems += tail - head;
    }
    this.#sum = (this.#sum + checksum(row)) % sumBound;
  }

  /** Whether every element belongs to an array, and no array misses one. */
  get isWhole(): boolean {
    return this.#missingItems === 0;
  }

  equals(other: RowTally): boolean {
    return this.rows === other.rows && this.#sum === other.#sum;
  }
}

function checksum({ table, key, value, deadline }: SnapshotRow): number {
  const head = `${tableNames.indexOf(table)} ${deadline} ${key.length} ${key}`;
  return crc32(value, crc32(head));
}
