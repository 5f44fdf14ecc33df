// Waiting calls: those that cannot be sent yet, or have to be sent again, in order for each partition.

import type { PendingCall } from "./pending-call.js";

export class WaitingCalls {
  readonly #partitions = new Map<number, Set<PendingCall>>();

  /** Whether calls of the partition wait, so that a later one must not overtake them. */
  has(partition: number): boolean {
    return this.#partitions.size > 0 && this.#partitions.has(partition);
  }

  add(call: PendingCall): void {
    const { partition } = call.call;
    const calls = this.#partitions.get(partition);
    if (calls === undefined) this.#partitions.set(partition, new Set([call]));
    else calls.add(call);
  }

  delete(call: PendingCall): void {
    const { partition } = call.call;
    const calls = this.#partitions.get(partition);
    if (calls?.delete(call) && calls.size === 0) this.#partitions.delete(partition);
  }

  /** Takes all of them out. */
  take(): PendingCall[] {
    const calls = [...this.#partitions.values()].flatMap((waiting) => [...waiting]);
    this.#partitions.clear();
    return calls;
  }
}
