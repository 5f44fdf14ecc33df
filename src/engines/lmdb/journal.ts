// Journal: what one operation has changed, so that it can be taken back when the operation throws.
//
// The transactions of the file hold many operations each. One that fails must not take the others
// with it, so its changes are taken back row by row. Emptying a table cannot be taken back so: an
// operation that asks for it is started again in a transaction of its own within the transaction.

import type { Row } from "../../engine/engine.js";
import type { Stored } from "../../engine/stored.js";

/** What a change is taken back in. */
export interface Restorable {
  put(key: string, value: Stored, deadline: number): void;
  delete(key: string): unknown;
}

/** Thrown through an operation that has to be started again in a transaction of its own. */
export const startAsChild = Symbol("start as child");

interface Change {
  readonly target: Restorable;
  readonly key: string;
  /** The row before; undefined: there was none. */
  readonly row: Row | undefined;
}

export class Journal {
  #changes: Change[] = [];
  // In a transaction of its own an operation is taken back as a whole.
  #inChild = false;
  /** Whether a deadline or the garbage may have changed since somebody last looked. */
  watchedChanged = false;

  begin(inChild: boolean): void {
    this.#changes = [];
    this.#inChild = inChild;
  }

  record(target: Restorable, key: string, row: Row | undefined): void {
    if (!this.#inChild) this.#changes.push({ target, key, row });
  }

  /** Called before what cannot be taken back. */
  requireChild(): void {
    if (!this.#inChild) throw startAsChild;
  }

  rollback(): void {
    const changes = this.#changes;
    this.begin(false);
    for (const { target, key, row } of changes.reverse()) {
      if (row === undefined) target.delete(key);
      else target.put(key, row.value, row.deadline);
    }
    this.begin(false);
  }
}
