// Calls that are carried out once however often they are sent: docs/formats/valkey.md, `once`.
//
// The server keeps the answer of a call under a slot, which is its sequence modulo `slots`, until
// another call of the same client and partition takes the slot. So a slot is taken again only after
// its call has settled: whoever finds none free waits for one, in turn.

import type { Env } from "../../env/env.js";
import type { Call, Reply } from "../connection.js";

/** As many as the library keeps for a client in a partition. */
const slots = 1_024;
const randomBound = 2 ** 48;

class Sequences {
  /** The sequence with which each free slot goes on. */
  readonly #free = Array.from({ length: slots }, (_, slot) => slots - slot);
  readonly #waiting: ((sequence: number) => void)[] = [];

  take(): number | Promise<number> {
    const sequence = this.#free.pop();
    return sequence ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  giveBack(sequence: number): void {
    const next = sequence + slots;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#free.push(next);
    else waiting(next);
  }
}

export class OnceCalls {
  readonly #client: string;
  readonly #send: (call: Call) => Promise<Reply>;
  readonly #sequences: readonly Sequences[];

  constructor(
    { random }: Pick<Env, "random">,
    partitions: number,
    send: (call: Call) => Promise<Reply>,
  ) {
    const draw = (): string => random.below(randomBound).toString(36);
    this.#client = draw() + draw();
    this.#send = send;
    this.#sequences = Array.from({ length: partitions }, () => new Sequences());
  }

  async call({ operation, partition, args }: Call): Promise<Reply> {
    const sequences = this.#sequences[partition] as Sequences;
    const taken = sequences.take();
    // Calls that need not wait keep their order: nothing is awaited before they are sent.
    const sequence = typeof taken === "number" ? taken : await taken;
    try {
      const once = [this.#client, sequence, operation, ...args];
      return await this.#send({ operation: "once", partition, args: once, isRead: false });
    } finally {
      sequences.giveBack(sequence);
    }
  }
}
