// Ledger: what a store owes after a crash at any moment, kept from outside by watching its calls.
//
// Records count from 1. `committed` are those that have been applied in memory, `written` those whose
// frame has been written entirely, `durable` those whose frame has been synced, and `acknowledged`
// those whose writer has been told that all is well. A killed process owes what was written; after a
// power cut the durable ones must be there, and nobody must have been told of any other at the level
// that promises to outlive it.

import type { Call } from "../../../src/testing/simulated-calls.js";

const frameMagics = ["AKVF", "AKVZ"];

interface Frame {
  readonly last: number;
  readonly at: number;
}

export interface Debt {
  readonly committed: number;
  readonly written: number;
  readonly durable: number;
  readonly acknowledged: number;
}

export class Ledger implements Debt {
  committed = 0;
  written = 0;
  durable = 0;
  acknowledged = 0;
  /** The frames in each file of the log: the last record, and the change of the disk that wrote it. */
  readonly #frames = new Map<number, readonly Frame[]>();

  /** The ledger of a store that begins with records that nothing can take away any more. */
  static from(records: number): Ledger {
    const ledger = new Ledger();
    ledger.committed = ledger.written = ledger.durable = ledger.acknowledged = records;
    return ledger;
  }

  copy(): Ledger {
    const ledger = new Ledger();
    Object.assign(ledger, this.debt);
    for (const [file, frames] of this.#frames) ledger.#frames.set(file, frames);
    return ledger;
  }

  get debt(): Debt {
    const { committed, written, durable, acknowledged } = this;
    return { committed, written, durable, acknowledged };
  }

  /** Takes note of a call that has taken effect; `changes` is the number of changes of the disk. */
  note({ kind, file, bytes, until = 0 }: Call, changes: number): void {
    if (file === undefined) return;
    if (kind === "write") this.#noteFrame(file, Buffer.from(bytes ?? []), changes);
    else if (kind === "sync" || kind === "dataSync") {
      const covered = (this.#frames.get(file) ?? []).filter(({ at }) => at <= until);
      this.durable = Math.max(this.durable, covered.at(-1)?.last ?? 0);
    }
  }

  #noteFrame(file: number, bytes: Buffer, at: number): void {
    if (!frameMagics.includes(bytes.toString("latin1", 0, 4))) return;
    this.written = Number(bytes.readBigUInt64LE(16)) + bytes.readUInt32LE(12) - 1;
    this.#frames.set(file, [...(this.#frames.get(file) ?? []), { last: this.written, at }]);
  }
}
