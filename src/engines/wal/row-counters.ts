// Row counters: targets that count what they are told, for reading without keeping, or keep a single row.

import type { ChangeTarget } from "../../engine/changes.js";
import { copyNoteName, type TableName } from "../../engine/tables.js";
import { MalformedChanges } from "./change-codec.js";

/** Counts changes of any kind. */
export class ChangeCounter implements ChangeTarget {
  rows = 0;

  put(): void {
    this.rows++;
  }

  delete(): void {
    this.rows++;
  }

  clear(): void {
    this.rows++;
  }
}

/** Counts the rows of a state and hands them on; a state holds nothing else. */
export class RowCounter implements ChangeTarget {
  rows = 0;
  readonly #target: ChangeTarget;

  constructor(target: ChangeTarget) {
    this.#target = target;
  }

  put(...row: Parameters<ChangeTarget["put"]>): void {
    this.rows++;
    this.#target.put(...row);
  }

  delete(): void {
    throw new MalformedChanges("a deletion in a state");
  }

  clear(): void {
    throw new MalformedChanges("a clearing in a state");
  }
}

/** Keeps the note of a copy that is under way, and nothing else. */
export class CopyNote implements ChangeTarget {
  note: string | undefined;

  put(...[table, key, value]: Parameters<ChangeTarget["put"]>): void {
    if (isNote(table, key)) this.note = String(value);
  }

  delete(table: TableName, key: string): void {
    if (isNote(table, key)) this.note = undefined;
  }

  clear(table: TableName): void {
    if (table === "counters") this.note = undefined;
  }
}

function isNote(table: TableName, key: string): boolean {
  return table === "counters" && key === copyNoteName;
}
