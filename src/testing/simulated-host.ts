// Simulated host: processes that live and die when a test says so. Their numbers are used again at
// once, as on a small machine, so that what relies on a number alone is found out.

import type { Processes } from "../env/processes.js";

const numbers = 3;

export class SimulatedHost {
  readonly #host: string;
  /** By number: the start of whoever has it now. */
  readonly #running = new Map<number, string>();
  #starts = 0;

  constructor(host = "simulated") {
    this.#host = host;
  }

  /** @throws Error when as many processes as there are numbers are running. */
  start(): Processes {
    const start = ++this.#starts;
    const order = Array.from({ length: numbers }, (_, turn) => 1 + ((start + turn) % numbers));
    const id = order.find((number) => !this.#running.has(number));
    if (id === undefined) throw new Error("the simulated host has no number left");
    this.#running.set(id, String(start));
    return {
      id,
      host: this.#host,
      namespace: "",
      startOf: (other) => this.#running.get(other) ?? "",
      isRunning: (other) => this.#running.has(other),
    };
  }

  /** Ends a process; whatever it still does is up to the caller to prevent. */
  kill({ id }: Processes): void {
    this.#running.delete(id);
  }
}
