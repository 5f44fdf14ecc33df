// Ledger: what a store owes after a crash at any moment, kept from outside by watching its calls.
//
// Records count from 1. `committed` are those that have been applied in memory, `written` those whose
// frame has been written entirely, `durable` those whose frame has been synced, and `acknowledged`
// those whose writer has been told that all is well. A killed process owes what was written; after a
// power cut the durable ones must be there, and nobody must have been told of any other at the level
// that promises to outlive it.

import { frameMagic } from "../../../src/engines/wal/log-format.js";
import type { Call } from "../../../src/testing/simulated-calls.js";

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
  /** The last record in each file of the log. */
  readonly #lastIn = new Map<number, number>();

  /** The ledger of a store that begins with records that nothing can take away any more. */
  static from(records: number): Ledger {
    const ledger = new Ledger();
    ledger.committed = ledger.written = ledger.durable = ledger.acknowledged = records;
    return ledger;
  }

  copy(): Ledger {
    const ledger = new Ledger();
    Object.assign(ledger, this.debt);
    for (const [file, last] of this.#lastIn) ledger.#lastIn.set(file, last);
    return ledger;
  }

  get debt(): Debt {
    const { committed, written, durable, acknowledged } = this;
    return { committed, written, durable, acknowledged };
  }

  /** Takes note of a call that has taken effect. */
  note({ kind, file, bytes }: Call): void {
    if (file === undefined) return;
    if (kind === "write") this.#noteFrame(file, Buffer.from(bytes ?? []));
    else if (kind === "sync" || kind === "dataSync") {
      this.durable = Math.max(this.durable, this.#lastIn.get(file) ?? 0);
    }
  }

  #noteFrame(file: number, bytes: Buffer): void {
    if (!bytes.subarray(0, frameMagic.length).equals(frameMagic)) return;
    this.written = Number(bytes.readBigUInt64LE(16)) + bytes.readUInt32LE(12) - 1;
    this.#lastIn.set(file, this.written);
  }
}
