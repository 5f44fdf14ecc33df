// Journal: what a transaction has changed, so that it can be taken back, or written down.
//
// Entries lie flat in arrays (table, key, former value, former deadline) which are reused, so that a
// committed write allocates nothing here. A former value of undefined means that the key was not
// there. Elements of an array have that as their table and their number as key. Clearing a table is journalled as one step that puts the old content back.

import type { ChangeTarget } from "../../engine/changes.js";
import type { Stored } from "../../engine/stored.js";
import type { TableName } from "../../engine/tables.js";

/** What the journal needs of whatever was changed. What can be recomputed reports nothing. */
export interface Undoable<Key extends string | number = string | number> {
  restore(key: Key, value: Stored | undefined, deadline: number): void;
  /** Tells the row as it is now. */
  report(key: Key, target: ChangeTarget): void;
  /** Tells the row as it was. */
  reportFormer(key: Key, value: Stored | undefined, deadline: number, target: FormerTarget): void;
}

/** Takes the rows as they were, in the order in which they were changed. */
export interface FormerTarget {
  /** `value` is undefined for a row that was not there. */
  row(table: TableName, key: string, value: Stored | undefined, deadline: number): void;
  clear(table: TableName): void;
}

interface Step {
  undo(): void;
  report(target: Pick<ChangeTarget, "clear">): void;
}

// Beyond this many entries the arrays are given back after the transaction; growing them anew costs
// a batch a third of its time, keeping them half a megabyte.
const keptEntriesMax = 16_384;

export class Journal {
  #tables: (Undoable | Step)[] = [];
  #keys: (string | number)[] = [];
  #values: (Stored | undefined)[] = [];
  #deadlines: number[] = [];
  #length = 0;

  record<Key extends string | number>(
    table: Undoable<Key>,
    key: Key,
    value: Stored | undefined,
    deadline: number,
  ): void {
    const at = this.#length++;
    this.#tables[at] = table;
    this.#keys[at] = key;
    this.#values[at] = value;
    this.#deadlines[at] = deadline;
  }

  recordStep(step: Step): void {
    this.#tables[this.#length++] = step;
  }

  /** Forgets everything; former values are let go at once, however large they were. */
  commit(): void {
    if (this.#length > keptEntriesMax) this.#release();
    else for (let at = 0; at < this.#length; at++) this.#values[at] = undefined;
    this.#length = 0;
  }

  /**
   * Tells what the transaction came to. Rows are told as they are now, also where a table was
   * cleared in between: whatever was put after the clearing is told again after it.
   */
  report(target: ChangeTarget): void {
    for (let at = 0; at < this.#length; at++) {
      const table = this.#tables[at] as Undoable | Step;
      if ("undo" in table) table.report(target);
      else table.report(this.#keys[at] as string | number, target);
    }
  }

  /** Tells what was there before each change, also of rows that were changed several times. */
  reportFormer(target: FormerTarget): void {
    for (let at = 0; at < this.#length; at++) {
      const table = this.#tables[at] as Undoable | Step;
      if ("undo" in table) table.report(target);
      else {
        const key = this.#keys[at] as string | number;
        table.reportFormer(key, this.#values[at], this.#deadlines[at] as number, target);
      }
    }
  }

  /** Takes everything back, the latest change first. */
  rollback(): void {
    for (let at = this.#length - 1; at >= 0; at--) {
      const table = this.#tables[at] as Undoable | Step;
      if ("undo" in table) table.undo();
      else {
        const key = this.#keys[at] as string | number;
        table.restore(key, this.#values[at], this.#deadlines[at] as number);
      }
    }
    this.#release();
    this.#length = 0;
  }

  #release(): void {
    this.#tables = [];
    this.#keys = [];
    this.#values = [];
    this.#deadlines = [];
  }
}
