// Remote reaper: has the server remove what has expired, in small steps, on behalf of all clients.
//
// Nothing depends on it: operations look past what is due, and those that count remove it first. It
// gives memory back, and it sweeps what `clear` has left. Every client has one; when several come at
// once, the first finds the work and the others find none.
//
// A step that has removed nothing is followed by a pause, whatever is said to be left: no server is
// asked in circles.
//
// One timer is armed at most: for the earliest deadline that this client knows of, and `idleMsMax`
// ahead at the latest, because other clients write deadlines, too.

import type { Env, Timer } from "../env/env.js";
import type { Calls } from "./calls.js";
import { listIn, numberIn } from "./replies.js";

const rowsMax = 500;

export class RemoteReaper {
  readonly #calls: Calls;
  readonly #env: Env;
  readonly #idleMsMax: number;
  #timer: Timer | undefined;
  #armedFor = Infinity;
  #work: Promise<void> | undefined;
  #closed = false;

  constructor(calls: Calls, idleMsMax: number) {
    this.#calls = calls;
    this.#env = calls.env;
    this.#idleMsMax = idleMsMax;
  }

  /** Learns of something that expires `ms` from now. */
  expect(ms: number): void {
    this.#armFor(this.#env.clock.now() + ms);
  }

  /** Removes what is due, and finds out when to come again. */
  run(): Promise<void> {
    this.#work ??= this.#reap().finally(() => {
      this.#work = undefined;
    });
    return this.#work;
  }

  /** Resolves when a step that is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#work;
  }

  #armFor(moment: number): void {
    if (this.#closed || moment >= this.#armedFor) return;
    this.#timer?.cancel();
    this.#armedFor = moment;
    const delay = Math.max(0, moment - this.#env.clock.now());
    this.#timer = this.#env.timers.after(delay, () => {
      this.#armedFor = Infinity;
      this.#timer = undefined;
      void this.run();
    });
  }

  async #reap(): Promise<void> {
    const waits = Array.from({ length: this.#calls.partitions }, (_, index) => this.#settle(index));
    const outcomes = await Promise.allSettled(waits);
    // What fails now is tried again later; whoever uses the store is told by their own calls.
    const delays = outcomes.map((each) => (each.status === "fulfilled" ? each.value : Infinity));
    const delay = Math.min(...delays, this.#idleDelay());
    if (delay < Infinity) this.expect(delay);
  }

  // Clients that were started together should not come together for ever.
  #idleDelay(): number {
    if (this.#idleMsMax === Infinity) return Infinity;
    return Math.ceil(this.#idleMsMax * (0.75 + this.#env.random.below(1_000) / 4_000));
  }

  /** Removes all that is due in a partition; milliseconds until something is again. */
  async #settle(partition: number): Promise<number> {
    while (!this.#closed) {
      const reply = await this.#calls.call("reap", partition, [rowsMax]);
      const [more = 0, next = -1, now = 0, removed = 1] = listIn(reply).map(numberIn);
      if (more === 1 && removed === 0) return this.#idleDelay();
      if (more === 0) return next < 0 ? Infinity : Math.max(0, next - now);
      await this.#env.timers.breathe();
    }
    return Infinity;
  }
}
